//! What was not sealed by the sender, for this counter, does not open, and changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_envelope::{ChainRoot, InboxSecret, MAX_PLAINTEXT, OpenError, ReceiveChain, SendChain};
use chappe_wire::{Commitment, Envelope, Lifetime};
use proptest::prelude::*;
use support::{counter, envelopes, one, root};

/// Tries to open, and checks that only the honest envelope moves the chain.
fn assert_refused(chain: &mut ReceiveChain, number: u64, envelope: &Envelope) {
    let before = chain.to_bytes();
    let refused = chain.open(counter(number), envelope);
    assert_eq!(refused.unwrap_err(), OpenError);
    assert_eq!(chain.to_bytes(), before, "a refusal changes no bit");
}

#[test]
fn every_flipped_bit_is_found() {
    let (envelope, sealed) = one(b"the fog lifts");
    let mut chain = ReceiveChain::new(root());
    for bit in 0..envelope.as_bytes().len() * 8 {
        let mut bytes = envelope.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(forged) = Envelope::parse(bytes) else {
            continue;
        };
        assert_refused(&mut chain, 0, &forged);
    }
    assert!(chain.open(sealed.counter, &envelope).is_ok());
}

#[test]
fn every_truncation_is_found() {
    let (envelope, sealed) = one(&[1; 700]);
    let mut chain = ReceiveChain::new(root());
    for length in 0..envelope.as_bytes().len() {
        for version in [1, 2] {
            let mut bytes = envelope.as_bytes()[..length].to_vec();
            if let Some(first) = bytes.first_mut() {
                *first = version;
            }
            let Ok(forged) = Envelope::parse(bytes) else {
                continue;
            };
            assert_refused(&mut chain, 0, &forged);
        }
    }
    assert!(chain.open(sealed.counter, &envelope).is_ok());
}

#[test]
fn an_envelope_opens_once() {
    let mut chain = ReceiveChain::new(root());
    for (number, envelope) in envelopes(130).iter().enumerate() {
        chain.open(counter(number as u64), envelope).unwrap();
        assert_refused(&mut chain, number as u64, envelope);
    }
    for (number, envelope) in envelopes(130).iter().enumerate() {
        assert_refused(&mut chain, number as u64, envelope);
    }
}

#[test]
fn an_envelope_opens_under_its_own_counter_only() {
    let envelopes = envelopes(70);
    let mut chain = ReceiveChain::new(root());
    chain.open(counter(64), &envelopes[64]).unwrap();
    for number in (0..70).filter(|number| *number != 3) {
        assert_refused(&mut chain, number, &envelopes[3]);
    }
    assert!(chain.open(counter(3), &envelopes[3]).is_ok());
}

#[test]
fn counters_out_of_reach_are_refused() {
    let envelopes = envelopes(200);
    let mut chain = ReceiveChain::new(root());
    for number in [65, 100, 127, 129, 199] {
        assert_refused(&mut chain, number, &envelopes[number as usize]);
    }
    for number in [129 * 64, 1 << 40, (1 << 48) - 1] {
        assert_refused(&mut chain, number, &envelopes[0]);
    }
}

#[test]
fn junk_under_an_honest_tag_does_not_block_the_honest_envelope() {
    let (envelope, sealed) = one(b"the fog lifts");
    let header = envelope.header();
    let junk = [0x5a; 256];
    let copied = Envelope::compose(header.lifetime, header.tag, header.commitment, &junk).unwrap();
    let own = Commitment::new([3; 16]);
    let replaced = Envelope::compose(header.lifetime, header.tag, own, envelope.body()).unwrap();
    let mut chain = ReceiveChain::new(root());
    assert_refused(&mut chain, 0, &copied);
    assert_refused(&mut chain, 0, &replaced);
    assert!(chain.open(sealed.counter, &envelope).is_ok());
}

#[test]
fn another_pair_and_another_direction_open_nothing() {
    let inbox = ChainRoot::of_inbox(&InboxSecret::new([7; 16]));
    let (envelope, _) = SendChain::new(inbox)
        .seal(Lifetime::WEEK, b"hello")
        .unwrap();
    assert_refused(&mut ReceiveChain::new(root()), 0, &envelope);
}

#[test]
fn a_later_version_is_not_opened() {
    let (envelope, _) = one(b"hello");
    let mut bytes = envelope.as_bytes().to_vec();
    bytes[0] = 2;
    let later = Envelope::parse(bytes).unwrap();
    assert_refused(&mut ReceiveChain::new(root()), 0, &later);
}

#[test]
fn every_refusal_reads_the_same() {
    let (envelope, _) = one(b"hello");
    let mut chain = ReceiveChain::new(root());
    let wrong_counter = chain.open(counter(1), &envelope).unwrap_err();
    let out_of_reach = chain.open(counter(77), &envelope).unwrap_err();
    assert_eq!(wrong_counter.to_string(), out_of_reach.to_string());
    assert_eq!(format!("{wrong_counter:?}"), format!("{out_of_reach:?}"));
}

#[test]
fn content_that_is_too_long_leaves_the_sender_where_it_was() {
    let mut chain = SendChain::new(root());
    let before = chain.to_bytes();
    assert!(
        chain
            .seal(Lifetime::WEEK, &vec![0; MAX_PLAINTEXT + 1])
            .is_err()
    );
    assert_eq!(chain.to_bytes(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_do_not_open(
        bytes in prop::collection::vec(any::<u8>(), 34..600),
        number in 0..20_000_u64,
    ) {
        let mut chain = ReceiveChain::new(root());
        if let Ok(envelope) = Envelope::parse(bytes) {
            assert_refused(&mut chain, number, &envelope);
        }
    }

    #[test]
    fn arbitrary_headers_and_bodies_under_an_honest_tag_do_not_open(
        lifetime in any::<u8>(),
        commitment in any::<[u8; 16]>(),
        body in prop::collection::vec(any::<u8>(), 256..=256),
    ) {
        let tag = one(b"").0.header().tag;
        let lifetime = Lifetime::from_code(lifetime);
        let forged =
            Envelope::compose(lifetime, tag, Commitment::new(commitment), &body).unwrap();
        assert_refused(&mut ReceiveChain::new(root()), 0, &forged);
    }
}
