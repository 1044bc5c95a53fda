//! `chappe-sim trace stats`.

use std::path::PathBuf;

use chappe_sim::trace::statistics::Statistics;
use chappe_sim::trace::{self, Format};

use crate::cli::Failure;

/// Arguments of `trace stats`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace, plain or gzipped.
    file: PathBuf,
    /// Its format, where the first line does not tell: bonnmotion, csv, haggle, one, setdest, sociopatterns.
    #[arg(long)]
    format: Option<Format>,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let statistics = Statistics::of(&trace::read_contacts_as(&args.file, args.format)?);
    if args.json {
        println!("{}", serde_json::to_string(&statistics)?);
    } else {
        print!("{statistics}");
    }
    Ok(())
}
