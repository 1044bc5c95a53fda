//! One router on one case.

use std::error::Error;
use std::time::Duration;

use chappe_gossip::policy::Policy;
use chappe_sim::Outcome;
use chappe_sim::compat::{self, Replay};
use chappe_sim::log::{Keep, Log, What};
use chappe_sim::routers::Router;
use chappe_sim::routing::Network;
use rayon::prelude::*;

use crate::cases::{Case, TTL};

/// What came of it; the mean of some runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) delivered: f64,
    pub(crate) mean_delay: f64,
    pub(crate) relayed: f64,
    pub(crate) control: f64,
    pub(crate) data: f64,
    /// Takings of what was only shown.
    pub(crate) chosen: f64,
    /// Those that were the recipient's.
    pub(crate) chosen_own: f64,
    /// The largest share of recipients among takings of one age: each hour is a class, with a hundred takings or more.
    pub(crate) worst_posterior: f64,
}

impl Measured {
    /// How likely it is that who took something which was only shown is its recipient.
    pub(crate) fn posterior(&self) -> Option<f64> {
        (self.chosen > 0.0).then(|| self.chosen_own / self.chosen)
    }

    pub(crate) fn bytes(&self) -> f64 {
        self.control + self.data
    }
}

/// A policy on the router that devices run; `make` makes one for each node.
pub(crate) fn sealed(
    case: &Case,
    network: &Network<'_>,
    make: &(dyn Fn() -> Box<dyn Policy + Send> + Sync),
    seeds: u64,
) -> Measured {
    let run = |seed| {
        let course = network.course(&|| make(), seed, Keep::Everything);
        let mut measured = figures(&course.outcome);
        let takings = Takings::new(case, &course.log);
        measured.chosen = takings.all.iter().sum::<u32>().into();
        measured.chosen_own = takings.own.iter().sum::<u32>().into();
        measured.worst_posterior = takings.worst();
        measured
    };
    mean((1..=seeds).into_par_iter().map(run).collect())
}

/// A router by name: sealed ones as devices run them, others in The ONE's way.
pub(crate) fn named(case: &Case, router: &Router, seeds: u64) -> Result<Measured, Box<dyn Error>> {
    let network = case.network()?;
    if router.is_sealed() {
        return Ok(sealed(case, &network, &|| router.policy(), seeds));
    }
    let settings = compat::Settings {
        tick: Duration::from_millis(100),
        rate: chappe_sim::Rate::THE_ONE,
        buffers: case.buffers.clone(),
        ttl: TTL,
        end: case.end,
    };
    let replay = Replay::new(&case.contacts, &case.messages, settings)?;
    let run = |seed| figures(&router.replay(&replay, seed));
    Ok(mean((1..=seeds).into_par_iter().map(run).collect()))
}

fn figures(outcome: &Outcome) -> Measured {
    Measured {
        delivered: outcome.delivered as f64,
        mean_delay: outcome.latency_avg.unwrap_or(0.0),
        relayed: outcome.relayed as f64,
        control: outcome.control_bytes as f64,
        data: outcome.data_bytes as f64,
        ..Measured::default()
    }
}

fn mean(runs: Vec<Measured>) -> Measured {
    let count = runs.len().max(1) as f64;
    let mean = |part: fn(&Measured) -> f64| runs.iter().map(part).sum::<f64>() / count;
    Measured {
        delivered: mean(|run| run.delivered),
        mean_delay: mean(|run| run.mean_delay),
        relayed: mean(|run| run.relayed),
        control: mean(|run| run.control),
        data: mean(|run| run.data),
        chosen: mean(|run| run.chosen),
        chosen_own: mean(|run| run.chosen_own),
        worst_posterior: runs
            .iter()
            .map(|run| run.worst_posterior)
            .fold(0.0, f64::max),
    }
}

/// Takings of what was only shown, by the hour of the message's age.
#[derive(Default)]
struct Takings {
    all: [u32; 6],
    own: [u32; 6],
}

/// Fewer takings than this say nothing.
const ENOUGH: u32 = 100;

impl Takings {
    fn new(case: &Case, log: &Log) -> Self {
        let mut takings = Self::default();
        for happening in &log.happenings {
            if let What::Chosen { message, by, age } = happening.what {
                let hour = (age.as_secs() / 3_600).min(5) as usize;
                takings.all[hour] += 1;
                takings.own[hour] += u32::from(case.messages[message.as_usize()].to == by);
            }
        }
        takings
    }

    fn worst(&self) -> f64 {
        let classes = self
            .all
            .iter()
            .zip(&self.own)
            .filter(|(all, _)| **all >= ENOUGH);
        classes
            .map(|(all, own)| f64::from(*own) / f64::from(*all))
            .fold(0.0, f64::max)
    }
}
