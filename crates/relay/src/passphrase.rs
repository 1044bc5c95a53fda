//! Where a passphrase comes from: a file descriptor, or a person at a terminal.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;

use chappe::Home;
use chappe::home::KeyMode;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli::Place;
use crate::failure::{self, Failure};

/// The longest passphrase.
const MAX_LEN: u64 = 1_024;

/// A secret that is erased after use.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// The passphrase of the home in `dir`, if it needs one.
pub(crate) fn for_home(dir: &Path, place: &Place) -> Result<Option<Secret>, Failure> {
    match Home::key_mode(dir)? {
        KeyMode::Passphrase => Ok(Some(from(place, "Passphrase: ")?)),
        _ => Ok(None),
    }
}

/// The passphrase of a new home.
pub(crate) fn new(place: &Place) -> Result<Secret, Failure> {
    let first = from(place, "New passphrase: ")?;
    if first.is_empty() {
        return Err(Failure::usage(
            "The passphrase is empty; choose a longer one.",
        ));
    }
    if place.passphrase_fd.is_none() && first != from(place, "The same again: ")? {
        return Err(Failure::new("The two passphrases differ; try again."));
    }
    Ok(first)
}

fn from(place: &Place, prompt: &str) -> Result<Secret, Failure> {
    match place.passphrase_fd {
        Some(number) => {
            let file = File::open(format!("/proc/self/fd/{number}")).map_err(failure::io(
                format!("The file descriptor {number} cannot be read"),
            ))?;
            line(file).map_err(unreadable)
        }
        None => ask(prompt),
    }
}

/// Asks at the terminal, without showing what is typed.
pub(crate) fn ask(prompt: &str) -> Result<Secret, Failure> {
    let no_terminal =
        || Failure::usage("There is no terminal to ask for the passphrase; use --passphrase-fd N.");
    let terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| no_terminal())?;
    ask_on(terminal, prompt, no_terminal)
}

/// Asks on a terminal that does not show what is typed meanwhile.
fn ask_on(
    mut terminal: File,
    prompt: &str,
    no_terminal: impl Fn() -> Failure,
) -> Result<Secret, Failure> {
    let before = tcgetattr(&terminal).map_err(|_| no_terminal())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // Silent before anybody can answer.
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|_| no_terminal())?;
    let _ = terminal.write_all(prompt.as_bytes());
    let answer = terminal
        .try_clone()
        .map_err(failure::io("The terminal cannot be read"))
        .and_then(|terminal| line(terminal).map_err(unreadable));
    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    let _ = terminal.write_all(b"\n");
    answer
}

/// The first line, without its end.
pub(crate) fn line(file: impl Read) -> io::Result<Secret> {
    // Room for the longest, so that no copy is left behind by a growing vector.
    let mut secret = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize));
    BufReader::new(file)
        .take(MAX_LEN)
        .read_until(b'\n', &mut secret)?;
    while secret
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        secret.pop();
    }
    Ok(secret)
}

fn unreadable(error: io::Error) -> Failure {
    failure::io("The passphrase cannot be read")(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_and_never_shown() {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let terminal = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let echoes = {
            let terminal = terminal.try_clone().unwrap();
            move || {
                tcgetattr(&terminal)
                    .unwrap()
                    .local_modes
                    .contains(LocalModes::ECHO)
            }
        };
        assert!(echoes());
        let asked = std::thread::spawn(move || {
            let no_terminal = || Failure::usage("There is no terminal.");
            ask_on(terminal, "Passphrase: ", no_terminal).unwrap()
        });

        let mut screen = File::from(screen);
        let mut shown = vec![0; 256];
        let mut length = 0;
        while !shown[..length].ends_with(b"Passphrase: ") {
            length += screen.read(&mut shown[length..]).unwrap();
        }
        screen.write_all(b"correct horse\n").unwrap();
        assert_eq!(asked.join().unwrap().as_slice(), b"correct horse");
        // The line feed that ends the prompt comes last.
        while !shown[..length].ends_with(b"\n") {
            length += screen.read(&mut shown[length..]).unwrap();
        }
        let shown = String::from_utf8_lossy(&shown[..length]);
        assert_eq!(shown.trim_end(), "Passphrase:");
        assert!(echoes(), "the terminal is as it was");
    }
}
