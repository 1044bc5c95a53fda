//! `chappe-sim sweep`.

use std::path::PathBuf;
use std::sync::OnceLock;

use chappe_sim::sweep::{self, Plan, Progress, Shard};
use indicatif::ProgressBar;

use super::runs::{self, Threads};
use super::{Failure, say};

/// Arguments of `sweep`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The plan: see `sim/SWEEPS.md`.
    plan: PathBuf,
    /// Only the I-th of N parts, counted from 1.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Go on where an earlier call was cut off, and skip what is finished.
    #[arg(long)]
    resume: bool,
    /// Where shards are kept; otherwise a folder that is called like the plan, here.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many runs there are, and no run.
    #[arg(long)]
    count: bool,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let plan = Plan::load(&args.plan)?;
    if args.count {
        return say(&format!("{}\n", plan.jobs().len()));
    }
    let named = || args.plan.file_stem().unwrap_or_default().into();
    let folder = args.out.clone().unwrap_or_else(named);
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let bar: OnceLock<ProgressBar> = OnceLock::new();
    let tell = |progress| match progress {
        Progress::Begins { left, .. } => {
            let _ = bar.set(runs::progress(left));
        }
        Progress::OneMore => {
            if let Some(bar) = bar.get() {
                bar.inc(1);
            }
        }
    };
    let (resume, threads) = (args.resume, &args.threads);
    let path = threads.install(|| sweep::sweep(&plan, shard, &folder, resume, &tell))??;
    if let Some(bar) = bar.get() {
        bar.finish_and_clear();
    }
    say(&format!("{}\n", path.display()))
}
