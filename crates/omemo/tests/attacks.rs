//! The attacks of the security checklist that no other file of tests is about. Where the others are:
//!
//! | attack | test |
//! |---|---|
//! | low-order, non-canonical, high-bit and torsioned keys | `points.rs` |
//! | bad or swapped signatures, identities, prekeys; empty list; exhaustion | `key_exchange.rs` |
//! | skipped keys: per message, per session, oldest first, healing | `lost_in_a_row.rs` |
//! | flipped, cut, swapped, added parts change nothing and spend nothing | `failure_changes_nothing.rs` |
//! | prekeys used twice, replay in all forms, last resort, rotation | `no_server.rs`, `key_exchange.rs` |
//! | crossing starts | `crossing_starts.rs`, `foreign_walk.rs` |
//! | changed identity, foreign user | `key_exchange.rs`, `trust.rs` |
//! | malformed protobuf at every length | `key_elements.rs` |
//! | restart, rollback | `restart.rs`, `many_devices.rs` |
//! | XEP-0420 and XML tricks | `sce_hostile.rs`, `xml.rs` |
//! | secrets in debug output | `no_secrets_in_debug.rs` |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    BundleError, Encrypted, Flavour, KeyError, KeyExchange, MAX_JUMP, MAX_REMEMBERED, Reason,
    Sessions,
};
use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signer as _, SigningKey};
use support::{FLAVOURS, Party, acquainted_in, strangers_in};

/// The X25519 keys whose agreements are all zero.
fn low_order() -> Vec<[u8; 32]> {
    EIGHT_TORSION
        .iter()
        .map(|point| point.to_montgomery().to_bytes())
        .collect()
}

/// Puts other bytes in the place of a key wherever it stands in a message.
fn swapped(sent: &Encrypted, key: &[u8; 32], by: &[u8; 32]) -> Encrypted {
    let mut forged = sent.clone();
    let at = sent
        .key
        .windows(32)
        .position(|window| window == key)
        .unwrap();
    forged.key[at..at + 32].copy_from_slice(by);
    forged
}

#[track_caller]
fn refused(reader: &mut Party, forged: &Encrypted) -> Reason {
    let before = reader.state();
    let reason = reader.read(forged).err().unwrap().reason();
    assert_eq!(reader.state(), before);
    reason
}

/// DH1 and DH3 of the initiator: the owner of the bundle signs it, so its signature is right.
#[test]
fn all_zero_shared_secret_by_a_signed_prekey() {
    for flavour in FLAVOURS {
        let mallory = Party::of(flavour, 2);
        let signing = SigningKey::from_bytes(mallory.device.identity().seed());
        for key in low_order() {
            let mut bundle = mallory.device.bundle();
            bundle.signed_prekey = key;
            bundle.signature = signing.sign(&flavour.encode_key(&key)).to_bytes();
            if flavour == Flavour::Legacy {
                bundle.signature[63] |= signing.verifying_key().to_bytes()[31] & 0x80;
            }
            let refusal = bundle.verify().err();
            assert_eq!(
                refusal,
                Some(BundleError::Key(KeyError::LowOrder)),
                "{flavour:?}"
            );
        }
    }
}

/// DH2 of the initiator.
#[test]
fn all_zero_shared_secret_by_an_identity() {
    let bob = Party::of(Flavour::Omemo2, 2);
    for point in EIGHT_TORSION {
        let mut bundle = bob.device.bundle();
        bundle.identity = point.compress().to_bytes();
        assert!(matches!(bundle.verify(), Err(BundleError::Key(_))));
    }
    let bob = Party::of(Flavour::Legacy, 2);
    for key in low_order() {
        let mut bundle = bob.device.bundle();
        bundle.identity = key;
        assert!(matches!(bundle.verify(), Err(BundleError::Key(_))));
    }
}

/// DH2, DH3 and DH4 of the responder, and DH1 by the initiator's identity.
#[test]
fn all_zero_shared_secret_by_the_keys_of_a_key_exchange() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = strangers_in(flavour);
        alice.start(&bob);
        let genuine = alice.send("genuine");
        let header = KeyExchange::parse(flavour, &genuine.key).unwrap().header;
        let identity = match flavour {
            Flavour::Legacy => header.identity.curve25519().as_bytes(),
            Flavour::Omemo2 => header.identity.as_bytes(),
        };
        for key in low_order() {
            let forged = swapped(&genuine, header.ephemeral.as_bytes(), &key);
            assert_eq!(refused(&mut bob, &forged), Reason::Malformed);
            let forged = swapped(&genuine, identity, &key);
            assert_eq!(refused(&mut bob, &forged), Reason::Malformed);
        }
        bob.expect(&genuine, "genuine");
    }
}

#[test]
fn all_zero_shared_secret_in_the_ratchet() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let genuine = alice.send("genuine");
        let message = chappe_omemo::AuthenticatedMessage::parse(flavour, &genuine.key).unwrap();
        let ratchet_key = *message.message.ratchet_key.as_bytes();
        for key in low_order() {
            let forged = swapped(&genuine, &ratchet_key, &key);
            assert_eq!(refused(&mut bob, &forged), Reason::Malformed);
        }
        bob.expect(&genuine, "genuine");
    }
}

/// Messages of one flavour mean nothing in the other, even between the same identities.
#[test]
fn a_message_of_the_other_flavour() {
    let (mut alice, mut bob) = acquainted_in(Flavour::Omemo2);
    let (mut legacy_alice, _) = acquainted_in(Flavour::Legacy);
    let sent = legacy_alice.send("legacy");
    refused(&mut bob, &sent);
    let payload = alice.send("x").payload;
    refused(&mut bob, &Encrypted { payload, ..sent });
}

/// AD flips with direction in the legacy flavour: a message cannot be sent back to its author.
#[test]
fn reflection_of_a_message_to_its_sender() {
    for flavour in FLAVOURS {
        let (mut alice, _) = acquainted_in(flavour);
        let sent = alice.send("out");
        refused(&mut alice, &sent);
    }
}

#[test]
fn replay_of_a_message_from_the_current_chain_an_old_chain_and_long_ago() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let old = alice.send("old chain");
        bob.expect(&old, "old chain");
        let answer = bob.send("step");
        alice.expect(&answer, "step");
        let current = alice.send("current chain");
        bob.expect(&current, "current chain");
        for sent in [&old, &current] {
            assert_eq!(refused(&mut bob, sent), Reason::Duplicate);
        }
        // Longer ago than duplicates are remembered, the key itself is gone.
        for _ in 0..=MAX_REMEMBERED {
            let next = alice.send_empty();
            bob.read(&next).ok().unwrap();
        }
        for sent in [&old, &current] {
            assert_eq!(refused(&mut bob, sent), Reason::Spent);
        }
    }
}

#[test]
fn replay_of_a_key_exchange_after_the_session_was_lost() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = strangers_in(flavour);
        alice.start(&bob);
        let first = alice.send("first");
        bob.expect(&first, "first");
        assert_eq!(refused(&mut bob, &first), Reason::Duplicate);
        bob.sessions = Sessions::new();
        assert_eq!(refused(&mut bob, &first), Reason::UnknownPreKey);
    }
}

/// A forged header can ask for as many steps as it likes; what is done before the proof is bounded, over all
/// sessions together, and nothing is kept of it.
#[test]
fn forged_headers_that_cost_cpu() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        for _ in 0..=MAX_JUMP {
            alice.send_empty();
        }
        let far = alice.send_empty();
        assert_eq!(refused(&mut bob, &far), Reason::Jump);
        // A foreign ratchet key and a high number.
        let message = chappe_omemo::AuthenticatedMessage::parse(flavour, &far.key).unwrap();
        let forged = swapped(&far, message.message.ratchet_key.as_bytes(), &[9; 32]);
        assert_eq!(refused(&mut bob, &forged), Reason::Jump);
    }
}

/// A changed block breaks the padding, a changed tag does not: both are the same error, and so is what is
/// told of it.
#[test]
fn padding_errors_are_like_mac_errors() {
    let (mut alice, mut bob) = acquainted_in(Flavour::Omemo2);
    let genuine = alice.send("a text that has more than one block of sixteen bytes");
    let length = genuine.key.len();
    let mut reasons = Vec::new();
    for index in length - 32..length {
        let mut forged = genuine.clone();
        forged.key[index] ^= 0xff;
        reasons.push(refused(&mut bob, &forged));
    }
    let mut forged = genuine.clone();
    forged.key[4] ^= 1;
    reasons.push(refused(&mut bob, &forged));
    assert!(
        reasons
            .iter()
            .all(|reason| *reason == Reason::Authentication)
    );
    let payload = genuine.payload.clone().unwrap();
    for index in 0..payload.len() {
        let mut forged = genuine.clone();
        forged.payload.as_mut().unwrap()[index] ^= 0xff;
        assert_eq!(refused(&mut bob, &forged), Reason::Payload);
    }
    bob.expect(
        &genuine,
        "a text that has more than one block of sixteen bytes",
    );
}
