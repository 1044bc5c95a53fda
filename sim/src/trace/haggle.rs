//! CRAWDAD's Haggle tables: `a b start end [encounter gap]`, times in seconds.
//!
//! Entries need not be sorted. Both ends of a contact may have written it down: what overlaps is joined. An entry that
//! ends when it starts was seen in one scan only; it lasts one second here, the tables' unit.

use super::intervals::Intervals;
use super::source::{self, Fault, Lines};
use crate::event::{ContactTrace, TraceError};

const UNIT_MICROS: u64 = 1_000_000;

/// Reads the table.
pub(super) fn contacts(lines: &mut Lines) -> Result<ContactTrace, TraceError> {
    let mut intervals = Intervals::default();
    while let Some(line) = lines.next()? {
        sighting(line, &mut intervals).map_err(|fault| lines.refuse(fault))?;
    }
    Ok(intervals.into_trace())
}

fn sighting(line: &str, intervals: &mut Intervals) -> Result<(), Fault> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let ([a, b, start, end] | [a, b, start, end, _, _]) = fields.as_slice() else {
        return Err((format!("`{line}`"), "`a b start end [encounter gap]`"));
    };
    let (start, end) = (
        source::time(start)?.as_micros(),
        source::time(end)?.as_micros(),
    );
    let end = if end == start {
        end.saturating_add(UNIT_MICROS)
    } else {
        end
    };
    intervals.add(source::whole(a)?, source::whole(b)?, start, end)
}
