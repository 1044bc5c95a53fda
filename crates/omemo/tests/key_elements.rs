//! A key element has one encoding. Everything else that protobuf would allow is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{AuthenticatedMessage, Flavour, KeyElementError, KeyExchange, PreKeyId};
use proptest::prelude::*;
use support::{acquainted, strangers};

fn message() -> Vec<u8> {
    acquainted().0.send("text").key
}

fn exchange() -> Vec<u8> {
    let (mut alice, bob) = strangers();
    alice.start(&bob);
    alice.send("text").key
}

#[test]
fn zeros_are_written() {
    let (mut alice, bob) = strangers();
    alice.start(&bob);
    let sent = alice.send("text");
    let message = KeyExchange::parse(Flavour::Omemo2, &sent.key)
        .unwrap()
        .message;
    assert_eq!(message.bytes[..4], [0x08, 0, 0x10, 0]);
    assert_eq!(
        (message.message.number, message.message.previous_length),
        (0, 0)
    );
}

#[test]
fn sizes_are_those_of_the_reference() {
    let (mut alice, mut bob) = acquainted();
    assert_eq!(exchange().len(), 198);
    assert_eq!(alice.send("text").key.len(), 124);
    assert_eq!(alice.send_empty().key.len(), 108);
    assert_eq!(bob.send("text").key.len(), 124);
}

#[test]
fn other_encodings_of_the_same_message_are_refused() {
    let good = message();
    assert!(AuthenticatedMessage::parse(Flavour::Omemo2, &good).is_ok());
    let (tag, rest) = good.split_at(18);
    let others: [(&str, Vec<u8>); 7] = [
        ("fields in another order", [rest, tag].concat()),
        ("a field twice", [tag, tag, rest].concat()),
        ("a field missing", rest.to_vec()),
        ("an unknown field", [&good[..], &[0x18, 0]].concat()),
        ("an unknown field first", [&[0x18, 0], &good[..]].concat()),
        (
            "a length with a byte too many",
            [&[0x0a, 0x90, 0x00], &good[2..]].concat(),
        ),
        ("another wire type", [&[0x09], &good[1..]].concat()),
    ];
    for (what, bytes) in others {
        assert_eq!(
            AuthenticatedMessage::parse(Flavour::Omemo2, &bytes),
            Err(KeyElementError::Encoding),
            "{what}"
        );
    }
}

#[test]
fn lengths_are_not_believed() {
    for length in [&[0x7f][..], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 10]] {
        let bytes = [&[0x0a], length, &[0; 16]].concat();
        assert_eq!(
            AuthenticatedMessage::parse(Flavour::Omemo2, &bytes),
            Err(KeyElementError::Encoding)
        );
    }
}

#[test]
fn ids_out_of_range_are_refused() {
    let good = exchange();
    for id in [&[0][..], &[0x80, 0x80, 0x80, 0x80, 0x08]] {
        let bytes = [&[0x08], id, &good[2..]].concat();
        assert_eq!(
            KeyExchange::parse(Flavour::Omemo2, &bytes).err(),
            Some(KeyElementError::Id)
        );
    }
    for id in [&[0x80, 0x00][..], &[0xff, 0xff, 0xff, 0xff, 0x1f]] {
        let bytes = [&[0x08], id, &good[2..]].concat();
        assert_eq!(
            KeyExchange::parse(Flavour::Omemo2, &bytes).err(),
            Some(KeyElementError::Encoding)
        );
    }
    let largest = [&[0x08, 0xff, 0xff, 0xff, 0xff, 0x07], &good[2..]].concat();
    assert_eq!(
        KeyExchange::parse(Flavour::Omemo2, &largest).map(|exchange| exchange.header.prekey_id),
        Ok(PreKeyId::new(0x7fff_ffff).unwrap())
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = KeyExchange::parse(Flavour::Omemo2, &bytes);
        let _ = AuthenticatedMessage::parse(Flavour::Omemo2, &bytes);
    }

    #[test]
    fn changed_bytes_never_panic(index: prop::sample::Index, value: u8, cut: prop::sample::Index) {
        for mut bytes in [message(), exchange()] {
            let at = index.index(bytes.len());
            bytes[at] = value;
            bytes.truncate(cut.index(bytes.len() + 1));
            let _ = KeyExchange::parse(Flavour::Omemo2, &bytes);
            let _ = AuthenticatedMessage::parse(Flavour::Omemo2, &bytes);
        }
    }
}
