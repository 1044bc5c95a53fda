//! The command line: one file to a subcommand.

mod compare;
mod merge;
mod models;
mod oracle;
mod presets;
mod replay;
mod replay_node;
mod report;
mod routers;
mod run;
mod runs;
mod sweep;
mod trace;

use std::fmt;
use std::io::{self, Write as _};

use clap::{Parser, Subcommand};

/// Simulates many nodes of a delay-tolerant network.
#[derive(Parser)]
#[command(name = "chappe-sim", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario.
    Run(run::Args),
    /// Run a router on recorded contacts and messages.
    Replay(replay::Args),
    /// Give a recorded node the same inputs again, and see that it says the same.
    ReplayNode(replay_node::Args),
    /// What physics allows on recorded contacts and messages.
    Oracle(oracle::Args),
    /// Look at, convert and make traces.
    Trace(trace::Args),
    /// Run a plan of many runs.
    Sweep(sweep::Args),
    /// Join what the shards of a sweep have written.
    Merge(merge::Args),
    /// Make one HTML page of results.
    Report(report::Args),
    /// Compare two sets of results.
    Compare(compare::Args),
    /// List the routers.
    Routers(routers::Args),
    /// List the models of movement, traffic and faults.
    Models(models::Args),
    /// List the radio presets, with their sources.
    Presets(presets::Args),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(&self) -> Result<Ending, Failure> {
        match &self.command {
            Command::Compare(args) => return compare::run(args),
            Command::ReplayNode(args) => return replay_node::run(args),
            Command::Run(args) => run::run(args),
            Command::Replay(args) => replay::run(args),
            Command::Oracle(args) => oracle::run(args),
            Command::Trace(args) => trace::run(args),
            Command::Sweep(args) => sweep::run(args),
            Command::Merge(args) => merge::run(args),
            Command::Report(args) => report::run(args),
            Command::Routers(args) => routers::run(args),
            Command::Models(args) => models::run(args),
            Command::Presets(args) => presets::run(args),
        }?;
        Ok(Ending::Good)
    }
}

/// How a command ended that did its work.
pub(crate) enum Ending {
    /// As it should.
    Good,
    /// New results are worse than old ones, or not the same.
    Worse,
}

/// Writes a text to standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// What happened and what to do, in one sentence.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    /// Whoever read the output has gone, as `head` does.
    pub(crate) unread: bool,
}

impl Failure {
    pub(crate) fn new(sentence: impl fmt::Display) -> Self {
        Self {
            sentence: sentence.to_string(),
            unread: false,
        }
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &(dyn std::error::Error + 'static) = &error;
        let io = any.downcast_ref::<io::Error>();
        Self {
            unread: io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe),
            ..Self::new(&error)
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
