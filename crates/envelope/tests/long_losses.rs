//! A chain that loses thousands in a row goes on, and late arrivals still open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use support::{Receiver, envelopes};

#[test]
fn five_thousand_lost_in_a_row_recover_and_open_when_they_come_late() {
    let envelopes = envelopes(5_200);
    let mut receiver = Receiver::new();
    for envelope in &envelopes[..10] {
        receiver.deliver(envelope);
    }
    for envelope in &envelopes[5_010..] {
        receiver.deliver(envelope);
    }
    assert_eq!(receiver.opened.len(), 10 + 190, "all that were not lost");
    assert_eq!(receiver.chain.holes(), 5_000);
    receiver.restart();

    for envelope in envelopes[10..5_010].iter().rev() {
        receiver.deliver(envelope);
    }
    assert_eq!(receiver.opened.len(), 5_200);
    assert_eq!((receiver.chain.holes(), receiver.chain.given_up()), (0, 0));
    receiver.assert_index();
}

#[test]
fn envelopes_that_came_before_the_coarse_one_are_found_in_the_store() {
    let envelopes = envelopes(1_025);
    let mut receiver = Receiver::new();
    for envelope in &envelopes[1_001..1_024] {
        receiver.deliver(envelope);
    }
    assert!(receiver.opened.is_empty(), "out of reach so far");
    receiver.deliver(&envelopes[1_024]);
    let expected: Vec<_> = (1_001..1_025).collect();
    assert_eq!(
        receiver.opened.keys().copied().collect::<Vec<_>>(),
        expected
    );
}

/// The worst place is the last slot of an epoch: 8,129 lost, and the next one is the farthest coarse one.
#[test]
fn the_longest_loss_that_is_promised() {
    let envelopes = envelopes(63 + 8_129 + 1);
    let mut receiver = Receiver::new();
    receiver.deliver(&envelopes[62]);
    receiver.deliver(&envelopes[63 + 8_129]);
    assert_eq!(receiver.opened.len(), 2);
    receiver.assert_index();
}

#[test]
fn beyond_it_the_chain_is_deaf() {
    let envelopes = envelopes(8_193 + 128);
    let mut receiver = Receiver::new();
    receiver.deliver(&envelopes[63]);
    for envelope in &envelopes[64 + 8_129..] {
        receiver.deliver(envelope);
    }
    assert_eq!(receiver.opened.len(), 1 + 128, "8,129 lost are bridged");

    let mut receiver = Receiver::new();
    for envelope in &envelopes[8_193..] {
        receiver.deliver(envelope);
    }
    assert!(receiver.opened.is_empty(), "8,193 lost are not");
}
