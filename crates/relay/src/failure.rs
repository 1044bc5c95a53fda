//! What a person is told when something cannot be done.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use chappe::{CommandError, OpenError, StartError, StoreError};

/// One plain sentence: what happened, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    usage: bool,
}

impl Failure {
    /// Something went wrong: exit status 1.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: whole(&sentence.into()),
            usage: false,
        }
    }

    /// The command was given wrongly: exit status 2.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self {
            sentence: whole(&sentence.into()),
            usage: true,
        }
    }

    /// The exit status.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.usage { 2 } else { 1 })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<chappe::Error> for Failure {
    fn from(error: chappe::Error) -> Self {
        Self::new(command_sentence(error))
    }
}

impl From<chappe::HomeError> for Failure {
    fn from(error: chappe::HomeError) -> Self {
        Self::new(error.to_string())
    }
}

/// Why a node did not carry out a command.
pub(crate) fn command_sentence(error: chappe::Error) -> String {
    let sentence = match error {
        chappe::Error::Command(CommandError::Store(StoreError::Full)) => {
            "There is no room left for the store; free some space on its disk and try again."
        }
        chappe::Error::Command(CommandError::Store(StoreError::Io)) => {
            "The disk refused a read or a write, nothing was accepted; `chappe doctor` looks at it."
        }
        chappe::Error::Command(CommandError::Store(StoreError::Corrupt)) => {
            "The store is damaged; stop the node and run `chappe doctor`."
        }
        error => return whole(&error.to_string()),
    };
    sentence.to_owned()
}

/// A sentence begins with a capital and ends with a full stop, whoever wrote it.
fn whole(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let rest = letters.as_str().trim_end_matches('.');
    format!("{}{rest}.", first.unwrap_or_default())
}

/// Why the node of the home in `dir` did not start.
pub(crate) fn start_failure(error: StartError, dir: &Path) -> Failure {
    let dir = dir.display();
    Failure::new(match error {
        StartError::Open(OpenError::Corrupt) | StartError::Refused(StoreError::Corrupt) => format!(
            "The store in {dir} is damaged; `chappe --home {dir} doctor --repair` moves it aside \
             and starts a new one with the same identity."
        ),
        StartError::Open(OpenError::Full) | StartError::Refused(StoreError::Full) => format!(
            "There is no room for the store in {dir}; free some space on its disk and start again."
        ),
        StartError::Transport(reason) => format!("The radio cannot be used: {reason}."),
        error => error.to_string(),
    })
}

/// Makes a sentence of an error of the operating system.
pub(crate) fn io(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::new(format!("{what}: {}.", plain_reason(&error)))
}

/// The system's words without the number behind them.
pub(crate) fn plain_reason(error: &std::io::Error) -> String {
    let words = error.to_string();
    match words.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => words,
    }
}
