//! One run of a scenario: a world, a router and a seed in, what came of it out, with the oracle beside it.

use std::sync::Arc;

use chappe_node::PolicyChoice;
use chappe_wire::ByteCount;
use serde::{Deserialize, Serialize};

use crate::cost::{Cost, Meter};
use crate::event::{ContactEvent, ContactTrace, NodeIndex, SimTime};
use crate::full::{self, FullError};
use crate::log::Keep;
use crate::oracle::{self, Bounds, Question};
use crate::outcome::Course;
use crate::radio::Preset;
use crate::routers::Router;
use crate::scenario::{Behaviour, Scenario, ScenarioError, World};
use crate::tables::{Label, Member, Parameter, Surroundings};
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

impl Level {
    /// Its name in scenarios and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Full => "full",
        }
    }
}

/// What is wanted of a run beside its figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// What the same links allow. It keeps all links in memory.
    pub oracle: bool,
    /// What happened.
    pub keep: Keep,
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
    /// Where and among whom; empty unless everything was to be kept.
    pub surroundings: Surroundings,
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
    wanted: Wanted,
) -> Result<Run, RunError> {
    let device = check(scenario, router)?;
    let level = scenario.file.level;
    let meter = Meter::start();
    let mut world = scenario.build(seed)?;
    let links = std::mem::replace(&mut world.contacts, Box::new(std::iter::empty()));
    let not_modelled = not_modelled(&world, level);
    // The oracle has to know the future; a run does without.
    let mut kept = Vec::new();
    let links = links.inspect(|event| {
        if wanted.oracle {
            kept.push(*event);
        }
    });
    let course = match device {
        None => router.route_world(&world, links, seed, wanted.keep),
        Some(policy) => full::run_world(&world, links, policy, seed, wanted.keep)?,
    };
    let cost = meter.read();
    let oracle = wanted.oracle.then(|| bounds(&world, kept));
    let surroundings = match wanted.keep {
        Keep::Everything => surroundings(scenario, world, seed)?,
        Keep::Figures => Surroundings::default(),
    };
    Ok(Run {
        course,
        cost,
        not_modelled,
        oracle,
        surroundings,
    })
}

/// Whether a router can run in a scenario. At the full level, the setting of a device that makes it route so.
///
/// # Errors
/// [`RunError`], if it cannot.
pub fn check(scenario: &Scenario, router: &Router) -> Result<Option<PolicyChoice>, RunError> {
    if !router.is_sealed() {
        return Err(RunError::Unsealed(router.name));
    }
    match scenario.file.level {
        Level::Routing => Ok(None),
        Level::Full => Ok(Some(
            router.device().ok_or(RunError::NoDevice(router.name))?,
        )),
    }
}

/// What runs of this scenario are; the seed is 0.
///
/// # Errors
/// [`ScenarioError`], where a file that it names cannot be read.
pub fn label(
    scenario: &Scenario,
    name: &str,
    router: &str,
    parameters: &[Parameter],
) -> Result<Label, ScenarioError> {
    Ok(Label {
        scenario: name.to_owned(),
        router: router.to_owned(),
        mode: scenario.file.level.name().to_owned(),
        seed: 0,
        input: scenario.input_hash()?,
        document: scenario.document(),
        parameters: parameters.to_vec(),
    })
}

fn surroundings(
    scenario: &Scenario,
    world: World,
    seed: u64,
) -> Result<Surroundings, ScenarioError> {
    let groups = scenario.file.groups.iter();
    let groups: Vec<Arc<str>> = groups.map(|group| group.name.as_str().into()).collect();
    let radios = world.radios.into_iter();
    let radios: Vec<Arc<Preset>> = radios.map(|(_, radio)| Arc::new(radio)).collect();
    let members = world
        .group_of
        .iter()
        .zip(&world.radio_of)
        .zip(&world.buffers);
    let members = members.map(|((group, radio), buffer)| Member {
        group: groups.get(usize::from(*group)).cloned().unwrap_or_default(),
        buffer: ByteCount::new(*buffer),
        radio: radios.get(usize::from(*radio)).cloned(),
    });
    let mut fleet = scenario.fleet(seed)?;
    let ways = fleet.iter_mut().flat_map(|fleet| {
        let nodes = (0..fleet.nodes()).map(NodeIndex::new);
        nodes
            .map(|node| fleet.legs_until(node, world.end))
            .collect::<Vec<_>>()
    });
    Ok(Surroundings {
        members: members.collect(),
        ways: ways.collect(),
        messages: world.messages,
        end: world.end,
    })
}

/// What a world asks for and the level does not model. Wrong clocks are not among it: no node reads one.
fn not_modelled(world: &World, level: Level) -> Vec<&'static str> {
    let mut missing = Vec::new();
    match level {
        Level::Routing if world.faults.links.reordering > 0.0 => missing.push("reordering"),
        Level::Routing => {}
        Level::Full => {
            if !world.receipts {
                missing.push("receipts=false");
            }
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
