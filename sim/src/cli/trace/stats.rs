//! `chappe-sim trace stats`.

use chappe_sim::trace::statistics::Statistics;

use super::source::Source;
use crate::cli::{Failure, say};

/// Arguments of `trace stats`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let statistics = Statistics::of(&args.source.contacts()?);
    if args.json {
        let object = serde_json::to_string(&statistics)?;
        return say(&format!("{object}\n"));
    }
    say(&statistics.to_string())
}
