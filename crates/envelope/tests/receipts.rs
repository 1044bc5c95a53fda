//! The recipient, and nobody else, gets the value that opens the envelope's commitment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::collections::BTreeSet;

use chappe_envelope::ReceiveChain;
use support::{counter, envelopes, one, root};

#[test]
fn the_preimage_opens_the_commitment_that_the_sender_keeps() {
    let (envelope, sealed) = one(b"the fog lifts");
    assert_eq!(sealed.commitment, envelope.header().commitment);
    let opened = ReceiveChain::new(root())
        .open(sealed.counter, &envelope)
        .unwrap();
    assert_eq!(opened.preimage.commitment(), sealed.commitment);
}

#[test]
fn no_two_envelopes_share_a_receipt() {
    let mut chain = ReceiveChain::new(root());
    let open = |(number, envelope)| chain.open(counter(number), envelope).unwrap().preimage;
    let envelopes = envelopes(300);
    let preimages: BTreeSet<_> = (0..).zip(&envelopes).map(open).collect();
    assert_eq!(preimages.len(), 300);
}

#[test]
fn the_preimage_is_nowhere_in_the_envelope() {
    let (envelope, sealed) = one(b"the fog lifts");
    let opened = ReceiveChain::new(root())
        .open(sealed.counter, &envelope)
        .unwrap();
    let preimage = opened.preimage.as_bytes();
    assert!(
        envelope
            .as_bytes()
            .windows(8)
            .all(|window| window != &preimage[..8])
    );
}
