//! SocioPatterns' `t i j [class class]`: badges `i` and `j` face to face during the 20 s that end at `t`.

use super::intervals::Intervals;
use super::source::{self, Fault, Lines};
use crate::event::{ContactTrace, TraceError};

/// The badges' resolution (Cattuto et al., PLoS ONE 5(7), 2010).
const SLOT_MICROS: u64 = 20_000_000;

/// Reads the table, sorted by time as it is published.
pub(super) fn contacts(lines: &mut Lines) -> Result<ContactTrace, TraceError> {
    let mut intervals = Intervals::default();
    let mut now = 0;
    while let Some(line) = lines.next()? {
        let added = slot(line, &mut now, &mut intervals);
        added.map_err(|fault| lines.refuse(fault))?;
    }
    Ok(intervals.into_trace())
}

fn slot(line: &str, now: &mut u64, intervals: &mut Intervals) -> Result<(), Fault> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let ([t, i, j] | [t, i, j, _, _]) = fields.as_slice() else {
        return Err((format!("`{line}`"), "`t i j` or `t i j class class`"));
    };
    let end = source::time(t)?.as_micros();
    if end < *now {
        return Err((
            format!("time {t} after {}", *now / 1_000_000),
            "times in order",
        ));
    }
    *now = end;
    let start = end.checked_sub(SLOT_MICROS);
    let start = start.ok_or_else(|| (format!("time {t}"), "20 s or more: a slot's end"))?;
    intervals.add(source::whole(i)?, source::whole(j)?, start, end)
}
