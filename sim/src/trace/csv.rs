//! Comma-separated tables, told apart by the names of their columns.
//!
//! - `start,end,a,b`: a contact a line, in any order; names of nodes are any numbers.
//! - `time,a,b,state`: an event a line, in order of time; `state` is `up` or `down`; an optional fifth column `rate` in
//!   bytes a second.
//! - `timestamp,user_a,user_b,rssi`: the Copenhagen Networks Study, scans of 5 minutes. Its `user_b` of -1 is an empty
//!   scan and -2 a device outside of the study; by its description neither is a contact between two nodes.

use std::collections::BTreeSet;

use super::intervals::Intervals;
use super::source::{self, Fault, Lines};
use crate::event::{ContactEvent, ContactTrace, TraceError};
use crate::units::Rate;

const COLUMNS: &str =
    "columns `start,end,a,b`, `time,a,b,state[,rate]` or `timestamp,user_a,user_b,rssi`";
/// Copenhagen Networks Study (Sapiezynski et al., Scientific Data 6, 315 (2019)): a scan each 5 minutes.
const SCAN_MICROS: u64 = 300_000_000;

/// Reads the table.
pub(super) fn contacts(lines: &mut Lines) -> Result<ContactTrace, TraceError> {
    let header = lines.next_or_comment()?.unwrap_or_default();
    let header = header.trim_start_matches('#').trim().to_ascii_lowercase();
    match columns(&header).as_slice() {
        ["start", "end", "a", "b"] => table(lines, interval),
        ["timestamp", "user_a", "user_b", "rssi"] => table(lines, scan),
        ["time", "a", "b", "state"] => events(lines, 4),
        ["time", "a", "b", "state", "rate"] => events(lines, 5),
        _ => Err(lines.refuse((format!("the header `{header}`"), COLUMNS))),
    }
}

/// Whether a first line looks like one of the headers.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.trim_start_matches('#').trim();
    line.contains(',') && line.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn columns(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).collect()
}

fn table(
    lines: &mut Lines,
    row: fn(&str, &mut Intervals) -> Result<(), Fault>,
) -> Result<ContactTrace, TraceError> {
    let mut intervals = Intervals::default();
    while let Some(line) = lines.next()? {
        row(line, &mut intervals).map_err(|fault| lines.refuse(fault))?;
    }
    Ok(intervals.into_trace())
}

fn interval(line: &str, intervals: &mut Intervals) -> Result<(), Fault> {
    let [start, end, a, b] = fields(line)?;
    let (start, end) = (
        source::time(start)?.as_micros(),
        source::time(end)?.as_micros(),
    );
    if start == end {
        return Err((
            format!("a contact of no length at {} s", start / 1_000_000),
            "an end after the start",
        ));
    }
    intervals.add(source::whole(a)?, source::whole(b)?, start, end)
}

fn scan(line: &str, intervals: &mut Intervals) -> Result<(), Fault> {
    let [at, a, b, _rssi] = fields(line)?;
    let start = source::time(at)?.as_micros();
    if matches!(b, "-1" | "-2") {
        return source::whole(a).map(|_| ());
    }
    intervals.add(
        source::whole(a)?,
        source::whole(b)?,
        start,
        start.saturating_add(SCAN_MICROS),
    )
}

fn events(lines: &mut Lines, width: usize) -> Result<ContactTrace, TraceError> {
    let mut trace = ContactTrace::default();
    let mut open = BTreeSet::new();
    while let Some(line) = lines.next()? {
        let contact = event(line, width);
        let contact = contact.and_then(|contact| {
            if contact.at < trace.end {
                return Err((
                    format!("{} after {}", contact.at, trace.end),
                    "times in order",
                ));
            }
            let pair = (contact.a.min(contact.b), contact.a.max(contact.b));
            let changed = if contact.up {
                open.insert(pair)
            } else {
                open.remove(&pair)
            };
            trace.nodes = trace.nodes.max(pair.1.get() + 1);
            trace.end = contact.at;
            match (changed, contact.up) {
                (true, _) => Ok(contact),
                (false, true) => Err(("`up` of a pair that is up".into(), "a `down` before it")),
                (false, false) => Err((
                    "`down` of a pair that is not up".into(),
                    "an `up` before it",
                )),
            }
        });
        trace
            .events
            .push(contact.map_err(|fault| lines.refuse(fault))?);
    }
    Ok(trace)
}

fn event(line: &str, width: usize) -> Result<ContactEvent, Fault> {
    let (at, a, b, state, rate) = if width == 5 {
        let [at, a, b, state, rate] = fields(line)?;
        let known = source::whole(rate)
            .ok()
            .and_then(Rate::from_bytes_per_second);
        let known = known.ok_or_else(|| (format!("rate `{rate}`"), "bytes a second, 1 or more"))?;
        (at, a, b, state, Some(known))
    } else {
        let [at, a, b, state] = fields(line)?;
        (at, a, b, state, None)
    };
    let (a, b) = source::pair(a, b)?;
    let up = match state {
        "up" => true,
        "down" => false,
        other => return Err((format!("`{other}`"), "`up` or `down`")),
    };
    Ok(ContactEvent {
        at: source::time(at)?,
        a,
        b,
        up,
        rate,
    })
}

fn fields<const N: usize>(line: &str) -> Result<[&str; N], Fault> {
    columns(line)
        .try_into()
        .map_err(|_| (format!("`{line}`"), "as many fields as the header has"))
}
