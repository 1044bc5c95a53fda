//! From a scenario and a seed to a world.

use super::file::GroupFile;
use super::models::Maps;
use super::{Faults, Scenario, ScenarioError};
use crate::event::{ContactEvent, MessageEvent, NodeIndex, SimTime};
use crate::movement::{Contacts, Fleet, Group, Schedule};
use crate::radio::{Links, Preset, preset};
use crate::trace;
use crate::traffic::{self, Parties};

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
    /// Whether recipients let receipts go.
    pub receipts: bool,
    /// When the run ends.
    pub end: SimTime,
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
        receipts: file.receipts,
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
