//! `chappe-sim replay`.

use std::path::PathBuf;
use std::time::Duration;

use chappe_sim::replay::{self, Recording, Terms};
use chappe_sim::routers::Router;
use chappe_sim::run::Run;
use chappe_sim::seeds::Seeds;
use chappe_sim::{BufferSetting, Rate, SimTime, units};
use rayon::prelude::*;

use super::Failure;
use super::runs::{self, Line, Output, Threads};

/// Arguments of `replay`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Contacts, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    contacts: PathBuf,
    /// Messages, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// A router: see `chappe-sim routers`.
    #[arg(long, value_name = "NAME", value_parser = runs::router)]
    router: &'static Router,
    /// Follow The ONE's semantics.
    #[arg(long)]
    one_compat: bool,
    /// How often nodes update.
    #[arg(long, value_name = "TIME", value_parser = tick, default_value = "0.1s", requires = "one_compat")]
    tick: Duration,
    /// The rate of contacts for which the trace tells none.
    #[arg(long, default_value = "250kB/s")]
    rate: Rate,
    /// Buffers: `5MB` for all, `120-125=50MB` for some nodes; may be repeated.
    #[arg(long, value_name = "SIZE", default_value = "5MB")]
    buffer: Vec<BufferSetting>,
    /// Lifetime of messages.
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "300min")]
    ttl: Duration,
    /// When the run ends; otherwise with the trace or its last message, whichever is later.
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    end: Option<Duration>,
    /// One run.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "seeds")]
    seed: u64,
    /// One run for each seed from A to B.
    #[arg(long, value_name = "A..B")]
    seeds: Option<Seeds>,
    /// One object a run, one a line.
    #[arg(long)]
    json: bool,
    /// With the tables, leave out what physics allows.
    #[arg(long, requires = "out")]
    no_oracle: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let recording = Recording::read(&args.contacts, &args.messages)?;
    let terms = args.terms().suited_to(args.router);
    if !args.one_compat && terms.one_compat.is_some() {
        runs::tell_of_the_ones_way(args.router);
    }
    let (mut input, mut bounds) = (String::new(), None);
    if args.output.is_wanted() {
        input = replay::input_hash(&[&args.contacts, &args.messages])?;
        // The same for all seeds.
        bounds = (!args.no_oracle).then(|| recording.bounds(&terms));
    }
    let seeds = args.seeds.clone().unwrap_or(Seeds::one(args.seed));
    let progress = runs::progress(seeds.count());
    let wanted = args.output.wanted(false);
    let one = |seed| -> Result<Line, Failure> {
        let mut run: Run = recording.run(&terms, args.router, seed, wanted)?;
        run.oracle.clone_from(&bounds);
        let label = recording.label(&terms, args.router.name, seed, &input);
        args.output.write(&label, &run)?;
        progress.inc(1);
        Ok(Line {
            scenario: recording.name.clone(),
            router: args.router.name,
            mode: terms.mode(),
            seed,
            outcome: run.course.outcome,
            cost: run.cost,
            not_modelled: None,
            oracle: run.oracle,
        })
    };
    let lines = args.threads.install(|| {
        let runs = seeds.range().into_par_iter().map(one);
        runs.collect::<Result<Vec<_>, _>>()
    })??;
    progress.finish_and_clear();
    runs::print(&lines, args.json)
}

impl Args {
    fn terms(&self) -> Terms {
        Terms {
            one_compat: self.one_compat.then_some(self.tick),
            rate: self.rate,
            buffers: self.buffer.clone(),
            ttl: self.ttl,
            end: self.end.map(|end| SimTime::ZERO.after(end)),
        }
    }
}

fn tick(text: &str) -> Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("a tick takes time".to_owned()),
        Ok(tick) => Ok(tick),
        Err(error) => Err(error.to_string()),
    }
}
