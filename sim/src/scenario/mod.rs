//! Scenarios: a world in a file.
//!
//! A scenario names groups of nodes and how they move, their radios, what they write and what goes wrong.
//! [`Scenario::load`] reads one, [`Scenario::build`] makes a [`World`] of it for a seed: contacts as a stream, messages,
//! faults. The same seed makes the same world on any machine.

mod build;
mod check;
mod document;
mod error;
mod faults;
mod file;
mod models;
pub mod quantity;

use std::fs;
use std::path::{Path, PathBuf};

pub use build::World;
pub use error::ScenarioError;
pub use faults::{Behaviour, Crash, Faults, LinkFaults, NodeFaults};
pub use file::{FaultFile, GroupFile, LaterFile, MovementFile, Scenario as ScenarioFile};

pub(crate) use error::Source;

use crate::frame::Value;
use crate::tables::Parameter;

/// A scenario that was read and found in order.
///
/// ```
/// use chappe_sim::scenario::Scenario;
///
/// let text = r#"
///     about = "Fifty people in a park"
///     duration = "1h"
///     [[groups]]
///     name = "people"
///     count = 50
///     radio = "ideal"
///     movement.random-waypoint = { area = "500m x 500m", speed = "0.5..1.5m/s", pause = "0s..2min" }
///     [[traffic]]
///     when.poisson = { every = "1min" }
///     size = "5kB..10kB"
/// "#;
/// let scenario = Scenario::parse(text, "park.toml".as_ref(), &["groups.0.count=20".to_owned()])?;
/// let world = scenario.build(1)?;
/// assert_eq!(world.nodes, 20);
/// assert!(world.messages.len() > 30);
/// assert!(world.contacts.count() > 10);
/// # Ok::<(), chappe_sim::scenario::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What the file says.
    pub file: ScenarioFile,
    source: Source,
    /// The same, as TOML has it.
    whole: toml::Value,
}

impl Scenario {
    /// Reads a file, with `key=value` settings that come before what it says.
    ///
    /// # Errors
    /// [`ScenarioError`], with line, column and what was expected.
    pub fn load(path: &Path, settings: &[String]) -> Result<Self, ScenarioError> {
        let text = fs::read_to_string(path).map_err(|error| {
            ScenarioError::new(path, error.to_string(), "a scenario that can be read")
        })?;
        Self::parse(&text, path, settings)
    }

    /// Reads a text. The path says where maps and traces are looked for, and what an error names.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn parse(text: &str, path: &Path, settings: &[String]) -> Result<Self, ScenarioError> {
        let source = Source::new(path, text);
        let mut file: ScenarioFile =
            toml::from_str(text).map_err(|error| source.at(error.span(), error.message()))?;
        let table: toml::Table =
            toml::from_str(text).map_err(|error| source.at(error.span(), error.message()))?;
        let mut whole = toml::Value::Table(table);
        if !settings.is_empty() {
            for setting in settings {
                set(&mut whole, setting).map_err(|what| {
                    ScenarioError::new(path, what, "a setting such as groups.0.count=20")
                })?;
            }
            file = whole.clone().try_into().map_err(|error: toml::de::Error| {
                let (what, expected) = error::parted(error.message());
                let what = format!("with --set {}: {what}", settings.join(" "));
                ScenarioError::new(path, what, expected)
            })?;
        }
        let scenario = Self {
            file,
            source,
            whole,
        };
        scenario.check()?;
        Ok(scenario)
    }

    /// The world of this seed.
    ///
    /// # Errors
    /// [`ScenarioError`], where a map or a trace cannot be read.
    pub fn build(&self, seed: u64) -> Result<World, ScenarioError> {
        build::world(self, seed)
    }

    /// A path of the scenario, as seen from here.
    fn beside(&self, path: &Path) -> PathBuf {
        self.source
            .path()
            .parent()
            .map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }
}

/// A setting `key=value` as a parameter of a run; `None` where it has no `=`.
pub fn parameter(setting: &str) -> Option<Parameter> {
    let (key, value) = pair(setting)?;
    let value = match value {
        toml::Value::Boolean(flag) => Value::from(flag),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::String(text) => Value::from(text),
        other => Value::from(other.to_string()),
    };
    let key = key.to_owned();
    Some(Parameter { key, value })
}

/// A setting's key and value; the value is TOML, or else a text.
fn pair(setting: &str) -> Option<(&str, toml::Value)> {
    let (key, text) = setting.split_once('=')?;
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()));
    Some((key.trim(), value))
}

/// Sets `a.0.b=value` in a document.
fn set(whole: &mut toml::Value, setting: &str) -> Result<(), String> {
    let (key, value) =
        pair(setting).ok_or_else(|| format!("the setting `{setting}` has no `=`"))?;
    let mut place = whole;
    for part in key.split('.') {
        place = match place {
            toml::Value::Table(table) => table
                .entry(part)
                .or_insert_with(|| toml::Value::Table(toml::Table::new())),
            toml::Value::Array(array) => {
                // A place in the list, or the name of a group.
                let named = |value: &toml::Value| {
                    value.get("name").and_then(toml::Value::as_str) == Some(part)
                };
                let place = part.parse().ok().or_else(|| array.iter().position(named));
                place
                    .and_then(|place: usize| array.get_mut(place))
                    .ok_or_else(|| format!("`{part}` of `{key}` is not there"))?
            }
            _ => return Err(format!("`{part}` of `{key}` is not there")),
        };
    }
    *place = value;
    Ok(())
}
