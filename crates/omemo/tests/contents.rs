//! What a message carries: how long it may be, nothing at all, and the key that an empty legacy message has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    ContentError, EncryptError, Flavour, Incoming, MAX_PLAINTEXT_LEN, Payload, Reason,
};
use support::{FLAVOURS, acquainted_in};

#[test]
fn the_longest_content_passes_and_no_longer_one() {
    assert_eq!(MAX_PLAINTEXT_LEN, 262_144);
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let mut encrypt = |length| {
            let content = vec![7; length];
            alice.sessions.encrypt(&mut alice.rng, Some(&content))
        };
        let too_long = EncryptError::Content(ContentError::TooLong);
        assert_eq!(encrypt(MAX_PLAINTEXT_LEN + 1), Err(too_long));
        let longest = encrypt(MAX_PLAINTEXT_LEN).unwrap();
        let read = bob.read(&longest).ok().unwrap();
        assert_eq!(read.plaintext.unwrap().len(), MAX_PLAINTEXT_LEN);
    }
}

#[test]
fn a_payload_is_sealed_once_and_its_key_encrypted_for_each() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let payload = Payload::seal(&mut alice.rng, flavour, b"fog").unwrap();
        let sent = alice
            .sessions
            .encrypt_key(&mut alice.rng, &payload)
            .unwrap();
        let incoming = Incoming {
            payload: payload.ciphertext(),
            iv: payload.iv().copied(),
            ..Incoming::new(sent.key_exchange, &sent.key)
        };
        let read = bob.sessions.decrypt(&mut bob.device, &incoming);
        assert_eq!(read.ok().unwrap().plaintext.as_deref(), Some(&b"fog"[..]));
    }
}

/// It is refused for its length before anything is computed.
#[test]
fn a_payload_that_nobody_writes_is_not_looked_at() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let sent = alice.send("genuine");
        let refused = |bob: &mut support::Party, length| {
            let payload = vec![7; length];
            let incoming = Incoming {
                payload: Some(&payload),
                ..sent.incoming()
            };
            let read = bob.sessions.decrypt(&mut bob.device, &incoming);
            read.err().unwrap().reason()
        };
        let longest = MAX_PLAINTEXT_LEN + 16;
        assert_eq!(refused(&mut bob, longest), Reason::Payload);
        assert_eq!(refused(&mut bob, longest + 1), Reason::Malformed);
        bob.expect(&sent, "genuine");
    }
}

/// In the legacy flavour a message without payload means something else.
#[test]
fn an_empty_content_is_one_in_omemo_2_only() {
    let (mut alice, mut bob) = acquainted_in(Flavour::Omemo2);
    let sent = alice.send("");
    assert_eq!(bob.expect(&sent, "").transported, None);

    let (mut alice, _) = acquainted_in(Flavour::Legacy);
    let refused = alice.sessions.encrypt(&mut alice.rng, Some(b""));
    assert_eq!(refused, Err(EncryptError::Content(ContentError::Empty)));
}

#[test]
fn an_empty_message_has_an_iv_and_transports_a_key_in_the_legacy_flavour_only() {
    let (mut alice, mut bob) = acquainted_in(Flavour::Omemo2);
    let sent = alice.send_empty();
    assert_eq!((sent.iv, &sent.payload), (None, &None));
    let read = bob.read(&sent).ok().unwrap();
    assert_eq!((read.plaintext, read.transported), (None, None));

    let (mut alice, mut bob) = acquainted_in(Flavour::Legacy);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let sent = alice.send_empty();
        assert_eq!(sent.payload, None);
        let read = bob.read(&sent).ok().unwrap();
        assert_eq!(read.plaintext, None);
        let key = read.transported.unwrap();
        assert_eq!(key.len(), 16);
        seen.push((sent.iv.unwrap(), key));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1);
    assert_eq!(
        Payload::empty(&mut alice.rng, Flavour::Legacy).ciphertext(),
        None
    );
}
