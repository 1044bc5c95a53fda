//! `chappe-sim run`.

use std::path::PathBuf;

use chappe_sim::routers::Router;
use chappe_sim::run;
use chappe_sim::scenario::{Scenario, parameter};
use chappe_sim::seeds::Seeds;
use chappe_sim::tables::{Label, Parameter};
use rayon::prelude::*;

use super::Failure;
use super::runs::{self, Line, Output, Threads};

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
    /// One object a run, one a line.
    #[arg(long)]
    json: bool,
    /// Without the oracle: links are then forgotten as soon as they are over, which large worlds need.
    #[arg(long)]
    no_oracle: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    threads: Threads,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let scenario = Scenario::load(&args.scenario, &args.settings)?;
    let router = match args.router {
        Some(router) => router,
        None => runs::router(&scenario.file.router).map_err(Failure::new)?,
    };
    let name = args.scenario.file_stem().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let level = run::level(&scenario, router)?;
    if level != scenario.file.level {
        runs::tell_of_the_ones_way(router);
    }
    let mode = level.name();
    let parameters = args.settings.iter().filter_map(|text| parameter(text));
    let parameters: Vec<Parameter> = parameters.collect();
    let label = Label {
        mode: mode.to_owned(),
        ..run::label(&scenario, &name, router.name, &parameters)?
    };
    let seeds = args.seeds(&scenario)?;
    let progress = runs::progress(seeds.count());
    let wanted = args.output.wanted(!args.no_oracle);
    let one = |seed| -> Result<Line, Failure> {
        let run = run::run(&scenario, router, seed, wanted)?;
        let label = Label {
            seed,
            ..label.clone()
        };
        args.output.write(&label, &run)?;
        progress.inc(1);
        Ok(Line {
            scenario: name.clone(),
            router: router.name,
            mode,
            seed,
            outcome: run.course.outcome,
            cost: run.cost,
            not_modelled: Some(run.not_modelled),
            oracle: run.oracle,
        })
    };
    let lines = args.threads.install(|| {
        let runs = seeds.range().into_par_iter().map(one);
        runs.collect::<Result<Vec<_>, _>>()
    })??;
    progress.finish_and_clear();
    tell_what_is_not_modelled(&lines);
    runs::print(&lines, args.json)
}

impl Args {
    fn seeds(&self, scenario: &Scenario) -> Result<Seeds, Failure> {
        if let Some(seeds) = &self.seeds {
            return Ok(seeds.clone());
        }
        match (self.seed, &scenario.file.seeds) {
            (None, Some(seeds)) => Ok(seeds.parse()?),
            (seed, _) => Ok(Seeds::one(seed.unwrap_or(1))),
        }
    }
}

fn tell_what_is_not_modelled(lines: &[Line]) {
    let mut all: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.not_modelled.clone().unwrap_or_default())
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
