//! `chappe contact lock` and `chappe contact unlock`

use std::io::IsTerminal as _;

use chappe::MachineKey;
use zeroize::Zeroizing;

use super::ask;
use crate::cli::{Lock, Place};
use crate::control::protocol::{LockKey, Request};
use crate::failure::{Failure, io};
use crate::passphrase;
use crate::render::{self, Style, safe_line, say, styled};

/// Words on one line.
const WORDS_PER_LINE: usize = 6;

pub(super) async fn run(place: &Place, options: Lock) -> Result<(), Failure> {
    let Lock {
        name,
        new,
        passphrase,
    } = options;
    let shown = safe_line(&name);
    if new {
        let key = draw()?;
        set(
            place,
            name.clone(),
            LockKey::Key(key.to_words().to_string()),
        )
        .await?;
        show(&key, &shown);
        return Ok(());
    }
    let typed = if passphrase {
        LockKey::Passphrase(typed("The passphrase that you agreed on: ")?.to_string())
    } else {
        let text = typed("The 24 words, or the chappe-key: code: ")?;
        LockKey::Key(read(&text)?.to_words().to_string())
    };
    set(place, name.clone(), typed).await?;
    say!(
        "What goes between you and {shown} is {} now, if {shown} has the same key.",
        styled(Style::Good, "locked")
    );
    Ok(())
}

pub(super) async fn off(place: &Place, name: String) -> Result<(), Failure> {
    set(place, name.clone(), LockKey::Off).await?;
    say!(
        "{} is not locked any more; the keys are forgotten.",
        safe_line(&name)
    );
    Ok(())
}

async fn set(place: &Place, contact: String, key: LockKey) -> Result<(), Failure> {
    ask(place, Request::Lock { contact, key }).await.map(|_| ())
}

fn draw() -> Result<MachineKey, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|_| Failure::new("The system gives no random numbers; try again later."))?;
    Ok(MachineKey::from_bytes(&bytes))
}

fn show(key: &MachineKey, name: &str) {
    if let Some(code) = render::qr::half_blocks(&key.to_uri(), render::colours()) {
        say!("{code}");
    }
    let words = key.to_words();
    let words: Vec<&str> = words.split_whitespace().collect();
    for line in words.chunks(WORDS_PER_LINE) {
        let line = Zeroizing::new(line.join(" "));
        say!("    {}", line.as_str());
    }
    say!();
    say!("What you send to {name} is locked with it. {name} types the words in with");
    say!(
        "`chappe contact lock`, or scans the code. Read them out face to face: a key that went over"
    );
    say!("a network protects from nobody who watched it. It is not shown again.");
}

/// Words or a code, in either form.
fn read(text: &str) -> Result<MachineKey, Failure> {
    let text = text.trim();
    let key = if text.starts_with("chappe-key:") {
        MachineKey::from_uri(text)
    } else {
        MachineKey::from_words(text)
    };
    key.map_err(|error| Failure::new(error.to_string()))
}

/// A secret from standard input: asked for without showing it, where that is a terminal.
fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let bytes = if std::io::stdin().is_terminal() {
        passphrase::ask(prompt)?
    } else {
        passphrase::line(std::io::stdin().lock()).map_err(io("Standard input cannot be read"))?
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::new("What was typed in is no text; try again."))?;
    Ok(Zeroizing::new(text.to_owned()))
}
