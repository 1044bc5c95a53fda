//! The `chappe` program: a node of a person or a relay, the commands that talk to it, and the demo.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod control;
mod demo;
mod failure;
mod passphrase;
mod radio;
mod render;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::filter::LevelFilter;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Commands say what is wrong in one sentence of their own; a daemon has its log.
    let daemon = matches!(cli.command, cli::Command::Run(_));
    log(cli.verbose, daemon);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(failure::io("The program cannot start")(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("chappe: {failure}");
            failure.exit_code()
        }
    }
}

/// Logs go to standard error.
fn log(verbose: u8, daemon: bool) {
    let level = match verbose {
        0 if daemon => LevelFilter::WARN,
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}
