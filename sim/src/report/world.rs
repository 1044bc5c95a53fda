//! What several runs have in common, and what it is called.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// What several runs have in common: all but router and seed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// The scenario's or trace's name.
    pub scenario: String,
    /// `routing`, `full` or `one-compat`.
    pub mode: String,
    /// What was set for it, as `key = value`.
    pub set: Vec<String>,
    /// The hash of what went in.
    pub input: String,
    /// All parameters, as JSON.
    pub parameters: String,
}

impl World {
    /// What it is called on pages, where no other is called the same.
    pub fn title(&self) -> String {
        let name = if self.scenario.is_empty() {
            "Runs"
        } else {
            &self.scenario
        };
        let mut title = name.to_owned();
        if !self.mode.is_empty() {
            let _ = write!(title, " ({})", self.mode);
        }
        if !self.set.is_empty() {
            let _ = write!(title, ": {}", self.set.join(", "));
        }
        title
    }

    fn parameter_map(&self) -> Map<String, Value> {
        serde_json::from_str(&self.parameters).unwrap_or_default()
    }
}

/// Of each of these worlds, what sets it apart from the others: parameters that differ, and the input's hash if that does.
pub(super) fn apart(worlds: &[World]) -> Vec<String> {
    let maps: Vec<_> = worlds.iter().map(World::parameter_map).collect();
    let mut keys: Vec<&String> = maps.iter().flat_map(Map::keys).collect();
    keys.sort_unstable();
    keys.dedup();
    let first = maps.first();
    keys.retain(|key| {
        let same =
            |map: &Map<String, Value>| first.is_some_and(|first| first.get(*key) == map.get(*key));
        !maps.iter().all(same)
    });
    let inputs = worlds.windows(2).any(|pair| match pair {
        [one, other] => one.input != other.input,
        _ => false,
    });
    let of = |(world, map): (&World, &Map<String, Value>)| {
        let mut parts: Vec<String> = keys
            .iter()
            .filter_map(|key| Some(format!("{key} = {}", plain(map.get(*key)?))))
            .collect();
        if inputs {
            parts.push(format!(
                "input {}",
                world.input.get(..8).unwrap_or_default()
            ));
        }
        parts.join(", ")
    };
    worlds.iter().zip(&maps).map(of).collect()
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
