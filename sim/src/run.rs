//! One run of a scenario: a world, a router and a seed in, what came of it out, with the oracle beside it.

use std::sync::Arc;

use chappe_wire::ByteCount;
use serde::{Deserialize, Serialize};

use crate::buffers::Buffers;
use crate::compat::{self, Replay};
use crate::cost::{Cost, Meter};
use crate::event::{ContactEvent, ContactTrace, NodeIndex, SimTime, UnknownNode};
use crate::full::{self, FullError};
use crate::log::Keep;
use crate::oracle::{self, Bounds, Question};
use crate::outcome::Course;
use crate::radio::Preset;
use crate::replay;
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
    /// Its router as The ONE runs it, ticks and all: policies see destinations, and nothing goes wrong. See
    /// [`crate::compat`].
    OneCompat,
}

impl Level {
    /// Its name in scenarios and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Full => "full",
            Self::OneCompat => "one-compat",
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
    /// Devices have no such router.
    #[error(
        "no device has the router `{0}`; whole nodes run `default`, `measured-spray`, `relays`, `selective` and \
         `spray-and-wait`, and level=routing runs the others"
    )]
    NoDevice(&'static str),
    /// Whole nodes cannot run the world.
    #[error(transparent)]
    Full(#[from] FullError),
    /// Messages speak of nodes that the scenario does not have.
    #[error(transparent)]
    UnknownNode(#[from] UnknownNode),
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
    let level = level(scenario, router)?;
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
    let course = match level {
        Level::Full => {
            let policy = router.device().ok_or(RunError::NoDevice(router.name))?;
            full::run_world(&world, links, policy, seed, wanted.keep)?
        }
        Level::OneCompat => replay_world(&world, links, router, seed, wanted.keep)?,
        Level::Routing => router.route_world(&world, links, seed, wanted.keep),
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

/// The level at which a router runs in a scenario: the scenario's own. But routers that decide by what sealed traffic hides
/// run in The ONE's way where others run as in devices.
///
/// # Errors
/// [`RunError::NoDevice`].
pub fn level(scenario: &Scenario, router: &Router) -> Result<Level, RunError> {
    match scenario.file.level {
        Level::Full if router.device().is_none() => Err(RunError::NoDevice(router.name)),
        Level::Routing if !router.is_sealed() => Ok(Level::OneCompat),
        level => Ok(level),
    }
}

/// One run in The ONE's way, on the links of a world.
fn replay_world(
    world: &World,
    links: impl Iterator<Item = ContactEvent>,
    router: &Router,
    seed: u64,
    keep: Keep,
) -> Result<Course, UnknownNode> {
    let contacts = ContactTrace {
        nodes: world.nodes,
        events: links.collect(),
        end: world.end,
    };
    let settings = compat::Settings {
        tick: replay::TICK,
        rate: Rate::THE_ONE,
        buffers: Buffers::each(&world.buffers),
        ttl: world.ttl.since(SimTime::ZERO),
        end: Some(world.end),
    };
    let replay = Replay::new(&contacts, &world.messages, settings)?;
    Ok(router.replay_course(&replay, seed, keep))
}

/// What runs of this scenario are, of a router that runs at the scenario's own [`level`]; the seed is 0.
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
    let (links, crashes) = (&world.faults.links, &world.faults.crashes);
    if level != Level::Full && links.reordering > 0.0 {
        missing.push("reordering");
    }
    if level == Level::OneCompat {
        for (name, is) in [
            ("corruption", links.corruption > 0.0),
            ("crash", !crashes.is_empty()),
            ("duplication", links.duplication > 0.0),
            ("loss", links.loss > 0.0),
        ] {
            missing.extend(is.then_some(name));
        }
    }
    if level == Level::Full && !world.receipts {
        missing.push("receipts=false");
    }
    if level != Level::Routing {
        for fault in &world.faults.nodes {
            let name = match fault.behaviour {
                Behaviour::DropAll => "drop-all",
                Behaviour::DropSome(_) => "drop-some",
                Behaviour::Flood { .. } if level == Level::OneCompat => "flood",
                Behaviour::ForgeReceipts => "forge-receipts",
                Behaviour::LieAboutAge(_) => "lie-about-age",
                Behaviour::Honest | Behaviour::Flood { .. } => continue,
            };
            if !missing.contains(&name) {
                missing.push(name);
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
