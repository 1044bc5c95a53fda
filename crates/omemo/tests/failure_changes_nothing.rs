//! A message that cannot be decrypted, for whatever reason, leaves no trace: device and sessions have the
//! same bytes as before, and the genuine message is read afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{Encrypted, Flavour, MAX_KEY_ELEMENT_LEN, Reason};
use proptest::prelude::*;
use support::{FLAVOURS, Party, acquainted, acquainted_in, strangers, strangers_in};

/// Longer than a block, so that not every change breaks the padding too.
const TEXT: &str = "genuine, and more than two blocks of the cipher long";

/// A message within a session, one that starts a session, and one that repeats a key exchange which was
/// accepted before, each with who reads it, in both flavours.
fn all_kinds() -> Vec<(Encrypted, Party)> {
    FLAVOURS.into_iter().flat_map(kinds_of).collect()
}

fn kinds_of(flavour: Flavour) -> [(Encrypted, Party); 3] {
    let (mut alice, bob) = acquainted_in(flavour);
    let established = (alice.send(TEXT), bob);

    let (mut alice, bob) = strangers_in(flavour);
    alice.start(&bob);
    let starting = (alice.send(TEXT), bob);

    let (mut alice, mut bob) = strangers_in(flavour);
    alice.start(&bob);
    let first = alice.send("first");
    bob.expect(&first, "first");
    let repeating = (alice.send(TEXT), bob);
    assert!(starting.0.key_exchange && repeating.0.key_exchange);
    [established, starting, repeating]
}

/// Where nobody would notice a change: the registration id of a legacy key exchange, before the id of the
/// signed prekey, which takes two bytes.
fn is_free(message: &Encrypted, index: usize) -> bool {
    message.iv.is_some() && message.key_exchange && index + 3 == message.key.len()
}

#[track_caller]
fn refused(reader: &mut Party, forged: &Encrypted) {
    let before = reader.state();
    assert!(reader.read(forged).is_err());
    assert_eq!(reader.state(), before);
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_key_element() {
    for (genuine, mut bob) in all_kinds() {
        for index in (0..genuine.key.len()).filter(|&index| !is_free(&genuine, index)) {
            let mut forged = genuine.clone();
            forged.key[index] ^= 1 << (index % 8);
            refused(&mut bob, &forged);
            forged.key[index] = genuine.key[index] ^ 0x80;
            refused(&mut bob, &forged);
        }
        bob.expect(&genuine, TEXT);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_payload() {
    for (genuine, mut bob) in all_kinds() {
        for index in 0..genuine.payload.as_ref().unwrap().len() {
            let mut forged = genuine.clone();
            forged.payload.as_mut().unwrap()[index] ^= 1 << (index % 8);
            refused(&mut bob, &forged);
        }
        bob.expect(&genuine, TEXT);
    }
}

#[test]
fn a_key_element_or_payload_cut_anywhere_or_continued() {
    for (genuine, mut bob) in all_kinds() {
        for length in 0..genuine.key.len() {
            let mut forged = genuine.clone();
            forged.key.truncate(length);
            refused(&mut bob, &forged);
        }
        for length in 0..genuine.payload.as_ref().unwrap().len() {
            let mut forged = genuine.clone();
            forged.payload.as_mut().unwrap().truncate(length);
            refused(&mut bob, &forged);
        }
        let mut forged = genuine.clone();
        forged.key.push(0);
        refused(&mut bob, &forged);
        forged.key.resize(MAX_KEY_ELEMENT_LEN + 1, 0);
        refused(&mut bob, &forged);
        bob.expect(&genuine, TEXT);
    }
}

#[test]
fn a_payload_that_is_taken_away_or_swapped() {
    FLAVOURS.into_iter().for_each(taken_away_or_swapped);
}

fn taken_away_or_swapped(flavour: Flavour) {
    let (mut alice, mut bob) = acquainted_in(flavour);
    let one = alice.send("one");
    let two = alice.send("two");
    for payload in [None, two.payload.clone(), Some(Vec::new())] {
        let forged = Encrypted {
            payload,
            ..one.clone()
        };
        refused(&mut bob, &forged);
        assert_eq!(bob.read(&forged).err().unwrap().reason(), Reason::Payload);
    }
    bob.expect(&one, "one");
    bob.expect(&two, "two");
}

#[test]
fn a_payload_that_is_added_to_an_empty_message() {
    FLAVOURS.into_iter().for_each(added_to_an_empty_message);
}

fn added_to_an_empty_message(flavour: Flavour) {
    let (mut alice, mut bob) = acquainted_in(flavour);
    let payload = alice.send("other").payload;
    let empty = alice.send_empty();
    assert_eq!(empty.payload, None);
    refused(
        &mut bob,
        &Encrypted {
            payload,
            ..empty.clone()
        },
    );
    assert_eq!(bob.read(&empty).unwrap().plaintext, None);
}

#[test]
fn an_empty_plaintext_is_not_an_empty_message() {
    let (mut alice, mut bob) = acquainted();
    let sent = alice.send("");
    assert_eq!(sent.payload.as_ref().map(Vec::len), Some(16));
    bob.expect(&sent, "");
}

#[test]
fn a_key_exchange_declared_as_a_message_and_the_other_way_round() {
    for (genuine, mut bob) in all_kinds() {
        let key_exchange = !genuine.key_exchange;
        refused(
            &mut bob,
            &Encrypted {
                key_exchange,
                ..genuine.clone()
            },
        );
        bob.expect(&genuine, TEXT);
    }
}

#[test]
fn a_key_exchange_of_somebody_else_around_a_genuine_message() {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    let genuine = alice.send(TEXT);
    let mut mallory = Party::new(3);
    mallory.start(&bob);
    let own = mallory.send("forged");
    // Two ids of two bytes and two keys of 34 are before the message.
    let ((outer, inner), (own_outer, own_inner)) = (genuine.key.split_at(72), own.key.split_at(72));
    assert_eq!((inner[0], own_inner[0]), (0x2a, 0x2a));
    let mut forged = genuine.clone();
    forged.key = [own_outer, inner].concat();
    refused(&mut bob, &forged);
    forged.key = [outer, own_inner].concat();
    forged.payload = own.payload.clone();
    refused(&mut bob, &forged);
    bob.expect(&genuine, TEXT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes(
        key_exchange: bool,
        key in prop::collection::vec(any::<u8>(), 0..300),
        payload in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
    ) {
        let (mut bob, _) = acquainted();
        refused(&mut bob, &Encrypted { key_exchange, key, payload, iv: None });
    }

    /// Several bytes at once, so that lengths and contents change together.
    #[test]
    fn many_changed_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        for (genuine, mut bob) in all_kinds() {
            let mut forged = genuine.clone();
            for (index, value) in &changes {
                let index = index.index(forged.key.len());
                if !is_free(&genuine, index) {
                    forged.key[index] = *value;
                }
            }
            if forged != genuine {
                refused(&mut bob, &forged);
            }
            bob.expect(&genuine, TEXT);
        }
    }
}
