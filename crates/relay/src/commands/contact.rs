//! `chappe contact` and `chappe contacts`

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use super::{ask, lock, print_json, unexpected};
use crate::cli::{Contact, Format, Place};
use crate::control::client::Session;
use crate::control::protocol::{Answer, ContactView, Request};
use crate::failure::{Failure, io};
use crate::render::table::Table;
use crate::render::{Style, safe_line, say, styled};

/// The longest contact URI that is read, white space included.
const MAX_URI_LEN: u64 = 4_096;

pub(super) async fn run(place: &Place, command: Contact) -> Result<(), Failure> {
    match command {
        Contact::Add { uri, name, scanned } => add(place, uri, name, scanned).await,
        Contact::Verify { name, number } => verify(place, name, number).await,
        Contact::Block { name } => block(place, name, true).await,
        Contact::Unblock { name } => block(place, name, false).await,
        Contact::Lock(options) => lock::run(place, options).await,
        Contact::Unlock { name } => lock::off(place, name).await,
        Contact::Rm { name } => {
            ask(
                place,
                Request::RemoveContact {
                    contact: name.clone(),
                },
            )
            .await?;
            say!("{} is forgotten, with its keys.", safe_line(&name));
            Ok(())
        }
    }
}

/// Lists the contacts.
pub(super) async fn list(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Contacts(contacts) = ask(place, Request::Contacts).await? else {
        return unexpected();
    };
    if format.json {
        return contacts.iter().try_for_each(print_json);
    }
    if contacts.is_empty() {
        say!("No contacts yet; `chappe id` and `chappe contact add` make one.");
    }
    let mut table = Table::default();
    for contact in &contacts {
        let state = if contact.blocked {
            "blocked"
        } else {
            trust(contact.verified)
        };
        let lock = if contact.locked { ", locked" } else { "" };
        table.row([
            safe_line(&contact.name),
            format!("{state}{lock}"),
            safe_line(&contact.jid),
            contact.fingerprint.clone(),
        ]);
    }
    table.print();
    Ok(())
}

/// How trust is shown, everywhere.
pub(super) const fn trust(verified: bool) -> &'static str {
    if verified { "verified" } else { "unverified" }
}

async fn add(
    place: &Place,
    uri: String,
    name: Option<String>,
    scanned: bool,
) -> Result<(), Failure> {
    let uri = if uri == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_URI_LEN)
            .read_to_string(&mut text)
            .map_err(io("Standard input cannot be read"))?;
        text
    } else {
        uri
    };
    let Answer::Contact(contact) = ask(place, Request::AddContact { uri, name, scanned }).await?
    else {
        return unexpected();
    };
    say!("{}", describe(&contact));
    if !contact.verified {
        say!(
            "Whoever passed the URI on could have changed it; `chappe contact verify {}` compares numbers.",
            safe_line(&contact.name)
        );
    }
    Ok(())
}

fn describe(contact: &ContactView) -> String {
    let style = if contact.verified {
        Style::Good
    } else {
        Style::Warn
    };
    format!(
        "{} is a contact now, {}.",
        styled(Style::Bold, &safe_line(&contact.name)),
        styled(style, trust(contact.verified))
    )
}

async fn verify(place: &Place, name: String, number: Option<String>) -> Result<(), Failure> {
    let mut session = Session::open(place).await?;
    let result = compare(&mut session, name, number).await;
    session.close().await;
    result
}

async fn compare(
    session: &mut Session,
    name: String,
    number: Option<String>,
) -> Result<(), Failure> {
    let contact = name.clone();
    let Answer::Number(ours) = session.ask(Request::SafetyNumber { contact }).await? else {
        return unexpected();
    };
    let shown = safe_line(&name);
    let number = match number {
        Some(number) => number,
        None => {
            say!("The number of you and {shown}:");
            say!();
            say!("    {}", styled(Style::Bold, &ours));
            say!();
            if !std::io::stdin().is_terminal() {
                say!(
                    "If {shown} sees the same, run `chappe contact verify {shown} --number \"...\"`."
                );
                return Ok(());
            }
            if !yes(&format!("Does {shown} see the same? y/N "))? {
                return Err(Failure::new(format!(
                    "{shown} stays unverified; if the numbers differ, someone is between you."
                )));
            }
            ours
        }
    };
    session
        .ask(Request::Verify {
            contact: name,
            number,
        })
        .await?;
    say!("{shown} is {}.", styled(Style::Good, "verified"));
    Ok(())
}

fn yes(question: &str) -> Result<bool, Failure> {
    print!("{question}");
    std::io::stdout()
        .flush()
        .map_err(io("The terminal cannot be written"))?;
    let mut answer = String::new();
    let mut input = std::io::stdin().lock();
    input
        .read_line(&mut answer)
        .map_err(io("The terminal cannot be read"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn block(place: &Place, name: String, blocked: bool) -> Result<(), Failure> {
    let contact = name.clone();
    ask(place, Request::Block { contact, blocked }).await?;
    let state = if blocked { "blocked" } else { "not blocked" };
    say!("{} is {state}.", safe_line(&name));
    Ok(())
}
