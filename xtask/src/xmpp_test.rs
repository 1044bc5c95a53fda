//! `xmpp-test`: a device of the mesh and a client on XMPP write to each other through a real server, in both
//! flavours of OMEMO, whoever starts. All of it on loopback.

mod program;
mod server;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use program::Program;
use server::Server;

use crate::tally::Tally;
use crate::{Outcome, process, venv};

const CLIENT: &str = "crates/omemo/interop/xmpp_client.py";
const FLAVOURS: [&str; 2] = ["omemo2", "legacy"];
/// The server takes any.
const PASSWORD: &str = "open";

/// Until a program has logged in and published its keys.
const LOGIN_LIMIT: Duration = Duration::from_secs(120);
/// From one side's input to the other side's output.
const MESSAGE_LIMIT: Duration = Duration::from_secs(60);

/// What is said, by turns. With what XML has to escape, more than ASCII, and what looks like markup.
const TALK: [&str; 6] = [
    "fog on the hill",
    "grüße <from> the 'coast' & \"more\"",
    "]]> still fog",
    "雾散了",
    "clear now",
    "good",
];

/// Runs all of them.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    let server = Server::start(root)?;
    let python = venv::XMPP.ready(root)?;
    process::run(process::cargo(root).args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "chappe-omemo",
        "--example",
        "xmpp-bridge",
    ]))?;
    let bridge = crate::metadata::target(root)?.join("debug/examples/xmpp-bridge");
    let mut tally = Tally::default();
    for flavour in FLAVOURS {
        for mesh_starts in [true, false] {
            let talk = Talk {
                root,
                address: server.address(),
                bridge: &bridge,
                python: &python,
                flavour,
                mesh_starts,
            };
            let starts = if mesh_starts { "the mesh" } else { "XMPP" };
            let outcome = talk.hold();
            match &outcome {
                Ok(()) => println!(
                    "xmpp-test: {flavour}, {starts} starts: {} messages read, each by its device",
                    TALK.len()
                ),
                Err(error) => println!("xmpp-test: {flavour}, {starts} starts: {error:#}"),
            }
            tally.check(outcome.is_ok());
        }
    }
    println!("{tally}");
    Ok(if tally.failed == 0 {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// One conversation, between a new device and a new client.
struct Talk<'a> {
    root: &'a Path,
    address: String,
    bridge: &'a Path,
    python: &'a Path,
    flavour: &'a str,
    mesh_starts: bool,
}

impl Talk<'_> {
    fn hold(&self) -> anyhow::Result<()> {
        let Self { flavour, .. } = self;
        let name = if self.mesh_starts { "first" } else { "second" };
        let account = |who| format!("{who}-{flavour}-{name}@{}", server::HOST);
        let (ours, theirs) = (account("mesh"), account("client"));

        let mut command = process::program(self.python, self.root);
        command.arg(CLIENT).args(self.arguments(&theirs, &ours));
        let mut client = Program::start("the client", &mut command)?;
        let mut command = process::program(self.bridge, self.root);
        command.args(self.arguments(&ours, &theirs));
        let mut mesh = Program::start("the bridge", &mut command)?;
        let keys = [mesh.started(LOGIN_LIMIT)?, client.started(LOGIN_LIMIT)?];

        let mesh_speaks = |turn: usize| turn.is_multiple_of(2) == self.mesh_starts;
        for (turn, text) in TALK.iter().enumerate() {
            let [mesh_key, client_key] = &keys;
            if mesh_speaks(turn) {
                mesh.say(text)?;
                client.reads(mesh_key, text, MESSAGE_LIMIT)
            } else {
                client.say(text)?;
                mesh.reads(client_key, text, MESSAGE_LIMIT)
            }
            .with_context(|| format!("message {}", turn + 1))?;
        }
        mesh.end(MESSAGE_LIMIT)?;
        client.end(MESSAGE_LIMIT)
    }

    fn arguments<'a>(&'a self, own: &'a str, other: &'a str) -> [&'a str; 5] {
        [&self.address, own, PASSWORD, other, self.flavour]
    }
}
