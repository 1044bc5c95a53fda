//! Many routers, links that come and go: everything reaches everyone, once.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_wire::Duration;
use common::{Net, sample};
use proptest::prelude::*;

const PEERS: usize = 10;
const EACH: u64 = 20;

fn all_have_all(net: &Net) -> bool {
    net.peers
        .iter()
        .all(|peer| (0..PEERS as u64 * EACH).all(|n| peer.router.holds(&sample(n).id)))
}

fn with_items() -> Net {
    let mut net = Net::new(PEERS);
    for number in 0..PEERS as u64 * EACH {
        net.add_own(number as usize % PEERS, &sample(number));
    }
    net
}

/// What was sent to somebody who had it already, because two neighbours sent it at the same moment.
fn duplicates(net: &Net) -> u64 {
    let stats = net.peers.iter().map(|peer| peer.router.stats());
    stats
        .map(|stats| stats.duplicates + stats.unsolicited)
        .sum()
}

#[test]
fn along_a_line_nothing_is_sent_twice() {
    let mut net = with_items();
    for peer in 1..PEERS {
        net.connect(peer - 1, peer);
    }
    net.run();
    assert!(all_have_all(&net));
    assert_eq!(duplicates(&net), 0);
    // Each item once over each link.
    assert_eq!(
        net.traffic.transfers.len(),
        (PEERS - 1) * PEERS * EACH as usize
    );
    assert!(net.traffic.transfers.values().all(|times| *times == 1));
}

#[test]
fn around_a_ring_few_are_sent_twice() {
    let mut net = with_items();
    for peer in 0..PEERS {
        net.connect(peer, (peer + 1) % PEERS);
    }
    net.run();
    assert!(all_have_all(&net));
    let needed = (PEERS as u64 - 1) * PEERS as u64 * EACH;
    assert!(net.traffic.transfers.values().all(|times| *times == 1));
    assert_eq!(net.traffic.count_of("transfer"), needed + duplicates(&net));
    assert!(duplicates(&net) * 10 <= needed, "{}", duplicates(&net));
}

#[test]
fn two_full_neighbours_share_the_work() {
    let mut net = Net::new(3);
    for number in 0..500 {
        net.add_own(0, &sample(number));
        net.add_own(1, &sample(number));
    }
    net.connect(0, 2);
    net.connect(1, 2);
    net.run();
    let from = |peer| {
        net.traffic
            .transfers
            .keys()
            .filter(|key| key.0 == peer)
            .count()
    };
    assert_eq!(net.peers[2].items.len(), 500);
    assert!(
        from(0) > 200 && from(1) > 200,
        "{} and {}",
        from(0),
        from(1)
    );
    assert!(duplicates(&net) <= 25, "{}", duplicates(&net));
}

#[test]
fn nothing_is_offered_back_to_where_it_came_from() {
    let mut net = Net::new(2);
    net.connect(0, 1);
    net.run();
    let before = net.traffic.count_of("offer");
    for number in 0..50 {
        net.add_own(0, &sample(number));
        net.run();
    }
    assert_eq!(net.peers[1].items.len(), 50);
    assert_eq!(net.traffic.count_of("offer") - before, 50);
}

#[test]
fn an_idle_mesh_is_silent() {
    let mut net = with_items();
    for peer in 0..PEERS {
        net.connect(peer, (peer + 1) % PEERS);
    }
    net.run();
    let before = net.traffic.steps;
    net.wait(Duration::from_minutes(9));
    net.run();
    assert_eq!(net.traffic.steps, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn churn_loses_nothing(
        script in prop::collection::vec((0..PEERS, 0..PEERS, 0u8..30), 60),
        newcomers in prop::collection::vec(0..PEERS, 60),
    ) {
        let mut net = with_items();
        let mut added = PEERS as u64 * EACH;
        for ((a, b, steps), at) in script.into_iter().zip(newcomers) {
            if a == b {
                continue;
            }
            if net.links.contains_key(&(a, b)) {
                net.disconnect(a, b);
            } else if !net.links.contains_key(&(b, a)) {
                net.connect(a, b);
            }
            net.add_own(at, &sample(added));
            added += 1;
            for _ in 0..steps {
                net.step();
            }
            net.wait(Duration::from_secs(5));
        }
        // The faults stop: once around, twice.
        for peer in (0..PEERS).chain(0..PEERS) {
            let next = (peer + 1) % PEERS;
            if !net.links.contains_key(&(peer, next)) && !net.links.contains_key(&(next, peer)) {
                net.connect(peer, next);
            }
        }
        net.run();
        for peer in &net.peers {
            prop_assert_eq!(peer.items.len() as u64, added);
            prop_assert_eq!(peer.router.stats().misbehaviour, 0);
        }
        // Custody is told honestly: everybody took everything.
        prop_assert!(net.peers.iter().all(|peer| peer.carriers.values().all(|c| *c >= 1)));
    }
}
