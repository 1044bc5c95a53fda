//! `chappe-sim run`.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chappe_sim::Outcome;
use chappe_sim::cost::Cost;
use chappe_sim::oracle::Bounds;
use chappe_sim::routers::Router;
use chappe_sim::run::{self, Level, Run};
use chappe_sim::scenario::Scenario;
use chappe_sim::trace::Sink;
use rayon::prelude::*;
use serde::Serialize;

use super::Failure;
use super::runs::{self, Seeds};

/// Arguments of `run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The scenario.
    scenario: PathBuf,
    /// One run; 1 where neither this nor the scenario says.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// One run for each seed from A to B.
    #[arg(long, value_name = "A..B")]
    seeds: Option<Seeds>,
    /// A router, before what the scenario says: see `chappe-sim routers`.
    #[arg(long, value_name = "NAME", value_parser = runs::router)]
    router: Option<&'static Router>,
    /// Sets a key of the scenario, before what it says: `--set groups.people.count=20`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// A folder for the results, one file a run, which `chappe-sim report` reads.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One object a run, one a line.
    #[arg(long)]
    json: bool,
    /// How many runs go on at once; otherwise one for each core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Without the oracle: links are then forgotten as soon as they are over, which large worlds need.
    #[arg(long)]
    no_oracle: bool,
}

/// A run, as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    router: &'a str,
    mode: Level,
    seed: u64,
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(flatten)]
    cost: Cost,
    not_modelled: Vec<&'static str>,
    oracle: Option<Bounds>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let scenario = Scenario::load(&args.scenario, &args.settings)?;
    let router = match args.router {
        Some(router) => router,
        None => runs::router(&scenario.file.router).map_err(Failure::new)?,
    };
    let name = args.scenario.file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    let seeds = args.seeds(&scenario)?.0;
    let progress = Progress::new(seeds.end().saturating_sub(*seeds.start()).saturating_add(1));
    let one = |seed| -> Result<Line<'_>, Failure> {
        let line = Line::new(
            &name,
            router,
            scenario.file.level,
            seed,
            run::run(&scenario, router, seed, !args.no_oracle)?,
        );
        if let Some(folder) = &args.out {
            line.write_to(folder)?;
        }
        progress.one_more();
        Ok(line)
    };
    let threads = usize::from(args.threads.unwrap_or(0));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let lines: Vec<_> =
        pool.install(|| seeds.into_par_iter().map(one).collect::<Result<_, _>>())?;
    tell_what_is_not_modelled(&lines);
    let mut out = io::stdout().lock();
    for line in &lines {
        let text = if args.json {
            serde_json::to_string(line)?
        } else {
            line.for_people()
        };
        writeln!(out, "{text}")?;
    }
    Ok(())
}

impl Args {
    fn seeds(&self, scenario: &Scenario) -> Result<Seeds, Failure> {
        if let Some(seeds) = &self.seeds {
            return Ok(seeds.clone());
        }
        match (self.seed, &scenario.file.seeds) {
            (None, Some(seeds)) => seeds.parse().map_err(Failure::new),
            (seed, _) => Ok(Seeds::one(seed.unwrap_or(1))),
        }
    }
}

impl<'a> Line<'a> {
    fn new(scenario: &'a str, router: &'a Router, mode: Level, seed: u64, run: Run) -> Self {
        Self {
            scenario,
            router: router.name,
            mode,
            seed,
            outcome: run.course.outcome,
            cost: run.cost,
            not_modelled: run.not_modelled,
            oracle: run.oracle,
        }
    }

    /// The run and then the oracle, each on a line of its own, as other commands print them.
    fn write_to(&self, folder: &Path) -> Result<(), Failure> {
        let mode = serde_json::to_value(self.mode)?;
        let mode = mode.as_str().unwrap_or_default();
        let name = format!(
            "{}-{}-{mode}-{}.json",
            self.scenario, self.router, self.seed
        );
        let path = folder.join(name);
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        if let Some(bounds) = &self.oracle {
            text.push_str(&serde_json::to_string(bounds)?);
            text.push('\n');
        }
        let written = Sink::create(&path).and_then(|mut sink| {
            sink.write_all(text.as_bytes())?;
            sink.finish()
        });
        written.map_err(|error| cannot_write(&path, &error))
    }

    fn for_people(&self) -> String {
        let mut text = runs::for_people(self.router, self.seed, &self.outcome, &self.cost);
        if let Some(bounds) = &self.oracle {
            let Bounds {
                zero_time,
                earliest_arrival,
                schedule,
                ..
            } = bounds;
            text.push_str(&format!(
                "\n  the same links allow {} in zero time, {} with each message alone, {} by a schedule of single copies",
                zero_time.delivered, earliest_arrival.delivered, schedule.delivered
            ));
        }
        text
    }
}

fn tell_what_is_not_modelled(lines: &[Line<'_>]) {
    let mut all: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.not_modelled.clone())
        .collect();
    all.sort_unstable();
    all.dedup();
    if !all.is_empty() {
        eprintln!(
            "chappe-sim: the scenario asks for what this level does not model, so it had no effect: {}",
            all.join(", ")
        );
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!(
        "{} cannot be written: {error}",
        path.display()
    ))
}

/// How many runs are done, on a terminal only.
struct Progress {
    all: u64,
    done: AtomicU64,
    shown: bool,
}

impl Progress {
    fn new(all: u64) -> Self {
        Self {
            all,
            done: AtomicU64::new(0),
            shown: all > 1 && io::stderr().is_terminal(),
        }
    }

    fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown {
            let end = if done == self.all { "\n" } else { "" };
            eprint!("\r{done} of {} runs{end}", self.all);
        }
    }
}
