//! Two stores that meet end up equal, exactly, and nothing is sent that the other end has.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use std::collections::BTreeSet;

use chappe_wire::ItemId;
use common::{Net, sample};
use proptest::prelude::*;

/// Peers 0 and 1 share items 0..common, and have some of their own besides.
fn stores(common: u64, first: u64, second: u64) -> Net {
    let mut net = Net::new(2);
    for number in 0..common {
        net.add_own(0, &sample(number));
        net.add_own(1, &sample(number));
    }
    for number in common..common + first {
        net.add_own(0, &sample(number));
    }
    for number in common + first..common + first + second {
        net.add_own(1, &sample(number));
    }
    net
}

fn ids(net: &Net, peer: usize) -> BTreeSet<ItemId> {
    net.peers[peer].items.keys().copied().collect()
}

/// Each item of the difference was sent once, from the end that had it, and no other was sent.
fn assert_exact(net: &Net, common: u64, first: u64, second: u64) {
    let everything: BTreeSet<ItemId> = (0..common + first + second)
        .map(|number| sample(number).id)
        .collect();
    assert_eq!(ids(net, 0), everything);
    assert_eq!(ids(net, 1), everything);
    let from_first = (common..common + first).map(|n| ((0, 1, sample(n).id), 1));
    let from_second = (common + first..common + first + second).map(|n| ((1, 0, sample(n).id), 1));
    assert_eq!(
        net.traffic.transfers,
        from_first.chain(from_second).collect()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_two_stores_become_equal(
        common in prop_oneof![0u64..50, 0u64..3_000],
        first in prop_oneof![0u64..4, 0u64..60, 0u64..3_000],
        second in prop_oneof![0u64..4, 0u64..60, 0u64..3_000],
        step_by_step: bool,
    ) {
        let mut net = stores(common, first, second);
        net.connect(0, 1);
        if step_by_step {
            net.run();
        } else {
            net.run_in_turns(0, 1);
        }
        assert_exact(&net, common, first, second);
        prop_assert_eq!(net.peers[0].router.stats().ignored, 0);
        prop_assert_eq!(net.peers[1].router.stats().ignored, 0);
        prop_assert_eq!(net.peers[1].router.stats().withheld, 0);
    }
}

#[test]
fn cells_on_their_way_when_enough_was_read_are_passed_over() {
    let mut net = stores(2_073, 0, 999);
    net.connect(0, 1);
    net.run_in_turns(0, 1);
    assert_exact(&net, 2_073, 0, 999);
    assert_eq!(net.peers[0].router.stats().ignored, 0);
}

#[test]
fn every_small_combination_becomes_equal() {
    for common in [0, 1, 2, 70, 200] {
        for first in [0, 1, 2, 100] {
            for second in [0, 1, 2, 100] {
                let mut net = stores(common, first, second);
                net.connect(0, 1);
                net.run();
                assert_exact(&net, common, first, second);
            }
        }
    }
}

/// Bytes until both ends know, in ascending order, of 24 links between the same stores; each has another salt. In one
/// flight each way but where an estimate was too low.
fn costs(common: u64, first: u64, second: u64) -> Vec<u64> {
    let mut costs = Vec::new();
    for _ in 0..24 {
        let mut net = stores(common, first, second);
        net.skip_links(costs.len() as u64);
        net.connect(0, 1);
        net.run_in_turns(0, 1);
        assert_exact(&net, common, first, second);
        assert!(net.traffic.turns_until_known <= 3);
        costs.push(net.traffic.bytes_until_known);
    }
    costs.sort_unstable();
    costs
}

#[test]
fn ten_differences_in_ten_thousand_cost_at_most_400_bytes_and_one_flight_each_way() {
    for (first, second) in [(5, 5), (10, 0), (0, 10)] {
        let costs = costs(10_000, first, second);
        assert!(costs[12] <= 400, "{costs:?} for {first} and {second}");
        assert!(costs[22] <= 650, "{costs:?} for {first} and {second}");
    }
    let mut net = stores(10_000, 5, 5);
    net.connect(0, 1);
    net.run_in_turns(0, 1);
    assert_eq!(net.traffic.turns_until_known, 2);
}

#[test]
fn a_thousand_differences_in_ten_thousand_cost_at_most_30_bytes_each() {
    let mut net = stores(10_000, 500, 500);
    net.connect(0, 1);
    net.run_in_turns(0, 1);
    let bytes = net.traffic.bytes_until_known;
    assert!(bytes <= 30 * 1_000, "{bytes} bytes");
    assert_exact(&net, 10_000, 500, 500);
}

#[test]
fn a_neighbour_who_tells_no_outline_costs_more_and_is_understood() {
    let mut net = stores(10_000, 5, 5);
    net.outlines = false;
    net.connect(0, 1);
    net.run_in_turns(0, 1);
    let bytes = net.traffic.reconciliation_bytes();
    assert!(bytes <= 1_200, "{bytes} bytes");
    assert_exact(&net, 10_000, 5, 5);
}

#[test]
fn a_sketch_that_is_too_small_is_made_good_by_cells() {
    // Everyone knows the salt of outlines here, so one can be made up: this end believes that nearly all is the same.
    let mut net = stores(3_000, 40, 40);
    net.outlines = false;
    net.connect(0, 1);
    let mut outline = *net.peers[0].router.outline().unwrap();
    outline.insert(&net.outline_salt, &sample(1_000_000).id);
    net.hear_outline(0, 1, &outline);
    net.run_in_turns(0, 1);
    assert_eq!(net.traffic.count_of("list"), 0);
    assert!(net.traffic.count_of("cells") > 0);
    assert_exact(&net, 3_000, 40, 40);
}

/// A sketch for 3 differences of a difference of 5 is a sketch of 3 made-up items in one case of six.
#[test]
fn what_a_sketch_seems_to_say_is_not_believed_unless_the_digests_agree() {
    for link in 0..60 {
        let mut net = stores(200, 3, 2);
        net.outlines = false;
        net.skip_links(link);
        net.connect(0, 1);
        let mut outline = *net.peers[0].router.outline().unwrap();
        outline.remove(&net.outline_salt, &sample(0).id);
        net.hear_outline(0, 1, &outline);
        net.run_in_turns(0, 1);
        assert_exact(&net, 200, 3, 2);
    }
}

#[test]
fn small_stores_are_known_after_one_flight_each_way_too() {
    for (common, first, second) in [
        (0, 1, 0),
        (0, 1, 1),
        (0, 20, 0),
        (0, 20, 20),
        (1, 1, 0),
        (3, 2, 1),
    ] {
        let mut net = stores(common, first, second);
        net.connect(0, 1);
        net.run_in_turns(0, 1);
        let turns = net.traffic.turns_until_known;
        assert_eq!(turns, 2, "{common}, {first}, {second}");
        assert_exact(&net, common, first, second);
    }
}

#[test]
fn equal_stores_cost_at_most_40_bytes_and_one_round_trip() {
    let mut net = stores(10_000, 0, 0);
    net.connect(0, 1);
    let turns = net.run_in_turns(0, 1);
    assert!(turns <= 2, "{turns} turns");
    let bytes: u64 = net.traffic.frames.values().map(|(_, bytes)| bytes).sum();
    assert!(bytes <= 40, "{bytes} bytes");
    assert!(net.traffic.transfers.is_empty());
}

#[test]
fn bytes_grow_with_the_difference_and_never_much_beyond_a_list() {
    let cost = |common, first, second| {
        let mut net = stores(common, first, second);
        net.connect(0, 1);
        net.run();
        net.traffic.reconciliation_bytes()
    };
    // Doubling rounds up: at most 2 * 1.5 symbols of 12 bytes a difference, and 16 to want and offer it.
    assert!(cost(3_000, 50, 50) <= 100 * 52 + 600);
    // Stores with nothing in common: symbols up to the cost of the list, the list, and what is wanted.
    let disjoint = cost(0, 2_000, 2_000);
    assert!(disjoint <= 2 * 8 * 2_000 + 3 * 8 * 2_000, "{disjoint}");
}

#[test]
fn items_that_come_while_stores_are_reconciled_get_through_once() {
    for pause in 0..8 {
        let mut net = stores(500, 20, 20);
        net.connect(0, 1);
        for _ in 0..pause {
            net.step();
        }
        net.add_own(0, &sample(100_000));
        net.add_own(1, &sample(100_001));
        // The same item at both ends at once.
        net.add_own(0, &sample(100_002));
        net.add_own(1, &sample(100_002));
        net.run();
        assert_eq!(ids(&net, 0), ids(&net, 1));
        assert_eq!(ids(&net, 0).len(), 543);
        assert_eq!(net.traffic.transfers.len(), 42);
        assert!(net.traffic.transfers.values().all(|times| *times == 1));
    }
}

#[test]
fn items_that_go_while_stores_are_reconciled_are_not_waited_for() {
    for pause in 0..8 {
        let mut net = stores(500, 20, 20);
        net.connect(0, 1);
        for _ in 0..pause {
            net.step();
        }
        for number in 510..530 {
            let now = net.now;
            for peer in &mut net.peers {
                peer.router.discard(now, &sample(number).id);
                peer.settle();
            }
        }
        net.run();
        assert!((510..530).all(|n| !net.peers[0].router.holds(&sample(n).id)));
        let stats = |peer: usize| net.peers[peer].router.stats();
        assert_eq!(stats(0).misbehaviour + stats(1).misbehaviour, 0);
        for number in (500..510).chain(530..540) {
            assert!(net.peers[0].router.holds(&sample(number).id));
            assert!(net.peers[1].router.holds(&sample(number).id));
        }
    }
}

#[test]
fn what_was_here_before_is_not_asked_for_again() {
    let mut net = stores(300, 0, 10);
    let now = net.now;
    for number in 295..305 {
        net.peers[0].router.discard(now, &sample(number).id);
        net.peers[0].settle();
    }
    net.connect(0, 1);
    net.run();
    let sent: Vec<_> = net.traffic.transfers.keys().map(|key| key.2).collect();
    assert_eq!(sent.len(), 10);
    assert!((300..310).all(|number| sent.contains(&sample(number).id)));
    assert!(!net.peers[0].router.holds(&sample(296).id));
    net.disconnect(0, 1);
    net.connect(1, 0);
    net.run();
    assert_eq!(net.traffic.transfers.len(), 10);
}

#[test]
fn a_lasting_link_is_reconciled_anew_and_costs_little() {
    let mut net = stores(1_000, 3, 3);
    net.connect(0, 1);
    net.run();
    net.traffic = common::Traffic::default();
    for _ in 0..6 {
        net.wait(chappe_wire::Duration::from_minutes(10));
        net.run();
    }
    assert_eq!(net.traffic.count_of("digest"), 6);
    let bytes: u64 = net.traffic.frames.values().map(|(_, bytes)| bytes).sum();
    assert!(bytes <= 6 * 100, "{bytes} bytes in an hour of silence");
}
