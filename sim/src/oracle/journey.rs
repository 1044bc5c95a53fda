//! Journeys of a message that is alone in the network: the foremost one, and the one of fewest hops.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::Arrival;
use super::contacts::Contacts;
use crate::event::{MessageEvent, NodeIndex, SimTime};
use crate::table::Table;

/// The earliest arrival, and of those of one instant the one of fewest hops: Dijkstra's algorithm over times of arrival,
/// which is right because nobody who has a message earlier can pass it on later.
pub(super) fn foremost(
    contacts: &Contacts,
    message: &MessageEvent,
    ttl: Duration,
) -> Option<Arrival> {
    let deadline = message.at.after(ttl);
    let mut best = Table::new(vec![(SimTime::NEVER, u64::MAX); contacts.nodes()]);
    let mut waiting = BinaryHeap::new();
    best[message.from] = (message.at, 0);
    waiting.push(Reverse((message.at, 0, message.from)));
    while let Some(Reverse((at, hops, node))) = waiting.pop() {
        if node == message.to {
            return Some(Arrival { at, hops });
        }
        if best[node] != (at, hops) {
            continue;
        }
        for (peer, arrival) in next(contacts, message, node, at, deadline) {
            if (arrival, hops + 1) < best[peer] {
                best[peer] = (arrival, hops + 1);
                waiting.push(Reverse((arrival, hops + 1, peer)));
            }
        }
    }
    None
}

/// The arrival by the fewest hops, and the earliest of those: all nodes that are reached earlier by one hop more, until
/// the destination is among them.
pub(super) fn fewest_hops(
    contacts: &Contacts,
    message: &MessageEvent,
    ttl: Duration,
) -> Option<Arrival> {
    let deadline = message.at.after(ttl);
    let mut best = Table::new(vec![SimTime::NEVER; contacts.nodes()]);
    best[message.from] = message.at;
    let mut reached = vec![(message.from, message.at)];
    for hops in 1.. {
        let mut news: Vec<NodeIndex> = Vec::new();
        let mut earlier = best.clone();
        for (node, at) in reached {
            for (peer, arrival) in next(contacts, message, node, at, deadline) {
                if arrival < earlier[peer] {
                    earlier[peer] = arrival;
                    news.push(peer);
                }
            }
        }
        best = earlier;
        if best[message.to] < SimTime::NEVER {
            let at = best[message.to];
            return Some(Arrival { at, hops });
        }
        news.sort_unstable();
        news.dedup();
        if news.is_empty() {
            return None;
        }
        reached = news.into_iter().map(|node| (node, best[node])).collect();
    }
    None
}

/// When each neighbour can have a message at the earliest that is at `node` at `at`.
fn next(
    contacts: &Contacts,
    message: &MessageEvent,
    node: NodeIndex,
    at: SimTime,
    deadline: SimTime,
) -> impl Iterator<Item = (NodeIndex, SimTime)> {
    contacts.of(node, at).filter_map(move |(peer, windows)| {
        let mut arrivals = windows.iter().take_while(|window| window.up <= deadline);
        let arrival = arrivals.find_map(|window| {
            let arrival = at.max(window.up).after(window.time_for(message.size));
            (arrival <= window.down).then_some(arrival)
        })?;
        (arrival <= deadline).then_some((peer, arrival))
    })
}
