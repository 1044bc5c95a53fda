//! What commands that run routers have in common: routers by name, threads, tables, a line for people.

use std::io::{self, Write as _};
use std::path::PathBuf;

use chappe_sim::Outcome;
use chappe_sim::cost::Cost;
use chappe_sim::log::Keep;
use chappe_sim::oracle::Bounds;
use chappe_sim::routers::Router;
use chappe_sim::run::{Run, Wanted};
use chappe_sim::tables::{self, Form, Kind, Label, Tables};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Failure;

pub(super) fn router(name: &str) -> Result<&'static Router, String> {
    Router::named(name)
        .ok_or_else(|| "there is no such router; `chappe-sim routers` lists them".to_owned())
}

/// Says on standard error that a router runs in The ONE's way though nobody asked for that.
pub(super) fn tell_of_the_ones_way(router: &Router) {
    eprintln!(
        "chappe-sim: `{}` needs to see what sealed traffic hides, so it runs by The ONE's semantics (mode one-compat)",
        router.name
    );
}

/// How many runs go on at once.
#[derive(clap::Args)]
pub(super) struct Threads {
    /// How many runs go on at once; otherwise one for each core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl Threads {
    /// Does something with so many threads.
    pub(super) fn install<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        let mut pool = rayon::ThreadPoolBuilder::new();
        if let Some(threads) = self.threads {
            pool = pool.num_threads(usize::from(threads));
        }
        Ok(pool.build()?.install(act))
    }
}

/// Where results go beside standard output.
#[derive(clap::Args)]
pub(super) struct Output {
    /// A folder for the tables, `DIR/TABLE/RUN.parquet`, which `report` and `compare` read.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Tables as CSV, which `report` and `compare` do not read.
    #[arg(long, requires = "out")]
    csv: bool,
    /// Only these tables: contact, cost, message, node, position, run, series, transfer.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "out")]
    tables: Vec<Kind>,
}

impl Output {
    /// What has to be kept of a run.
    pub(super) fn keep(&self) -> Keep {
        let small = [Kind::Cost, Kind::Run];
        let all = self.tables.is_empty() || self.tables.iter().any(|kind| !small.contains(kind));
        if self.out.is_some() && all {
            Keep::Everything
        } else {
            Keep::Figures
        }
    }

    /// Whether there are tables.
    pub(super) const fn is_wanted(&self) -> bool {
        self.out.is_some()
    }

    /// Writes the tables of a run.
    pub(super) fn write(&self, label: &Label, run: &Run) -> Result<(), Failure> {
        let Some(folder) = &self.out else {
            return Ok(());
        };
        let id = label.run();
        let mut written = Tables::default();
        for kind in Kind::ALL {
            if !self.tables.is_empty() && !self.tables.contains(&kind) {
                continue;
            }
            let (outcome, oracle) = (&run.course.outcome, run.oracle.as_ref());
            let table = match kind {
                Kind::Cost => Some(tables::cost(label, &run.cost)),
                Kind::Run => Some(tables::figures(label, outcome, oracle)),
                _ => tables::of(kind, &id, &run.surroundings, &run.course.log),
            };
            if let Some(table) = table {
                written.add(kind, table);
            }
        }
        let form = if self.csv { Form::Csv } else { Form::Parquet };
        Ok(written.write(folder, &label.file_name(), form)?)
    }

    pub(super) fn wanted(&self, oracle: bool) -> Wanted {
        let keep = self.keep();
        Wanted { oracle, keep }
    }
}

/// A run, as it is printed.
#[derive(Serialize)]
pub(super) struct Line {
    /// The scenario's or the trace's name.
    pub(super) scenario: String,
    pub(super) router: &'static str,
    pub(super) mode: &'static str,
    pub(super) seed: u64,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    #[serde(flatten)]
    pub(super) cost: Cost,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_modelled: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oracle: Option<Bounds>,
}

/// Prints runs, one a line.
pub(super) fn print(lines: &[Line], json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        let text = if json {
            serde_json::to_string(line)?
        } else {
            line.for_people()
        };
        writeln!(out, "{text}")?;
    }
    Ok(out.flush()?)
}

impl Line {
    fn for_people(&self) -> String {
        let Outcome {
            created,
            delivered,
            relayed,
            latency_avg,
            ..
        } = &self.outcome;
        let delay = latency_avg.map_or("none".to_owned(), |delay| format!("{delay:.1} s"));
        let mut text = format!(
            "{} seed {}: {delivered} of {created} delivered, {relayed} relayed, mean delay {delay} ({:.3} s of CPU)",
            self.router, self.seed, self.cost.cpu_s
        );
        if let Some(bounds) = &self.oracle {
            text.push_str(&format!(
                "\n  the same links allow {} in zero time, {} with each message alone, {} by a schedule of single copies",
                bounds.zero_time.delivered, bounds.earliest_arrival.delivered, bounds.schedule.delivered
            ));
        }
        text
    }
}

/// A bar of how many runs are done: on a terminal, and nothing in a pipe.
pub(super) fn progress(all: u64) -> ProgressBar {
    if all < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {eta} left");
    let bar = ProgressBar::new(all);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
