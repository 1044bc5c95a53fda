//! What a receiving chain keeps has bounds; beyond them the oldest missing envelopes are given up, and counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_envelope::{MAX_HOLE_EPOCHS, MAX_HOLES, ReceiveChain};
use support::{Receiver, counter, envelopes, root};

#[test]
fn an_idle_chain_is_small() {
    let mut receiver = Receiver::new();
    for envelope in envelopes(100) {
        receiver.deliver(&envelope);
    }
    assert_eq!(receiver.chain.to_bytes().len(), 59);
    assert_eq!(size_of::<ReceiveChain>(), 80);
    assert_eq!(ReceiveChain::new(root()).expected().count(), 192);
    assert_eq!(receiver.chain.expected().count(), 191);
}

#[test]
fn too_many_holes_cost_the_oldest() {
    let envelopes = envelopes(8_192 + 64 + 1);
    let mut receiver = Receiver::new();
    receiver.deliver(&envelopes[8_192]);
    assert_eq!(
        (receiver.chain.holes(), receiver.chain.given_up()),
        (MAX_HOLES, 0)
    );

    receiver.deliver(&envelopes[8_256]);
    assert_eq!(
        (receiver.chain.holes(), receiver.chain.given_up()),
        (MAX_HOLES, 63)
    );
    receiver.restart();
    assert!(receiver.chain.open(counter(62), &envelopes[62]).is_err());
    assert!(receiver.chain.open(counter(63), &envelopes[63]).is_ok());
}

#[test]
fn holes_over_too_many_epochs_cost_the_oldest() {
    let epochs = MAX_HOLE_EPOCHS + 10;
    let envelopes = envelopes(64 * epochs as u64 + 1);
    let mut receiver = Receiver::new();
    let every_other = envelopes
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 64 != 5);
    for (_, envelope) in every_other.filter(|(number, _)| number % 64 < 6 || number % 2 == 0) {
        receiver.deliver(envelope);
    }
    assert_eq!(receiver.chain.to_bytes().len(), 59 + 48 * MAX_HOLE_EPOCHS);
    assert_eq!(receiver.chain.to_bytes().len(), 12_347);
    assert_eq!(receiver.chain.holes(), 30 * MAX_HOLE_EPOCHS);
    assert_eq!(receiver.chain.given_up(), 30 * 10);
    receiver.restart();
    assert!(
        receiver
            .chain
            .open(counter(9 * 64 + 5), &envelopes[9 * 64 + 5])
            .is_err()
    );
    assert!(
        receiver
            .chain
            .open(counter(10 * 64 + 5), &envelopes[10 * 64 + 5])
            .is_ok()
    );
}
