//! Flooding in no time.

use std::time::Duration;

use petgraph::graphmap::UnGraphMap;
use petgraph::visit::Dfs;

use super::Arrival;
use super::contacts::Contacts;
use crate::bits::Bits;
use crate::event::{ContactTrace, MessageEvent, MessageIndex, NodeIndex, SimTime};
use crate::table::Table;

/// When each message arrives. At each instant contacts begin, then end, then messages are written.
pub(super) fn arrivals(
    trace: &ContactTrace,
    contacts: &Contacts,
    messages: &[MessageEvent],
    ttl: Duration,
) -> Vec<Option<Arrival>> {
    let mut changes: Vec<(SimTime, Change)> = Vec::new();
    for span in &contacts.spans {
        changes.push((span.window.up, Change::Up(span.pair)));
        changes.push((span.window.down, Change::Down(span.pair)));
    }
    for message in messages {
        changes.push((message.at, Change::Written(message.index)));
    }
    changes.sort_unstable();
    let mut flood = Flood {
        messages,
        ttl,
        graph: UnGraphMap::new(),
        have: Table::new(vec![Bits::new(messages.len()); trace.nodes as usize]),
        arrivals: Table::new(vec![None; messages.len()]),
    };
    for node in 0..trace.nodes {
        flood.graph.add_node(NodeIndex::new(node));
    }
    for (at, change) in changes {
        flood.apply(at, change);
    }
    flood.arrivals.into_values()
}

/// In the order in which they count within one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Up((NodeIndex, NodeIndex)),
    Down((NodeIndex, NodeIndex)),
    Written(MessageIndex),
}

struct Flood<'a> {
    messages: &'a [MessageEvent],
    ttl: Duration,
    /// Who is in reach of whom, and by how many contacts: two may touch.
    graph: UnGraphMap<NodeIndex, u32>,
    /// The same for all nodes of a component.
    have: Table<NodeIndex, Bits>,
    arrivals: Table<MessageIndex, Option<Arrival>>,
}

impl Flood<'_> {
    fn apply(&mut self, at: SimTime, change: Change) {
        match change {
            Change::Up((a, b)) => {
                let contacts = self.graph.edge_weight(a, b).copied().unwrap_or(0);
                self.graph.add_edge(a, b, contacts + 1);
                if self.have[a] != self.have[b] {
                    let mut all = self.have[a].clone();
                    all.unite(&self.have[b]);
                    self.spread(at, a, &all);
                }
            }
            Change::Down((a, b)) => {
                let contacts = self.graph.remove_edge(a, b).unwrap_or(0);
                if contacts > 1 {
                    self.graph.add_edge(a, b, contacts - 1);
                }
            }
            Change::Written(message) => {
                if let Some(event) = self.messages.get(message.as_usize()) {
                    let mut all = self.have[event.from].clone();
                    all.insert(message.get());
                    self.spread(at, event.from, &all);
                }
            }
        }
    }

    fn spread(&mut self, at: SimTime, from: NodeIndex, all: &Bits) {
        let mut reached = Dfs::new(&self.graph, from);
        while let Some(node) = reached.next(&self.graph) {
            let mut news = all.clone();
            news.subtract(&self.have[node]);
            for index in news.iter().map(MessageIndex::new) {
                let event = self.messages.get(index.as_usize());
                if event.is_some_and(|event| event.to == node && at.since(event.at) <= self.ttl) {
                    self.arrivals[index] = Some(Arrival { at, hops: 0 });
                }
            }
            self.have[node].unite(&news);
        }
    }
}
