//! One run of a scenario: a world, a router and a seed in, what came of it out, with the oracle beside it.

use serde::{Deserialize, Serialize};

use crate::cost::{Cost, Meter};
use crate::event::{ContactEvent, ContactTrace, SimTime};
use crate::full::{self, FullError};
use crate::oracle::{self, Bounds, Question};
use crate::outcome::Course;
use crate::routers::Router;
use crate::scenario::{Behaviour, Scenario, ScenarioError, World};
use crate::units::Rate;

/// How much of a node there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Level {
    /// Its router: messages are opaque and have the size that the scenario says. See [`crate::routing`].
    #[default]
    Routing,
    /// All of it, with real cryptography. See [`crate::full`].
    Full,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it went.
    pub course: Course,
    /// What it has cost, the oracle not included.
    pub cost: Cost,
    /// What the scenario asks for and this level does not model.
    pub not_modelled: Vec<&'static str>,
    /// What the same links allow, where it was asked for. Faults are not the oracle's.
    pub oracle: Option<Bounds>,
}

/// Why there is no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario's world cannot be made.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The router decides by what sealed traffic hides.
    #[error(
        "`{0}` needs to see what sealed traffic hides; only `replay --one-compat` can run it, on a trace that \
         `trace generate` makes of this scenario"
    )]
    Unsealed(&'static str),
    /// Devices have no such router.
    #[error(
        "whole nodes have the routers `default` and `spray-and-wait`; set level=routing for `{0}`"
    )]
    NoDevice(&'static str),
    /// Whole nodes cannot run the world.
    #[error(transparent)]
    Full(#[from] FullError),
}

/// One run of this scenario. The same seed gives the same run on any machine.
///
/// # Errors
/// [`RunError`].
pub fn run(
    scenario: &Scenario,
    router: &Router,
    seed: u64,
    with_oracle: bool,
) -> Result<Run, RunError> {
    if !router.is_sealed() {
        return Err(RunError::Unsealed(router.name));
    }
    let level = scenario.file.level;
    let device = match level {
        Level::Routing => None,
        Level::Full => Some(router.device().ok_or(RunError::NoDevice(router.name))?),
    };
    let meter = Meter::start();
    let mut world = scenario.build(seed)?;
    let links = std::mem::replace(&mut world.contacts, Box::new(std::iter::empty()));
    let not_modelled = not_modelled(&world, level);
    // The oracle has to know the future; a run does without.
    let mut kept = Vec::new();
    let links = links.inspect(|event| {
        if with_oracle {
            kept.push(*event);
        }
    });
    let course = match device {
        None => router.route_world(&world, links, seed),
        Some(policy) => full::run_world(&world, links, policy, seed)?,
    };
    let cost = meter.read();
    let oracle = with_oracle.then(|| bounds(&world, kept));
    Ok(Run {
        course,
        cost,
        not_modelled,
        oracle,
    })
}

/// What a world asks for and the level does not model. Wrong clocks are not among it: no node reads one.
fn not_modelled(world: &World, level: Level) -> Vec<&'static str> {
    let mut missing = Vec::new();
    match level {
        Level::Routing if world.faults.links.reordering > 0.0 => missing.push("reordering"),
        Level::Routing => {}
        Level::Full => {
            for fault in &world.faults.nodes {
                let name = match fault.behaviour {
                    Behaviour::DropAll => "drop-all",
                    Behaviour::DropSome(_) => "drop-some",
                    Behaviour::ForgeReceipts => "forge-receipts",
                    Behaviour::LieAboutAge(_) => "lie-about-age",
                    Behaviour::Honest | Behaviour::Flood { .. } => continue,
                };
                if !missing.contains(&name) {
                    missing.push(name);
                }
            }
        }
    }
    missing
}

fn bounds(world: &World, events: Vec<ContactEvent>) -> Bounds {
    let trace = ContactTrace {
        nodes: world.nodes,
        events,
        end: world.end,
    };
    let question = Question {
        rate: Rate::THE_ONE,
        ttl: world.ttl.since(SimTime::ZERO),
    };
    oracle::bounds(&trace, &world.messages, &question)
}
