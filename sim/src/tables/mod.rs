//! The tables of a run: messages, contacts, nodes, transfers, ways, and how it went over time.
//!
//! Their columns are described in `sim/TABLES.md`; a test compares.

mod contact;
mod folder;
mod message;
mod node;
mod position;
mod run;
mod series;
mod transfer;

use std::str::FromStr;
use std::sync::Arc;

use chappe_wire::ByteCount;

pub(crate) use folder::failed;
pub use folder::{FolderError, Form, Tables, files, read, write};
pub(crate) use run::hex;
pub use run::{Label, PARAMETER, Parameter, REVISION, cost, figures, is_cost, is_label};

use crate::event::{MessageEvent, NodeIndex, SimTime};
use crate::frame::{Frame, Value};
use crate::log::Log;
use crate::movement::Leg;
use crate::radio::Preset;

/// Where, among whom and how long a run took place.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The nodes, in order.
    pub members: Vec<Member>,
    /// What was written.
    pub messages: Vec<MessageEvent>,
    /// The ways of the nodes; empty where contacts come from a trace.
    pub ways: Vec<Vec<Leg>>,
    /// When the run ended.
    pub end: SimTime,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Member {
    /// The name of its group; empty in a trace.
    pub group: Arc<str>,
    /// How much it can hold.
    pub buffer: ByteCount,
    /// Its radio; missing in a trace.
    pub radio: Option<Arc<Preset>>,
}

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Who was linked with whom, from when to when.
    Contact,
    /// What it has cost to compute: the one table that differs from time to time.
    Cost,
    /// What became of each message.
    Message,
    /// What each node did.
    Node,
    /// Where nodes turned.
    Position,
    /// The figures.
    Run,
    /// How it went over time.
    Series,
    /// Who handed what to whom.
    Transfer,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Contact,
        Self::Cost,
        Self::Message,
        Self::Node,
        Self::Position,
        Self::Run,
        Self::Series,
        Self::Transfer,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Cost => "cost",
            Self::Message => "message",
            Self::Node => "node",
            Self::Position => "position",
            Self::Run => "run",
            Self::Series => "series",
            Self::Transfer => "transfer",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no table `{text}`; expected one of {names}")
        })
    }
}

/// The table of this kind; `None` for those that do not follow from what happened.
pub fn of(kind: Kind, run: &str, surroundings: &Surroundings, log: &Log) -> Option<Frame> {
    Some(match kind {
        Kind::Contact => contact::table(run, surroundings, log),
        Kind::Message => message::table(run, surroundings, log),
        Kind::Node => node::table(run, surroundings, log),
        Kind::Position => position::table(run, surroundings),
        Kind::Series => series::table(run, surroundings, log),
        Kind::Transfer => transfer::table(run, log),
        Kind::Cost | Kind::Run => return None,
    })
}

fn node(node: NodeIndex) -> Value {
    Value::from(node.get())
}

fn seconds(at: SimTime) -> Value {
    Value::from(at.as_secs_f64())
}
