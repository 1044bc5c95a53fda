//! Contacts as spans of time, by pair and by node.

use std::collections::BTreeMap;
use std::time::Duration;

use chappe_wire::ByteCount;

use crate::event::{ContactTrace, NodeIndex, SimTime};
use crate::table::Table;
use crate::units::Rate;

/// Transfers are rounded up to this.
const GRAIN: u128 = 100_000;

/// All contacts.
pub(super) struct Contacts {
    pub(super) spans: Vec<Span>,
    neighbours: Table<NodeIndex, Vec<(NodeIndex, Vec<Window>)>>,
}

/// A contact of two nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) pair: (NodeIndex, NodeIndex),
    pub(super) window: Window,
}

/// From when to when two nodes are in reach, and how fast they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) up: SimTime,
    pub(super) down: SimTime,
    rate: Rate,
}

impl Window {
    /// How long a transfer takes.
    pub(super) fn time_for(&self, size: ByteCount) -> Duration {
        let micros = self.rate.time_for(size).as_micros().div_ceil(GRAIN) * GRAIN;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Contacts {
    pub(super) fn new(trace: &ContactTrace, rate: Rate) -> Self {
        let mut open = BTreeMap::new();
        let mut spans = Vec::new();
        for event in &trace.events {
            let pair = (event.a.min(event.b), event.a.max(event.b));
            let rate = event.rate.unwrap_or(rate);
            if event.up {
                open.entry(pair).or_insert((event.at, rate));
            } else if let Some((up, rate)) = open.remove(&pair) {
                let down = event.at;
                let window = Window { up, down, rate };
                spans.push(Span { pair, window });
            }
        }
        // Contacts that are open at the end end with the trace.
        for (pair, (up, rate)) in open {
            let down = trace.end;
            let window = Window { up, down, rate };
            spans.push(Span { pair, window });
        }
        let mut by_node = vec![BTreeMap::<_, Vec<_>>::new(); trace.nodes as usize];
        for span in &spans {
            let (a, b) = span.pair;
            for (node, peer) in [(a, b), (b, a)] {
                if let Some(neighbours) = by_node.get_mut(node.as_usize()) {
                    neighbours.entry(peer).or_default().push(span.window);
                }
            }
        }
        let in_order = |neighbours: BTreeMap<NodeIndex, Vec<Window>>| {
            let sorted = neighbours.into_iter().map(|(peer, mut windows)| {
                windows.sort_by_key(|window| window.up);
                (peer, windows)
            });
            sorted.collect()
        };
        Self {
            spans,
            neighbours: Table::new(by_node.into_iter().map(in_order).collect()),
        }
    }

    pub(super) fn nodes(&self) -> usize {
        self.neighbours.len()
    }

    /// Whom a node meets after `from`, and in which windows.
    pub(super) fn of(
        &self,
        node: NodeIndex,
        from: SimTime,
    ) -> impl Iterator<Item = (NodeIndex, &[Window])> {
        self.neighbours[node].iter().map(move |(peer, windows)| {
            let past = windows.partition_point(|window| window.down < from);
            (*peer, windows.get(past..).unwrap_or_default())
        })
    }
}
