//! What a simulation is made of: times, nodes, contacts, messages; and what is wrong with a file of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chappe_wire::ByteCount;

use crate::units::Rate;

/// Microseconds since the beginning of the simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

impl SimTime {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// Later than everything.
    pub const NEVER: Self = Self(u64::MAX);

    /// This many microseconds after the beginning.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// This many seconds after the beginning.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the beginning.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Seconds since the beginning, for people and statistics.
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This much later, or [`SimTime::NEVER`].
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_micros() as u64))
    }

    /// How long ago `earlier` was; zero if it is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_secs_f64())
    }
}

/// A node: 0 to the number of nodes less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u32);

impl NodeIndex {
    /// The node with this number.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number as a place in a list.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Two nodes come into reach of one another, or leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactEvent {
    /// When.
    pub at: SimTime,
    /// The node that is named first.
    pub a: NodeIndex,
    /// The other node.
    pub b: NodeIndex,
    /// True where the contact begins.
    pub up: bool,
    /// The rate of this contact, where the trace tells.
    pub rate: Option<Rate>,
}

/// All contacts of a simulation, in order of time; among those of one instant in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactTrace {
    /// How many nodes there are. Nodes are 0 to `nodes` less one.
    pub nodes: u32,
    /// What happens.
    pub events: Vec<ContactEvent>,
    /// When the trace ends. Contacts that are open then end with it.
    pub end: SimTime,
}

impl ContactTrace {
    /// Whether messages speak only of nodes that are here.
    ///
    /// # Errors
    /// [`UnknownNode`].
    pub fn check(&self, messages: &[MessageEvent]) -> Result<(), UnknownNode> {
        let nodes = self.nodes;
        for message in messages {
            for node in [message.from, message.to] {
                if node.get() >= nodes {
                    let message = message.name.clone();
                    return Err(UnknownNode {
                        message,
                        node,
                        nodes,
                    });
                }
            }
        }
        Ok(())
    }
}

/// A message's place in the list of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIndex(u32);

impl MessageIndex {
    /// The message with this place.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The place.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place as a place in a list.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// What a trace calls a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageName(Box<str>);

impl MessageName {
    /// The message that is called this.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A node writes a message to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageEvent {
    /// When.
    pub at: SimTime,
    /// Its place in the list.
    pub index: MessageIndex,
    /// What the trace calls it.
    pub name: MessageName,
    /// Who writes it.
    pub from: NodeIndex,
    /// Whom it is for.
    pub to: NodeIndex,
    /// Its size.
    pub size: ByteCount,
}

/// A message speaks of a node that the contacts do not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "message `{message}` names node {node}; expected a node below {nodes}, as the contacts have them"
)]
pub struct UnknownNode {
    message: MessageName,
    node: NodeIndex,
    nodes: u32,
}

/// What is wrong with a file, where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}; expected {expected}", place(file, *line))]
pub struct TraceError {
    /// Which file.
    pub file: PathBuf,
    /// Which line, from 1; 0 where the file as a whole is meant.
    pub line: u64,
    /// What is there.
    pub what: String,
    /// What should be there.
    pub expected: String,
}

/// A file, and a line of it where one is meant.
fn place(file: &Path, line: u64) -> String {
    let file = file.display();
    match line {
        0 => file.to_string(),
        line => format!("{file}:{line}"),
    }
}

impl TraceError {
    /// In `line` of `file` there is `what` in place of `expected`.
    pub fn new(
        file: &Path,
        line: u64,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
            expected: expected.into(),
        }
    }
}
