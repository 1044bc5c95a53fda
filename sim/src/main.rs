//! The program `chappe-sim`.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

/// Exit status 2: the command line is wrong (clap's own). 3: `compare` found something worse, `replay-node` something else. 1: anything else went wrong.
fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(cli::Ending::Good) => ExitCode::SUCCESS,
        Ok(cli::Ending::Worse) => ExitCode::from(3),
        Err(failure) if failure.unread => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("chappe-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}
