//! The ONE's event lines (`StandardEventsReader`): `time CONN a b up|down [interface]` and
//! `time C id from to size [response]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chappe_wire::ByteCount;

use super::source::Lines;
use crate::event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex, SimTime,
    TraceError,
};
use crate::units::decimal;

const CONTACT: &str = "`time CONN a b up|down`";
const MESSAGE: &str = "`time C id from to size`";
/// No trace has more nodes.
const MAX_NODE: u32 = 16_000_000;

/// Reads contacts. The trace ends with its last line.
pub(super) fn contacts(path: &Path) -> Result<ContactTrace, TraceError> {
    let mut trace = ContactTrace::default();
    let mut open = BTreeMap::new();
    let mut lines = Lines::open(path)?;
    while let Some((number, line)) = lines.next()? {
        let bad = |what: String, expected: &str| Err(TraceError::new(path, number, what, expected));
        let mut fields = line.split_ascii_whitespace();
        let (Some(at), Some("CONN"), Some(a), Some(b), Some(state)) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return bad(format!("`{line}`"), CONTACT);
        };
        let Some(at) = time(at) else {
            return bad(format!("time `{at}`"), "seconds, not negative");
        };
        let (Some(a), Some(b)) = (node(a), node(b)) else {
            return bad(format!("nodes `{a}` and `{b}`"), "two numbers of nodes");
        };
        if at < trace.end {
            return bad(format!("{at} after {}", trace.end), "times in order");
        }
        if a == b {
            return bad(format!("node {a} meets itself"), "two nodes");
        }
        let pair = (a.min(b), a.max(b));
        let up = match state {
            "up" => true,
            "down" => false,
            _ => return bad(format!("`{state}`"), "`up` or `down`"),
        };
        let radios = open.entry(pair).or_insert(Radios::default());
        let Some(changed) = radios.change(up) else {
            return bad(
                format!("`down` of {a} and {b}, which are not up"),
                "an `up` before it",
            );
        };
        trace.nodes = trace.nodes.max(pair.1.get() + 1);
        trace.end = at;
        let rate = None;
        if changed {
            trace.events.push(ContactEvent { at, a, b, up, rate });
        }
    }
    Ok(trace)
}

/// Reads messages.
pub(super) fn messages(path: &Path) -> Result<Vec<MessageEvent>, TraceError> {
    let mut messages: Vec<MessageEvent> = Vec::new();
    let mut names = BTreeSet::new();
    let mut lines = Lines::open(path)?;
    while let Some((number, line)) = lines.next()? {
        let bad = |what: String, expected: &str| Err(TraceError::new(path, number, what, expected));
        let mut fields = line.split_ascii_whitespace();
        let (Some(at), Some("C"), Some(name), Some(from), Some(to), Some(size)) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return bad(format!("`{line}`"), MESSAGE);
        };
        let Some(at) = time(at) else {
            return bad(format!("time `{at}`"), "seconds, not negative");
        };
        let (Some(from), Some(to)) = (node(from), node(to)) else {
            return bad(format!("nodes `{from}` and `{to}`"), "two numbers of nodes");
        };
        let Some(size) = size.parse().ok().map(ByteCount::new) else {
            return bad(format!("size `{size}`"), "bytes, not negative");
        };
        if let Some(last) = messages.last().filter(|last| at < last.at) {
            return bad(format!("{at} after {}", last.at), "times in order");
        }
        if from == to {
            return bad(format!("node {from} writes to itself"), "two nodes");
        }
        let name = MessageName::new(name);
        if !names.insert(name.clone()) {
            return bad(
                format!("message `{name}` a second time"),
                "a name for each message",
            );
        }
        let Ok(index) = u32::try_from(messages.len()).map(MessageIndex::new) else {
            return bad("more than 4 billion messages".into(), "fewer");
        };
        messages.push(MessageEvent {
            at,
            index,
            name,
            from,
            to,
            size,
        });
    }
    Ok(messages)
}

/// The radios by which a pair is linked. A trace of two radios tells of each, in the same words; as The ONE takes it
/// back in, the contact begins with the first `up` and ends with the first `down`.
#[derive(Clone, Copy, Default)]
struct Radios {
    up: u32,
    linked: bool,
}

impl Radios {
    /// Whether the contact begins or ends now; `None` for a `down` without an `up`.
    fn change(&mut self, up: bool) -> Option<bool> {
        self.up = if up {
            self.up.saturating_add(1)
        } else {
            self.up.checked_sub(1)?
        };
        let changed = self.linked != up;
        self.linked = up;
        Some(changed)
    }
}

fn time(text: &str) -> Option<SimTime> {
    decimal(text, 1_000_000).map(SimTime::from_micros)
}

fn node(text: &str) -> Option<NodeIndex> {
    let number = text.parse().ok().filter(|number| *number < MAX_NODE)?;
    Some(NodeIndex::new(number))
}
