//! The program `chappe-sim`.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

/// Exit status 2: the command line is wrong (clap's own). 1: anything else went wrong.
fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("chappe-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}
