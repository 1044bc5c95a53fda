//! `chappe-sim merge`.

use std::path::PathBuf;

use chappe_sim::sweep;
use chappe_sim::tables::Form;

use super::{Failure, say};

/// Arguments of `merge`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of the shards. What comes out is in `merged` there.
    folder: PathBuf,
    /// Though shards are missing.
    #[arg(long)]
    partial: bool,
    /// As CSV, which `report` and `compare` do not read.
    #[arg(long)]
    csv: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let form = if args.csv { Form::Csv } else { Form::Parquet };
    let merged = sweep::merge(&args.folder, args.partial, form)?;
    let (runs, run, cost) = (merged.runs, merged.run.display(), merged.cost.display());
    say(&format!("{runs} runs\n{run}\n{cost}\n"))
}
