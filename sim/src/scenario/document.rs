//! A scenario as what a result was made from: all that it says as one text, and the hash of the files behind it.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use toml::Value;

use super::file::MovementFile;
use super::{Scenario, ScenarioError};
use crate::tables::hex;

impl Scenario {
    /// All that it says, settings included, as JSON on one line, with sorted keys.
    pub fn document(&self) -> String {
        json(&self.whole)
    }

    /// The SHA-256 of the scenario's text and of the maps and traces that it names, in this order.
    ///
    /// # Errors
    /// [`ScenarioError`], where one of them cannot be read.
    pub fn input_hash(&self) -> Result<String, ScenarioError> {
        let mut hash = Sha256::new();
        hash.update(self.source.text());
        for named in self.files() {
            let path = self.beside(named);
            let bytes = fs::read(&path).map_err(|error| {
                let value = format!("\"{}\"", named.display());
                let what = format!("{}: {error}", path.display());
                self.source.of("", &value, what, "a file that can be read")
            })?;
            hash.update(bytes);
        }
        Ok(hex(&hash.finalize()))
    }

    /// The traces and maps that it names, in order.
    fn files(&self) -> Vec<&Path> {
        let groups = self.file.groups.iter();
        let movements = groups.flat_map(|group| {
            let later = group.later.iter().map(|later| &later.movement);
            group.movement.iter().chain(later)
        });
        let maps = movements.filter_map(|movement| match movement {
            MovementFile::Roads { map, .. } => Some(map),
            MovementFile::WorkingDay { map, .. } => map.as_ref(),
            _ => None,
        });
        let files = self.file.contacts.iter().chain(maps);
        files.map(PathBuf::as_path).collect()
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(json).collect();
            format!("[{}]", values.join(","))
        }
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(time) => quoted(&time.to_string()),
        Value::Float(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Table(table) => {
            let mut pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), json(value)))
                .collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
