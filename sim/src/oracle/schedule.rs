//! A plan of single copies that share the air.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use super::Arrival;
use super::contacts::{Contacts, Window};
use crate::event::{MessageEvent, NodeIndex, SimTime};
use crate::table::Table;

/// When each message arrives if messages are planned in the order in which they are written, each on the foremost
/// journey that is left, and nodes take part in one transfer at a time.
pub(super) fn arrivals(
    contacts: &Contacts,
    messages: &[MessageEvent],
    ttl: Duration,
) -> Vec<Option<Arrival>> {
    let mut air = Table::new(vec![Busy::default(); contacts.nodes()]);
    messages
        .iter()
        .map(|message| {
            let (arrival, hops) = plan(contacts, &air, message, ttl)?;
            for hop in hops {
                for node in [hop.from, hop.to] {
                    air[node].reserve(hop.start, hop.end);
                }
            }
            Some(arrival)
        })
        .collect()
}

/// A transfer.
#[derive(Clone, Copy, Debug)]
struct Hop {
    from: NodeIndex,
    to: NodeIndex,
    start: SimTime,
    end: SimTime,
}

/// When a node is on the air: spans that do not overlap, by their beginning.
#[derive(Clone, Debug, Default)]
struct Busy {
    spans: BTreeMap<SimTime, SimTime>,
}

impl Busy {
    fn reserve(&mut self, start: SimTime, end: SimTime) {
        self.spans.insert(start, end);
    }

    /// The end of what overlaps with this span.
    fn until(&self, start: SimTime, end: SimTime) -> Option<SimTime> {
        let (_, until) = self.spans.range(..end).next_back()?;
        (*until > start).then_some(*until)
    }
}

fn plan(
    contacts: &Contacts,
    air: &Table<NodeIndex, Busy>,
    message: &MessageEvent,
    ttl: Duration,
) -> Option<(Arrival, Vec<Hop>)> {
    let deadline = message.at.after(ttl);
    let mut best = Table::new(vec![(SimTime::NEVER, u64::MAX); contacts.nodes()]);
    let mut came: Table<NodeIndex, Option<Hop>> = Table::new(vec![None; contacts.nodes()]);
    let mut waiting = BinaryHeap::new();
    best[message.from] = (message.at, 0);
    waiting.push(Reverse((message.at, 0, message.from)));
    while let Some(Reverse((at, hops, node))) = waiting.pop() {
        if node == message.to {
            let mut journey = Vec::new();
            let mut place = node;
            while let Some(hop) = came[place] {
                journey.push(hop);
                place = hop.from;
            }
            return Some((Arrival { at, hops }, journey));
        }
        if best[node] != (at, hops) {
            continue;
        }
        for (peer, windows) in contacts.of(node, at) {
            let both = [&air[node], &air[peer]];
            let mut slots = windows
                .iter()
                .take_while(|window| window.up <= deadline)
                .filter_map(|window| slot(window, at, window.time_for(message.size), both));
            let Some((start, end)) = slots.next().filter(|(_, end)| *end <= deadline) else {
                continue;
            };
            if (end, hops + 1) < best[peer] {
                best[peer] = (end, hops + 1);
                came[peer] = Some(Hop {
                    from: node,
                    to: peer,
                    start,
                    end,
                });
                waiting.push(Reverse((end, hops + 1, peer)));
            }
        }
    }
    None
}

/// The first span of this length, not before `at` and within the window, in which neither node is busy.
fn slot(
    window: &Window,
    at: SimTime,
    length: Duration,
    nodes: [&Busy; 2],
) -> Option<(SimTime, SimTime)> {
    let mut start = at.max(window.up);
    loop {
        let end = start.after(length);
        if end > window.down {
            return None;
        }
        let busy = nodes.into_iter().filter_map(|node| node.until(start, end));
        match busy.max() {
            Some(until) => start = until,
            None => return Some((start, end)),
        }
    }
}
