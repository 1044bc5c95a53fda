//! Nothing that strangers see recurs: no 8 bytes in a row of two envelopes of one pair are equal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::collections::HashSet;

use chappe_envelope::blob::{BlobKey, ChunkIndex, seal_chunk};
use chappe_envelope::{ChainRoot, Direction, PairSecret, SendChain};
use chappe_wire::{Envelope, Lifetime};

/// Adds all strings of 8 bytes of an envelope, and fails on one that was there.
fn assert_new(seen: &mut HashSet<[u8; 8]>, envelope: &Envelope) {
    // Version and lifetime are the protocol's constants; no string of 8 consists of them alone.
    for window in envelope.as_bytes().windows(8) {
        assert!(
            seen.insert(window.try_into().unwrap()),
            "{window:02x?} recurs"
        );
    }
}

#[test]
fn no_8_bytes_recur_in_a_thousand_envelopes_of_one_pair() {
    let secret = PairSecret::new([7; 32]);
    let [there, back] = [
        Direction::InitiatorToResponder,
        Direction::ResponderToInitiator,
    ];
    let mut north = SendChain::new(ChainRoot::of_pair(&secret, there));
    let mut south = SendChain::new(ChainRoot::of_pair(&secret, back));
    let mut seen = HashSet::new();
    for _ in 0..480 {
        for chain in [&mut north, &mut south] {
            // The same words each time: the padding and the text repeat inside.
            let (envelope, _) = chain.seal(Lifetime::WEEK, b"the same words").unwrap();
            assert_new(&mut seen, &envelope);
        }
    }
    let key = BlobKey::new([9; 32]);
    for index in (0..40).filter_map(ChunkIndex::new) {
        let chunk = seal_chunk(&key, index, Lifetime::WEEK, &[0; 4078]).unwrap();
        assert_new(&mut seen, &chunk);
    }
    assert_eq!(seen.len(), 960 * (290 - 7) + 40 * (4130 - 7));
}

/// A sender restored from a backup seals other words under the same counter. The tag is the only thing that
/// recurs, so the two bodies give no key stream away.
#[test]
fn a_counter_used_twice_repeats_the_tag_and_nothing_else() {
    let (one, _) = support::one(b"attack at dawn, and do not wait");
    let (other, _) = support::one(b"attack at dusk, and do not wait");
    assert_eq!(one.header().tag, other.header().tag);
    assert_ne!(one.header().commitment, other.header().commitment);

    let mut seen = HashSet::new();
    assert_new(&mut seen, &one);
    for window in other.as_bytes()[18..].windows(8) {
        assert!(!seen.contains(window));
    }
    let difference = one
        .body()
        .iter()
        .zip(other.body())
        .map(|(one, other)| one ^ other);
    let zeros = difference.filter(|byte| *byte == 0).count();
    assert!(
        zeros < 16,
        "the streams are independent, but {zeros} of 256 bytes are equal"
    );
}

#[test]
fn another_lifetime_is_another_commitment() {
    let seal = |lifetime| {
        SendChain::new(support::root())
            .seal(lifetime, b"same")
            .unwrap()
            .0
    };
    let (week, day) = (seal(Lifetime::WEEK), seal(Lifetime::DAY));
    assert_ne!(week.header().commitment, day.header().commitment);
    assert_eq!(
        week,
        seal(Lifetime::WEEK),
        "and sealing draws no randomness"
    );
}
