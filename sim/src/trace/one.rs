//! The ONE's event lines (`StandardEventsReader`): `time CONN a b up|down [interface]` and
//! `time C id from to size [response]`.
//!
//! Lines are in order of time. A file may hold both kinds: each reader checks every line and keeps its own kind. The
//! other kinds (`S`, `DE`, `A`, `DR`, `R`) drive The ONE's passive routers only and are refused.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use chappe_wire::ByteCount;

use super::source::{self, Fault, Lines};
use crate::event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, SimTime, TraceError,
};

/// No message is larger.
const MAX_SIZE: u64 = 1_000_000_000_000;
const SIZE: &str = "bytes, not negative, up to 1,000 GB";
const EVENT: &str = "`time CONN a b up|down` or `time C id from to size`";

/// Reads contacts. The trace ends with its last line.
pub(super) fn contacts(lines: &mut Lines) -> Result<ContactTrace, TraceError> {
    let mut trace = ContactTrace::default();
    let mut links = HashMap::new();
    while let Some(line) = lines.next()? {
        let event = event(line).and_then(|event| in_order(event, &mut trace.end));
        let contact = match event.map_err(|fault| lines.refuse(fault))? {
            Event::Contact(contact) => contact,
            Event::Message { .. } => continue,
        };
        let pair = (contact.a.min(contact.b), contact.a.max(contact.b));
        trace.nodes = trace.nodes.max(pair.1.get() + 1);
        let radios = links.entry(pair).or_insert(Radios::default());
        let changed = radios
            .change(contact.up, lines.number())
            .map_err(|fault| lines.refuse(fault))?;
        if changed {
            trace.events.push(contact);
        }
    }
    if let Some((number, fault)) = links.values().filter_map(Radios::unmatched).min() {
        return Err(lines.refuse_line(number, fault));
    }
    Ok(trace)
}

/// Reads messages. Where the number of nodes is known, a message of any other node is refused.
pub(super) fn messages(
    lines: &mut Lines,
    nodes: Option<u32>,
) -> Result<Vec<MessageEvent>, TraceError> {
    let mut messages: Vec<MessageEvent> = Vec::new();
    let mut names = HashSet::new();
    let mut now = SimTime::ZERO;
    while let Some(line) = lines.next()? {
        let event = event(line).and_then(|event| in_order(event, &mut now));
        let message = match event.map_err(|fault| lines.refuse(fault))? {
            Event::Message(message) => message,
            Event::Contact(_) => continue,
        };
        let highest = message.from.max(message.to);
        if nodes.is_some_and(|nodes| highest.get() >= nodes) {
            let what = format!("node {highest}, which is not in the contacts");
            return Err(lines.refuse((what, "a node that the contacts have")));
        }
        if !names.insert(message.name.clone()) {
            let what = format!("message `{}` a second time", message.name);
            return Err(lines.refuse((what, "a name for each message")));
        }
        let index = u32::try_from(messages.len()).map(MessageIndex::new);
        let index =
            index.map_err(|_| lines.refuse(("more than 4 billion messages".into(), "fewer")))?;
        messages.push(MessageEvent { index, ..message });
    }
    if messages.is_empty() {
        let what = "not one message".to_owned();
        return Err(lines.refuse((what, "`time C id from to size`")));
    }
    Ok(messages)
}

/// Writes contacts as [`super::read_contacts`] and The ONE read them.
///
/// # Errors
/// What the writer says.
pub fn write_contacts(
    out: &mut dyn Write,
    contacts: impl IntoIterator<Item = ContactEvent>,
) -> io::Result<()> {
    for ContactEvent { at, a, b, up, .. } in contacts {
        let state = if up { "up" } else { "down" };
        writeln!(out, "{} CONN {a} {b} {state}", Seconds(at))?;
    }
    Ok(())
}

/// Writes messages as [`super::read_messages`] and The ONE read them.
///
/// # Errors
/// What the writer says.
pub fn write_messages(
    out: &mut dyn Write,
    messages: impl IntoIterator<Item = MessageEvent>,
) -> io::Result<()> {
    for message in messages {
        let at = Seconds(message.at);
        let (name, from, to) = (message.name, message.from, message.to);
        writeln!(out, "{at} C {name} {from} {to} {}", message.size.get())?;
    }
    Ok(())
}

/// A time in seconds, with as many decimals as it needs.
pub(super) struct Seconds(pub(super) SimTime);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}", micros / 1_000_000)?;
        match micros % 1_000_000 {
            0 => Ok(()),
            fraction => write!(f, ".{}", format!("{fraction:06}").trim_end_matches('0')),
        }
    }
}

enum Event {
    Contact(ContactEvent),
    Message(MessageEvent),
}

fn event(line: &str) -> Result<Event, Fault> {
    let mut fields = line.split_ascii_whitespace();
    let mut field = || fields.next().ok_or_else(|| (format!("`{line}`"), EVENT));
    let (at, kind) = (source::time(field()?)?, field()?);
    match kind {
        "CONN" => {
            let (a, b) = source::pair(field()?, field()?)?;
            let up = match field()? {
                "up" => true,
                "down" => false,
                other => return Err((format!("`{other}`"), "`up` or `down`")),
            };
            // A radio's number or name may follow; all have one rate here.
            let _radio = fields.next();
            ended(fields.next())?;
            let rate = None;
            Ok(Event::Contact(ContactEvent { at, a, b, up, rate }))
        }
        "C" => {
            let name = MessageName::new(field()?);
            let (from, to) = source::pair(field()?, field()?)?;
            let size = field()?;
            let size = source::whole(size)
                .ok()
                .filter(|bytes| *bytes <= MAX_SIZE)
                .ok_or_else(|| (format!("size `{size}`"), SIZE))?;
            match fields.next() {
                None | Some("0") => {}
                Some(size) => {
                    let what = format!("a response of `{size}` bytes");
                    return Err((what, "none, or 0: nobody answers here"));
                }
            }
            ended(fields.next())?;
            Ok(Event::Message(MessageEvent {
                at,
                index: MessageIndex::new(0),
                name,
                from,
                to,
                size: ByteCount::new(size),
            }))
        }
        other => Err((format!("an event of kind `{other}`"), EVENT)),
    }
}

/// A line goes on after its last field.
fn ended(rest: Option<&str>) -> Result<(), Fault> {
    rest.map_or(Ok(()), |rest| Err((format!("`{rest}`"), "the line's end")))
}

fn in_order(event: Event, now: &mut SimTime) -> Result<Event, Fault> {
    let at = match &event {
        Event::Contact(contact) => contact.at,
        Event::Message(message) => message.at,
    };
    if at < *now {
        return Err((format!("{at} after {now}"), "times in order"));
    }
    *now = at;
    Ok(event)
}

/// The radios by which a pair is linked. A trace of two radios tells of each, in the same words; as The ONE takes it
/// back in, the contact begins with the first `up` and ends with the first `down`. A second `up` that no `down` belongs
/// to is a mistake.
#[derive(Clone, Copy, Default)]
struct Radios {
    up: u32,
    linked: bool,
    second: u64,
}

impl Radios {
    /// Whether the contact begins or ends now.
    fn change(&mut self, up: bool, line: u64) -> Result<bool, Fault> {
        self.up = if up {
            self.up.saturating_add(1)
        } else {
            self.up.checked_sub(1).ok_or_else(|| {
                (
                    "`down` of a pair that is not up".to_owned(),
                    "an `up` before it",
                )
            })?
        };
        if up && self.up == 2 {
            self.second = line;
        }
        let changed = self.linked != up;
        self.linked = up;
        Ok(changed)
    }

    /// The line of a second `up` without a `down` of its own.
    fn unmatched(&self) -> Option<(u64, Fault)> {
        let open = self.up > 1 || (self.up == 1 && !self.linked);
        let what = "`up` of a pair that is up, without a `down` of its own";
        open.then(|| (self.second, (what.to_owned(), "a `down` before it")))
    }
}
