//! `chappe-sim replay`.

use std::path::PathBuf;
use std::time::Duration;

use chappe_sim::compat::{self, Replay};
use chappe_sim::cost::{Cost, Meter};
use chappe_sim::routers::Router;
use chappe_sim::routing::{self, Network};
use chappe_sim::{BufferSetting, Buffers, Outcome, Rate, SimTime, trace, units};
use chappe_wire::ByteCount;
use rayon::prelude::*;
use serde::Serialize;

use super::Failure;
use super::runs::{self, Seeds};

/// The ONE's default, for nodes of which nothing else is said.
const DEFAULT_BUFFER: ByteCount = ByteCount::new(5_000_000);

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
}

/// A run, as it is printed.
#[derive(Serialize)]
struct Run<'a> {
    router: &'a str,
    mode: &'a str,
    seed: u64,
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(flatten)]
    cost: Cost,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if !args.one_compat && !args.router.is_sealed() {
        return Err(Failure::new(format!(
            "`{}` needs to see what sealed traffic hides: add `--one-compat`",
            args.router.name
        )));
    }
    let loading = Meter::start();
    let contacts = trace::read_contacts(&args.contacts)?;
    let messages = trace::read_messages(&args.messages)?;
    let replay = Replay::new(&contacts, &messages, args.compat_settings())?;
    let network = Network::new(&contacts, &messages, args.routing_settings())?;
    let loading = loading.read();
    let seeds = args.seeds.clone().unwrap_or(Seeds::one(args.seed)).0;
    let one = |seed| {
        let meter = Meter::start();
        let (mode, outcome) = if args.one_compat {
            ("one-compat", Some(args.router.replay(&replay, seed)))
        } else {
            ("routing", args.router.route(&network, seed))
        };
        Some(Run {
            router: args.router.name,
            mode,
            seed,
            outcome: outcome?,
            cost: loading.and(meter.read()),
        })
    };
    let runs: Vec<_> = seeds.into_par_iter().filter_map(one).collect();
    for run in &runs {
        if args.json {
            println!("{}", serde_json::to_string(run)?);
        } else {
            println!("{}", run.for_people());
        }
    }
    Ok(())
}

impl Args {
    fn compat_settings(&self) -> compat::Settings {
        compat::Settings {
            tick: self.tick,
            rate: self.rate,
            buffers: self.buffers(),
            ttl: self.ttl,
            end: self.end(),
        }
    }

    fn routing_settings(&self) -> routing::Settings {
        routing::Settings {
            rate: self.rate,
            buffers: self.buffers(),
            ttl: self.ttl,
            end: self.end(),
        }
    }

    fn buffers(&self) -> Buffers {
        let all = Buffers::all(DEFAULT_BUFFER);
        self.buffer.iter().copied().fold(all, Buffers::with)
    }

    fn end(&self) -> Option<SimTime> {
        self.end.map(|end| SimTime::ZERO.after(end))
    }
}

impl Run<'_> {
    fn for_people(&self) -> String {
        runs::for_people(self.router, self.seed, &self.outcome, &self.cost)
    }
}

fn tick(text: &str) -> Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("a tick takes time".to_owned()),
        Ok(tick) => Ok(tick),
        Err(error) => Err(error.to_string()),
    }
}
