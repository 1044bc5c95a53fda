//! Contacts told as intervals, and their joining into events.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Fault;
use crate::event::{ContactEvent, ContactTrace, NodeIndex, SimTime};

/// Contacts of a table: who, and from when until when. Names of nodes are any numbers.
#[derive(Default)]
pub(super) struct Intervals {
    of_pairs: BTreeMap<(u64, u64), Vec<(u64, u64)>>,
    names: BTreeSet<u64>,
}

impl Intervals {
    /// A contact from `start` to `end`, in microseconds that may be counted from anywhere.
    pub(super) fn add(&mut self, a: u64, b: u64, start: u64, end: u64) -> Result<(), Fault> {
        if a == b {
            return Err((format!("node {a} with itself"), "two nodes"));
        }
        if end < start {
            let what = format!("an end {} s before the start", (start - end) as f64 / 1e6);
            return Err((what, "an end after the start"));
        }
        let pair = (a.min(b), a.max(b));
        self.names.extend([a, b]);
        self.of_pairs.entry(pair).or_default().push((start, end));
        Ok(())
    }

    /// The events. The earliest start is time 0; names sorted by number become 0 to N less one; intervals of one pair that
    /// touch or overlap are joined; at one instant `down` comes before `up`, then pairs in order.
    pub(super) fn into_trace(self) -> ContactTrace {
        let indices: BTreeMap<u64, NodeIndex> = self
            .names
            .iter()
            .copied()
            .zip((0..).map(NodeIndex::new))
            .collect();
        let starts = self.of_pairs.values().flatten().map(|(start, _)| *start);
        let zero = starts.min().unwrap_or(0);
        let at = |micros: u64| SimTime::from_micros(micros - zero);
        let rate = None;
        let mut events = Vec::new();
        for ((a, b), mut intervals) in self.of_pairs {
            let (Some(&a), Some(&b)) = (indices.get(&a), indices.get(&b)) else {
                continue;
            };
            intervals.sort_unstable();
            for (start, end) in joined(intervals) {
                events.push(ContactEvent {
                    at: at(start),
                    a,
                    b,
                    up: true,
                    rate,
                });
                events.push(ContactEvent {
                    at: at(end),
                    a,
                    b,
                    up: false,
                    rate,
                });
            }
        }
        events.sort_unstable_by_key(|event| (event.at, event.up, event.a, event.b));
        ContactTrace {
            nodes: indices.len() as u32,
            end: events.last().map_or(SimTime::ZERO, |event| event.at),
            events,
        }
    }
}

/// Joins what touches, of a sorted list.
fn joined(intervals: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(intervals.len());
    for (start, end) in intervals {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}
