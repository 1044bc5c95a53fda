//! What is wrong with a scenario, and where.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong with a scenario, where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}; expected {expected}", self.place())]
pub struct ScenarioError {
    /// Which file.
    pub file: PathBuf,
    /// Which line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Which column, from 1.
    pub column: usize,
    /// What is there.
    pub what: String,
    /// What should be there.
    pub expected: String,
}

impl ScenarioError {
    /// The file, and the line and column where one is meant.
    fn place(&self) -> String {
        let (file, line, column) = (self.file.display(), self.line, self.column);
        match line {
            0 => file.to_string(),
            line => format!("{file}:{line}:{column}"),
        }
    }

    /// Of a file as a whole.
    pub(crate) fn new(file: &Path, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            what: what.into(),
            expected: expected.into(),
        }
    }
}

/// What people call what the parser calls by its type.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u64" | "usize" => "a whole number, not negative",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "f32" | "f64" => "a number",
        other => other,
    }
}

/// What a parser says, `what, expected that` in one of its ways, as both.
pub(super) fn parted(message: &str) -> (String, String) {
    let message = message.trim().replace('\n', " ");
    let parted = [", expected ", ": expected ", ", available keys: "]
        .iter()
        .find_map(|middle| message.split_once(middle));
    let (what, expected) = parted.unwrap_or((message.as_str(), "a scenario's TOML"));
    (what.to_owned(), in_words(expected).to_owned())
}

/// A scenario's text, to find places in it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What a parser says of a place.
    pub(crate) fn at(&self, span: Option<Range<usize>>, message: &str) -> ScenarioError {
        let (what, expected) = parted(message);
        let mut error = ScenarioError::new(&self.path, what, expected);
        if let Some(span) = span {
            self.place(&mut error, span.start);
        }
        error
    }

    /// What is wrong with a value, at the first place where the text has it after `key`.
    pub(crate) fn of(&self, key: &str, value: &str, what: String, expected: &str) -> ScenarioError {
        let mut error = ScenarioError::new(&self.path, what, expected);
        // What was set from outside has no place in the file.
        if let Some(key) = self.text.find(key)
            && let Some(place) = self.text.get(key..).unwrap_or_default().find(value)
        {
            self.place(&mut error, key + place);
        }
        error
    }

    fn place(&self, error: &mut ScenarioError, offset: usize) {
        let before = self.text.get(..offset).unwrap_or_default();
        error.line = before.matches('\n').count() + 1;
        error.column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
    }
}
