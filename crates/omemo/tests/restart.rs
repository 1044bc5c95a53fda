//! Device and sessions come back from their bytes; other bytes are refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    Device, Flavour, MAX_OLD_SIGNED_PREKEYS, MAX_RECEIVING_CHAINS, Sessions, StateError,
};
use proptest::prelude::*;
use support::{Party, acquainted, strangers};

#[test]
fn a_conversation_goes_on_after_both_sides_restarted() {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    alice.restart();
    let first = alice.send("first");
    assert!(first.key_exchange);
    bob.expect(&first, "first");
    let held: Vec<_> = (0..4)
        .map(|number| alice.send(&number.to_string()))
        .collect();
    bob.expect(&held[3], "3");
    bob.restart();
    alice.restart();
    for number in [2, 0, 1] {
        bob.expect(&held[number], &number.to_string());
        bob.restart();
    }
    let answer = bob.send("answer");
    bob.restart();
    alice.expect(&answer, "answer");
    alice.restart();
    let last = alice.send("last");
    assert!(!last.key_exchange);
    bob.expect(&last, "last");
    assert!(bob.read(&held[0]).is_err_and(|error| error.is_duplicate()));
}

/// A legacy key exchange does not tell the sign of the identity, but a bundle does: what is known from one
/// must not make the other look foreign.
#[test]
fn a_legacy_key_exchange_is_known_again_whatever_the_sign_of_the_identity() {
    let mut signs = std::collections::BTreeSet::new();
    for number in 2..10 {
        let (mut alice, mut bob) = (
            Party::of(Flavour::Legacy, 1),
            Party::of(Flavour::Legacy, number),
        );
        signs.insert(bob.device.identity().public().as_bytes()[31] & 0x80);
        alice.start(&bob);
        bob.start(&alice);
        for text in ["first", "again"] {
            let sent = bob.send(text);
            assert!(sent.key_exchange);
            alice.expect(&sent, text);
            alice.restart();
        }
    }
    assert_eq!(signs.len(), 2, "both signs are among them");
}

#[test]
fn the_bytes_are_the_same_again() {
    let (mut alice, mut bob) = acquainted();
    alice.send("skipped");
    let sent = alice.send("read");
    bob.expect(&sent, "read");
    for _ in 0..=MAX_OLD_SIGNED_PREKEYS {
        bob.device.rotate_signed_prekey(&mut bob.rng);
    }
    bob.device.reserve_prekey(&mut bob.rng).unwrap();
    let before = bob.state();
    bob.restart();
    assert_eq!(bob.state(), before);
    assert_eq!(
        Sessions::from_bytes(&Sessions::new().to_bytes())
            .unwrap()
            .len(),
        0
    );
}

/// Some senders announce one message too few: its key is only in the chain.
#[test]
fn six_receiving_chains_are_kept() {
    const CHAIN: usize = 68;
    const DIGEST: usize = 8;
    let (mut alice, mut bob) = acquainted();
    let mut length = alice.state().1.len();
    for chains in 2..=MAX_RECEIVING_CHAINS + 2 {
        let ping = alice.send("ping");
        bob.expect(&ping, "ping");
        let pong = bob.send("pong");
        alice.expect(&pong, "pong");
        let now = alice.state().1.len();
        let is_kept_beside = chains <= MAX_RECEIVING_CHAINS;
        let more = DIGEST + if is_kept_beside { CHAIN } else { 0 };
        assert_eq!(now - length, more, "{chains}");
        length = now;
    }
}

#[test]
fn what_was_cut_or_continued_is_refused() {
    let (bob, _) = acquainted();
    let (device, sessions) = bob.state();
    for length in 0..device.len() {
        assert!(Device::from_bytes(&device[..length]).is_err(), "{length}");
    }
    for length in 0..sessions.len() {
        assert!(
            Sessions::from_bytes(&sessions[..length]).is_err(),
            "{length}"
        );
    }
    let longer = |bytes: &[u8]| [bytes, &[0]].concat();
    assert_eq!(
        Device::from_bytes(&longer(&device)).err(),
        Some(StateError::Length)
    );
    assert_eq!(
        Sessions::from_bytes(&longer(&sessions)).err(),
        Some(StateError::Length)
    );
}

#[test]
fn other_versions_are_refused() {
    let (bob, _) = acquainted();
    let (mut device, mut sessions) = bob.state();
    device[0] = 3;
    sessions[0] = 0;
    assert_eq!(
        Device::from_bytes(&device).err(),
        Some(StateError::Version(3))
    );
    assert_eq!(
        Sessions::from_bytes(&sessions).err(),
        Some(StateError::Version(0))
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Some(version) = bytes.first_mut() {
            *version = 2;
        }
        let _ = Device::from_bytes(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 3;
        }
        let _ = Sessions::from_bytes(&bytes);
    }

    /// Whatever is accepted is written back as it was.
    #[test]
    fn flipped_bits_never_panic(index: prop::sample::Index, bit in 0_u8..8) {
        let (alice, _) = acquainted();
        let (mut device, mut sessions) = alice.state();
        let at = index.index(device.len());
        device[at] ^= 1 << bit;
        if let Ok(read) = Device::from_bytes(&device) {
            prop_assert_eq!(&read.to_bytes()[..], &device[..]);
        }
        let at = index.index(sessions.len());
        sessions[at] ^= 1 << bit;
        if let Ok(read) = Sessions::from_bytes(&sessions) {
            prop_assert_eq!(&read.to_bytes()[..], &sessions[..]);
        }
    }
}
