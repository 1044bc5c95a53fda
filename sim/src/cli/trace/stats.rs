//! `chappe-sim trace stats`.

use chappe_sim::trace::statistics::Statistics;

use super::source::Source;
use crate::cli::Failure;

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
        println!("{}", serde_json::to_string(&statistics)?);
    } else {
        print!("{statistics}");
    }
    Ok(())
}
