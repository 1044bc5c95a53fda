//! The commands, one file each.

pub(crate) mod air;
mod contact;
mod doctor;
mod id;
mod inbox;
mod init;
mod lock;
mod report;
mod room;
mod run;
mod send;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::{Cli, Command, Place};
use crate::control::client::Session;
use crate::control::protocol::{Answer, Request};
use crate::failure::Failure;
use crate::render::put;

pub(crate) use report::delivery;
pub(crate) use send::{media_type, read_file};

/// Carries out a command line.
pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let place = &cli.place;
    match cli.command {
        Command::Init(options) => init::run(place, options).await,
        Command::Id(options) => id::run(place, &options).await,
        Command::Contact(command) => contact::run(place, command).await,
        Command::Contacts(format) => contact::list(place, &format).await,
        Command::Room(command) => room::run(place, command).await,
        Command::Run(options) => run::run(place, options).await,
        Command::Send(options) => send::run(place, options).await,
        Command::Inbox(options) => inbox::run(place, &options).await,
        Command::Outbox(format) => report::outbox(place, &format).await,
        Command::Status(format) => report::status(place, &format).await,
        Command::Peers(format) => report::peers(place, &format).await,
        Command::Carried(format) => report::carried(place, &format).await,
        Command::Doctor(options) => doctor::run(place, &options).await,
        Command::Air(command) => air::run(command),
        Command::Demo(options) => crate::demo::run(options).await,
    }
}

impl Place {
    /// The same place, or the folder that a file of settings names where the command line names none.
    fn or_at(&self, home: Option<&Path>) -> Self {
        let mut place = self.clone();
        place.home = place.home.or_else(|| home.map(Path::to_owned));
        place
    }

    /// The folder of the node.
    pub(crate) fn dir(&self) -> Result<PathBuf, Failure> {
        let set = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = self.home.clone().or_else(|| set("CHAPPE_HOME"));
        let data =
            || set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
        home.or_else(|| data().map(|data| data.join("chappe")))
            .ok_or_else(|| Failure::usage("It is not clear where the node lives; use --home DIR."))
    }
}

/// One request, and its answer.
async fn ask(place: &Place, request: Request) -> Result<Answer, Failure> {
    let mut session = Session::open(place).await?;
    let answer = session.ask(request).await;
    session.close().await;
    answer
}

/// Prints a value as one line of JSON.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|error| Failure::new(format!("{error}.")))?;
    put(&line)
}

/// The node answered something else than it was asked.
fn unexpected<T>() -> Result<T, Failure> {
    Err(Failure::new(
        "The node gave an answer that does not fit; restart it.",
    ))
}
