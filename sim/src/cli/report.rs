//! `chappe-sim report`.

use std::io::Write as _;
use std::path::PathBuf;

use chappe_sim::report::{Results, page};
use chappe_sim::trace::Sink;

use super::Failure;

/// Arguments of `report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder that `run --out`, `replay --out`, `sweep` or `merge` have written, or that has lines of `--json` in files
    /// that end in `.json`.
    folder: PathBuf,
    /// The page.
    #[arg(long, short)]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let page = page(&Results::read(&args.folder)?)?;
    let failed = |error: std::io::Error| {
        Failure::new(format_args!(
            "{} cannot be written: {error}",
            args.output.display()
        ))
    };
    let mut sink = Sink::create(&args.output).map_err(failed)?;
    sink.write_all(page.as_bytes()).map_err(failed)?;
    sink.finish().map_err(failed)
}
