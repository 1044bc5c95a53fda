//! From a scenario and a seed to a world.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::file::{FaultFile, GroupFile, MovementFile};
use super::quantity::{MetreSpan, Place, SpeedSpan, TimeSpan};
use super::{Faults, Scenario, ScenarioError};
use crate::draws::{Draws, Purpose};
use crate::event::{ContactEvent, MessageEvent, NodeIndex, SimTime};
use crate::movement::{
    Area, Clusters, Contacts, Fleet, Group, Model, Point, RandomWalk, RandomWaypoint, Roads,
    RoadsModel, Route, Schedule, Stationary, WorkingDay,
};
use crate::radio::{Links, Preset, preset};
use crate::trace;
use crate::traffic::{self, Parties};

/// Who goes to their place walks this fast, in metres a second.
const WALKING: f64 = 1.4;

/// A world: what the engine needs for one run.
pub struct World {
    /// How many nodes there are.
    pub nodes: u32,
    /// Links, in order of time, as the radios make them of who is in range: after discovery and set-up, within the number
    /// of links that a device holds.
    pub contacts: Box<dyn Iterator<Item = ContactEvent> + Send>,
    /// Messages, in order of time.
    pub messages: Vec<MessageEvent>,
    /// What goes wrong.
    pub faults: Faults,
    /// Kinds of radio, by name.
    pub radios: Vec<(String, Preset)>,
    /// Of each node, its radio's place in `radios`.
    pub radio_of: Vec<u8>,
    /// Of each node, how many bytes it holds for others.
    pub buffers: Vec<u64>,
    /// Of each node, its group's place among the groups.
    pub group_of: Vec<u16>,
    /// How long messages live.
    pub ttl: SimTime,
    /// When the run ends.
    pub end: SimTime,
}

impl Scenario {
    /// What a parser cannot see.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let file = &self.file;
        let refuse = |key: &str, value: &str, what: String, expected: &str| {
            Err(self.source.of(key, value, what, expected))
        };
        let nodes: u64 = file.groups.iter().map(|group| u64::from(group.count)).sum();
        if nodes == 0 || nodes > 10_000_000 {
            return refuse(
                "[[groups]]",
                "count",
                format!("{nodes} nodes"),
                "1 to 10 million nodes",
            );
        }
        if file.duration.0 <= 0.0 {
            return refuse(
                "duration",
                "duration",
                "a run of no length".into(),
                "a duration above 0s",
            );
        }
        for group in &file.groups {
            let name = format!("\"{}\"", group.name);
            if let Err(error) = preset(&group.radio) {
                let radio = format!("\"{}\"", group.radio);
                return refuse(&name, &radio, error.to_string(), "one of these");
            }
            match (&group.movement, &file.contacts) {
                (None, None) => {
                    return refuse(
                        &name,
                        &name,
                        "a group without movement".into(),
                        "`movement`, or `contacts` for all",
                    );
                }
                (Some(_), Some(_)) => {
                    return refuse(
                        &name,
                        &name,
                        "a group with movement beside contacts of a trace".into(),
                        "one of them",
                    );
                }
                _ => {}
            }
        }
        let known = |name: &String| file.groups.iter().any(|group| group.name == *name);
        let named = file
            .traffic
            .iter()
            .flat_map(|traffic| traffic.from.iter().chain(&traffic.to));
        for name in named.chain(file.faults.iter().flat_map(fault_groups)) {
            if !known(name) {
                let names: Vec<&str> = file
                    .groups
                    .iter()
                    .map(|group| group.name.as_str())
                    .collect();
                let expected = format!("one of the groups {}", names.join(", "));
                return refuse(
                    "",
                    &format!("\"{name}\""),
                    format!("no group is called `{name}`"),
                    &expected,
                );
            }
        }
        for traffic in &file.traffic {
            let (traffic::When::Bursts { every, .. }
            | traffic::When::Periodic { every }
            | traffic::When::Poisson { every }) = &traffic.when;
            if every.0 <= 0.0 {
                return refuse(
                    "[[traffic]]",
                    "every",
                    "messages without end".into(),
                    "a time above 0s",
                );
            }
        }
        for fault in &file.faults {
            for (name, number) in fault_shares(fault) {
                if !(0.0..=1.0).contains(&number) {
                    return refuse(
                        "[[faults]]",
                        name,
                        format!("{name} = {number}"),
                        "a number from 0 to 1",
                    );
                }
            }
        }
        Ok(())
    }
}

fn fault_groups(fault: &FaultFile) -> &[String] {
    match fault {
        FaultFile::Clocks { groups, .. }
        | FaultFile::Crash { groups, .. }
        | FaultFile::DropAll { groups, .. }
        | FaultFile::DropSome { groups, .. }
        | FaultFile::Flood { groups, .. }
        | FaultFile::ForgeReceipts { groups, .. }
        | FaultFile::LieAboutAge { groups, .. } => groups,
        FaultFile::Corruption { .. }
        | FaultFile::Duplication { .. }
        | FaultFile::Loss { .. }
        | FaultFile::Reordering { .. } => &[],
    }
}

fn fault_shares(fault: &FaultFile) -> Vec<(&'static str, f64)> {
    match fault {
        FaultFile::Clocks { share, .. }
        | FaultFile::DropAll { share, .. }
        | FaultFile::Flood { share, .. }
        | FaultFile::ForgeReceipts { share, .. }
        | FaultFile::LieAboutAge { share, .. } => vec![("share", *share)],
        FaultFile::DropSome {
            share, probability, ..
        } => vec![("share", *share), ("probability", *probability)],
        FaultFile::Corruption { probability }
        | FaultFile::Duplication { probability }
        | FaultFile::Loss { probability }
        | FaultFile::Reordering { probability, .. } => vec![("probability", *probability)],
        FaultFile::Crash { .. } => Vec::new(),
    }
}

pub(super) fn world(scenario: &Scenario, seed: u64) -> Result<World, ScenarioError> {
    let file = &scenario.file;
    let end = file.duration.as_time();
    let (radios, kinds) = radios(scenario)?;
    let (mut radio_of, mut buffers, mut group_of) = (Vec::new(), Vec::new(), Vec::new());
    for ((place, group), kind) in (0_u16..).zip(&file.groups).zip(&kinds) {
        let count = group.count as usize;
        radio_of.extend(std::iter::repeat_n(*kind, count));
        let buffer = group.buffer.unwrap_or(file.buffer).0;
        buffers.extend(std::iter::repeat_n(buffer, count));
        group_of.extend(std::iter::repeat_n(place, count));
    }
    let nodes = radio_of.len() as u32;
    let presets = radios.iter().map(|(_, preset)| preset.clone()).collect();
    let contacts: Box<dyn Iterator<Item = ContactEvent> + Send> = match &file.contacts {
        Some(path) => {
            let trace = trace::read_contacts(&scenario.beside(path)).map_err(|error| {
                let path = format!("\"{}\"", path.display());
                let what = error.to_string();
                scenario
                    .source
                    .of("contacts", &path, what, "a trace of contacts")
            })?;
            if trace.nodes > nodes {
                let what = format!("{} nodes in the trace, {nodes} in the groups", trace.nodes);
                return Err(scenario.source.of(
                    "contacts",
                    "contacts",
                    what,
                    "as many in the groups",
                ));
            }
            let events = trace.events.into_iter().filter(move |event| event.at < end);
            Box::new(Links::new(events, presets, radio_of.clone(), seed, end))
        }
        None => {
            let fleet = fleet(scenario, &kinds, &radios, seed)?;
            let near = Contacts::new(fleet, end);
            Box::new(Links::new(near, presets, radio_of.clone(), seed, end))
        }
    };
    let members = |names: &[String]| members(&file.groups, names);
    let parties: Vec<_> = file
        .traffic
        .iter()
        .map(|traffic| {
            let (from, to) = (members(&traffic.from), members(&traffic.to));
            (traffic.clone(), Parties { from, to })
        })
        .collect();
    Ok(World {
        nodes,
        contacts,
        messages: traffic::messages(&parties, seed, end),
        faults: Faults::new(&file.faults, nodes, members, seed, end),
        radios,
        radio_of,
        buffers,
        group_of,
        ttl: file.ttl.as_time(),
        end,
    })
}

/// The kinds of radio that a scenario has, and of each group which one.
fn radios(scenario: &Scenario) -> Result<(Vec<(String, Preset)>, Vec<u8>), ScenarioError> {
    let mut radios: Vec<(String, Preset)> = Vec::new();
    let mut kinds = Vec::new();
    for group in &scenario.file.groups {
        let known = radios.iter().position(|(name, _)| *name == group.radio);
        kinds.push(known.unwrap_or(radios.len()) as u8);
        if known.is_none() {
            let data = preset(&group.radio).map_err(|error| {
                ScenarioError::new(scenario.source.path(), error.to_string(), "a known radio")
            })?;
            radios.push((group.radio.clone(), data));
        }
    }
    Ok((radios, kinds))
}

/// The nodes of the groups of these names; all, if there are none.
fn members(groups: &[GroupFile], names: &[String]) -> Vec<NodeIndex> {
    let mut first = 0;
    let mut members = Vec::new();
    for group in groups {
        if names.is_empty() || names.contains(&group.name) {
            members.extend((first..first + group.count).map(NodeIndex::new));
        }
        first += group.count;
    }
    members
}

impl Scenario {
    /// The nodes on their ways, without radios: for traces of movement and for maps. None where contacts come from a trace.
    ///
    /// # Errors
    /// [`ScenarioError`], where a map cannot be read.
    pub fn fleet(&self, seed: u64) -> Result<Option<Fleet>, ScenarioError> {
        if self.file.contacts.is_some() {
            return Ok(None);
        }
        let (radios, kinds) = radios(self)?;
        fleet(self, &kinds, &radios, seed).map(Some)
    }
}

fn fleet(
    scenario: &Scenario,
    kinds: &[u8],
    radios: &[(String, Preset)],
    seed: u64,
) -> Result<Fleet, ScenarioError> {
    let mut maps = Maps::default();
    let mut groups = Vec::new();
    for ((part, group), kind) in (0..).zip(&scenario.file.groups).zip(kinds) {
        let Some(movement) = &group.movement else {
            continue;
        };
        let mut model = maps.model(scenario, movement, seed, part)?;
        if !group.later.is_empty() {
            let mut later = Vec::new();
            for then in &group.later {
                later.push((
                    then.from.as_time(),
                    maps.model(scenario, &then.movement, seed, part)?,
                ));
            }
            model = Box::new(Schedule::new(model, later));
        }
        let usual = radios
            .get(usize::from(*kind))
            .map(|(_, preset)| preset.range.value);
        groups.push(Group {
            count: group.count,
            model,
            range: group.range.or(usual).map_or(0.0, |range| range.0),
            radio: *kind,
        });
    }
    Ok(Fleet::new(seed, groups))
}

/// Maps that were read already.
#[derive(Default)]
struct Maps(BTreeMap<std::path::PathBuf, Arc<Roads>>);

impl Maps {
    fn read(&mut self, scenario: &Scenario, path: &Path) -> Result<Arc<Roads>, ScenarioError> {
        if let Some(known) = self.0.get(path) {
            return Ok(known.clone());
        }
        let roads = Roads::read(&scenario.beside(path)).map_err(|error| {
            let value = format!("\"{}\"", path.display());
            scenario.source.of(
                "map",
                &value,
                error.to_string(),
                "a map in WKT or OpenStreetMap's XML",
            )
        })?;
        let roads = Arc::new(roads);
        self.0.insert(path.to_owned(), roads.clone());
        Ok(roads)
    }

    fn model(
        &mut self,
        scenario: &Scenario,
        movement: &MovementFile,
        seed: u64,
        part: u32,
    ) -> Result<Box<dyn Model>, ScenarioError> {
        let points =
            |places: &[Place]| -> Vec<Point> { places.iter().map(|place| place.0).collect() };
        Ok(match movement {
            MovementFile::Clusters {
                centres,
                radius,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(Clusters {
                centres: points(centres),
                radius: radius.0,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::RandomWaypoint {
                area,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(RandomWaypoint {
                area: area.0,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::RandomWalk {
                area,
                speed: SpeedSpan(speed),
                step: MetreSpan(step),
            } => Box::new(RandomWalk {
                area: area.0,
                speed: *speed,
                step: *step,
            }),
            MovementFile::Roads {
                map,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(RoadsModel {
                roads: self.read(scenario, map)?,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::Route {
                stops,
                circular,
                speed: SpeedSpan(speed),
                halt: TimeSpan(halt),
                headway,
            } => Box::new(Route {
                stops: points(stops),
                circular: *circular,
                speed: *speed,
                halt: *halt,
                headway: headway.0,
            }),
            MovementFile::Stationary { places, area } => Box::new(Stationary {
                places: points(places),
                area: area.map_or(Area::sized(0.0, 0.0), |area| area.0),
                speed: WALKING,
            }),
            MovementFile::WorkingDay {
                homes,
                offices,
                office_count,
                evenings,
                evening_count,
                evening_share,
                evening_for,
                work_from,
                work_for,
                walk,
                drivers,
                drive,
                map,
            } => {
                let mut draws = Draws::shared(seed, Purpose::Places, part);
                let mut some = |area: &Area, count: u32| -> Vec<Point> {
                    (0..count.max(1)).map(|_| area.any(&mut draws)).collect()
                };
                Box::new(WorkingDay {
                    homes: homes.0,
                    offices: some(&offices.0, *office_count),
                    evenings: some(&evenings.0, *evening_count),
                    evening_share: *evening_share,
                    evening_for: evening_for.0,
                    work_from: work_from.0,
                    work_for: work_for.0,
                    walk: walk.0,
                    drivers: *drivers,
                    drive: drive.0,
                    roads: match map {
                        Some(map) => Some(self.read(scenario, map)?),
                        None => None,
                    },
                })
            }
        })
    }
}
