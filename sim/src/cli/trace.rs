//! `chappe-sim trace`.

mod convert;
mod generate;
mod source;
mod stats;

use clap::Subcommand;

use super::Failure;

/// Arguments of `trace`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a trace in another format.
    Convert(convert::Args),
    /// Make a trace of a scenario: its contacts, messages or movement.
    Generate(generate::Args),
    /// Figures of a trace: contacts, durations, times between contacts, components.
    Stats(stats::Args),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Convert(args) => convert::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Stats(args) => stats::run(args),
    }
}
