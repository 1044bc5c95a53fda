//! Two links of one kind to the same neighbour become one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, Reply};
use chappe_testkit::{NodeIndex, Pair, Side, Weather};
use chappe_wire::{Duration, LinkId};

fn peers(pair: &mut Pair, node: NodeIndex) -> Vec<LinkId> {
    match pair.world.command(node, Command::Peers) {
        Ok(Reply::Peers(peers)) => peers.iter().map(|peer| peer.link).collect(),
        other => panic!("{other:?}"),
    }
}

/// Two nodes, with a link opened by each `apart` after the other. Both ends have the same one left.
fn left(seed: u64, apart: Duration) -> [LinkId; 3] {
    let mut pair = Pair::new(seed);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let first = pair.world.connect(north, south, Weather::default());
    pair.run(apart);
    let second = pair.world.connect(south, north, Weather::default());
    pair.run(Duration::from_secs(5));
    let left = peers(&mut pair, north);
    assert_eq!(left, peers(&mut pair, south));
    assert_eq!(left.len(), 1);
    pair.send(Side::North, "still there").unwrap();
    pair.run(Duration::from_minutes(1));
    assert_eq!(pair.inbox(Side::South), ["still there"]);
    [first, second, left[0]]
}

#[test]
fn of_two_that_come_up_at_once_the_same_stays_at_both_ends() {
    let mut kept = [0, 0];
    for seed in 1..9 {
        let [first, _, left] = left(seed, Duration::ZERO);
        kept[usize::from(left == first)] += 1;
    }
    // It depends on the nonces, not on the order.
    assert!(kept[0] > 0 && kept[1] > 0, "{kept:?}");
}

#[test]
fn of_two_that_come_one_after_the_other_the_newer_stays() {
    for seed in 1..9 {
        let [_, second, left] = left(seed, Duration::from_secs(20));
        assert_eq!(left, second);
    }
}
