//! The command line: one file to a subcommand.

mod compare;
mod merge;
mod models;
mod oracle;
mod presets;
mod replay;
mod report;
mod routers;
mod run;
mod runs;
mod sweep;
mod trace;

use std::fmt;

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
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Run(args) => run::run(args),
            Command::Replay(args) => replay::run(args),
            Command::Oracle(args) => oracle::run(args),
            Command::Trace(args) => trace::run(args),
            Command::Sweep(args) => sweep::run(args),
            Command::Merge(args) => merge::run(args),
            Command::Report(args) => report::run(args),
            Command::Compare(args) => compare::run(args),
            Command::Routers(args) => routers::run(args),
            Command::Models(args) => models::run(args),
            Command::Presets(args) => presets::run(args),
        }
    }
}

/// What happened and what to do, in one sentence.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl fmt::Display) -> Self {
        Self(sentence.to_string())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
