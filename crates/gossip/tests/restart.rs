//! A node that comes back with what it persisted goes on as before.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::Config;
use chappe_gossip::policies::Epidemic;
use chappe_wire::{Duration, Lifetime};
use common::{Net, sample, sample_with};
use proptest::prelude::*;

fn restart(net: &mut Net, peer: usize) {
    let links: Vec<_> = net.links.keys().copied().collect();
    for (a, b) in links {
        if a == peer || b == peer {
            net.disconnect(a, b);
        }
    }
    net.restart(peer, Config::default(), Box::new(Epidemic));
}

#[test]
fn ages_go_on_and_nothing_is_taken_again() {
    let mut net = Net::new(2);
    let (day, week) = (sample_with(1, Lifetime::DAY), sample(2));
    net.add_own(0, &day);
    net.add_own(0, &week);
    net.connect(0, 1);
    net.run();
    net.wait(Duration::from_hours(12));
    restart(&mut net, 1);
    let now = net.now;
    net.peers[1].router.discard(now, &week.id);
    net.peers[1].settle();
    restart(&mut net, 1);
    net.connect(1, 0);
    net.run();
    assert!(!net.peers[1].router.holds(&week.id));
    net.wait(Duration::from_hours(12));
    assert!(!net.peers[1].router.holds(&day.id));
    restart(&mut net, 1);
    net.connect(0, 1);
    net.run();
    assert!(net.peers[1].items.is_empty());
}

#[test]
fn receipts_survive() {
    let mut net = Net::new(3);
    let message = sample(1);
    net.add_own(0, &message);
    let now = net.now;
    net.peers[2]
        .router
        .add_receipt(now, message.preimage, Lifetime::WEEK);
    net.peers[2].settle();
    net.connect(1, 2);
    net.run();
    restart(&mut net, 1);
    assert_eq!(net.peers[1].receipts.len(), 1);
    net.connect(0, 1);
    net.run();
    assert_eq!(net.peers[0].delivered, [message.id]);
}

#[test]
fn carriers_are_counted_across_restarts() {
    let mut net = Net::new(3);
    net.add_own(0, &sample(1));
    net.connect(0, 1);
    net.run();
    restart(&mut net, 0);
    net.connect(0, 2);
    net.run();
    assert_eq!(net.peers[0].carriers[&sample(1).id], 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn at_any_moment(
        script in prop::collection::vec((0usize..4, 0usize..4, 0u8..12, any::<bool>()), 1..40),
    ) {
        let mut net = Net::new(4);
        for number in 0..40 {
            net.add_own(number as usize % 4, &sample(number));
        }
        play(&mut net, script);
        tell_what_waits(&mut net);
        for peer in &net.peers {
            prop_assert_eq!(peer.items.len(), 40);
        }
    }
}

/// Where others seem to tell it, news waits for up to 75 s on each of three links.
fn tell_what_waits(net: &mut Net) {
    for _ in 0..4 {
        net.run();
        net.wait(Duration::from_secs(76));
    }
}

#[test]
fn news_that_waits_on_a_link_is_told_in_the_end() {
    let mut net = Net::new(4);
    for number in 0..40 {
        net.add_own(number as usize % 4, &sample(number));
    }
    let script = [
        (3, 0, 0, true),
        (2, 0, 9, true),
        (3, 0, 3, false),
        (2, 2, 3, false),
        (1, 0, 1, true),
        (0, 2, 9, false),
        (3, 0, 9, false),
        (3, 3, 10, true),
    ];
    play(&mut net, script);
    net.run();
    assert!(net.peers.iter().any(|peer| peer.items.len() < 40));
    tell_what_waits(&mut net);
    assert!(net.peers.iter().all(|peer| peer.items.len() == 40));
}

/// Links come up, so many steps are taken, and the first of the two dies or not; then all are in one line.
fn play(net: &mut Net, script: impl IntoIterator<Item = (usize, usize, u8, bool)>) {
    let apart = |net: &Net, a, b| {
        a != b && !net.links.contains_key(&(a, b)) && !net.links.contains_key(&(b, a))
    };
    for (a, b, steps, dies) in script {
        if apart(net, a, b) {
            net.connect(a, b);
        }
        for _ in 0..steps {
            net.step();
        }
        if dies {
            restart(net, a);
        }
    }
    for (a, b) in [(0, 1), (1, 2), (2, 3)] {
        if apart(net, a, b) {
            net.connect(a, b);
        }
    }
}
