//! Keys of the past leave the state: what is stored later does not open what was opened before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_envelope::SendChain;
use chappe_wire::Lifetime;
use support::{Receiver, envelopes, root};

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn the_receiver_drops_an_epoch_key_once_nothing_of_the_epoch_is_missing() {
    let envelopes = envelopes(70);
    let mut receiver = Receiver::new();
    let key = receiver.chain.to_bytes()[9..41].to_vec();
    for envelope in envelopes
        .iter()
        .filter(|envelope| *envelope != &envelopes[20])
    {
        receiver.deliver(envelope);
    }
    assert!(
        contains(&receiver.chain.to_bytes(), &key),
        "number 20 is still to be opened"
    );
    receiver.deliver(&envelopes[20]);
    assert!(!contains(&receiver.chain.to_bytes(), &key));
}

#[test]
fn the_receiver_drops_the_key_of_an_epoch_that_came_in_order() {
    let mut receiver = Receiver::new();
    let key = receiver.chain.to_bytes()[9..41].to_vec();
    for envelope in envelopes(63) {
        receiver.deliver(&envelope);
    }
    assert!(contains(&receiver.chain.to_bytes(), &key));
    receiver.deliver(&envelopes(64)[63]);
    assert!(!contains(&receiver.chain.to_bytes(), &key));
}

#[test]
fn the_sender_drops_an_epoch_key_with_the_last_of_its_counters() {
    let mut chain = SendChain::new(root());
    let key = chain.to_bytes()[9..41].to_vec();
    for _ in 0..63 {
        chain.seal(Lifetime::WEEK, b"").unwrap();
    }
    assert!(contains(&chain.to_bytes(), &key));
    chain.seal(Lifetime::WEEK, b"").unwrap();
    assert!(!contains(&chain.to_bytes(), &key));
}
