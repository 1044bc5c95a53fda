//! Keys that a hostile device could choose: of low order, not canonical, off the curve, with a torsion part.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    AuthenticatedMessage, BundleError, Flavour, IdentityKey, KeyError, KeyExchange, PublicKey,
    Reason,
};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::montgomery::MontgomeryPoint;
use support::{Party, acquainted, strangers};

/// 2^255 - 19, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

fn p_plus(difference: i16) -> [u8; 32] {
    let mut bytes = P;
    bytes[0] = (i16::from(bytes[0]) + difference) as u8;
    bytes
}

#[test]
fn x25519_keys_of_low_order_are_refused() {
    let mut low: Vec<[u8; 32]> = EIGHT_TORSION
        .iter()
        .map(|point| point.to_montgomery().to_bytes())
        .collect();
    low.push(p_plus(-1));
    let mut one = [0; 32];
    one[0] = 1;
    low.push(one);
    for bytes in &low {
        assert_eq!(
            PublicKey::from_bytes(*bytes),
            Err(KeyError::LowOrder),
            "{bytes:02x?}"
        );
        // Multiplication by the cofactor shows that these are the right ones.
        assert_eq!(
            MontgomeryPoint(*bytes).mul_clamped([0x42; 32]).to_bytes(),
            [0; 32]
        );
    }
    low.sort_unstable();
    low.dedup();
    assert_eq!(low.len(), 5);
}

#[test]
fn x25519_keys_that_are_not_canonical_are_refused() {
    for difference in 0..=18 {
        let key = PublicKey::from_bytes(p_plus(difference));
        assert_eq!(key, Err(KeyError::NotCanonical), "{difference}");
    }
    assert!(PublicKey::from_bytes(p_plus(-2)).is_ok());
    let mut high = [9; 32];
    assert!(PublicKey::from_bytes(high).is_ok());
    high[31] |= 0x80;
    assert_eq!(PublicKey::from_bytes(high), Err(KeyError::NotCanonical));
}

#[test]
fn ed25519_identities_of_low_order_or_in_another_form_are_refused() {
    for point in EIGHT_TORSION {
        let bytes = point.compress().to_bytes();
        let key = IdentityKey::from_bytes(bytes);
        assert_eq!(key, Err(KeyError::LowOrder), "{bytes:02x?}");
    }
    for difference in 0..=18 {
        let mut bytes = p_plus(difference);
        assert_eq!(IdentityKey::from_bytes(bytes), Err(KeyError::NotCanonical));
        bytes[31] |= 0x80;
        assert_eq!(IdentityKey::from_bytes(bytes), Err(KeyError::NotCanonical));
    }
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(
        IdentityKey::from_bytes(off_curve),
        Err(KeyError::NotOnCurve)
    );
}

#[test]
fn a_bundle_with_a_prekey_of_low_order_is_refused() {
    let bob = Party::new(2);
    let mut bundle = bob.device.bundle();
    bundle.prekeys[1].key = [0; 32];
    assert_eq!(
        bundle.verify().err(),
        Some(BundleError::Key(KeyError::LowOrder))
    );
    bundle.prekeys[1].key = P;
    assert_eq!(
        bundle.verify().err(),
        Some(BundleError::Key(KeyError::NotCanonical))
    );
}

/// The ephemeral key with its top bit set, or with a torsion part added, agrees on the same secrets, and
/// nothing authenticates its form: taken as it is, an old key exchange would look new.
#[test]
fn an_ephemeral_key_has_one_form() {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    let genuine = alice.send("genuine");
    let ephemeral = *KeyExchange::parse(Flavour::Omemo2, &genuine.key)
        .unwrap()
        .header
        .ephemeral
        .as_bytes();
    let at = genuine
        .key
        .windows(32)
        .position(|window| window == ephemeral)
        .unwrap();
    let before = bob.state();

    let mut high_bit = genuine.clone();
    high_bit.key[at + 31] |= 0x80;
    assert_eq!(
        bob.read(&high_bit).err().unwrap().reason(),
        Reason::Malformed
    );

    let edwards = MontgomeryPoint(ephemeral).to_edwards(0).unwrap();
    for torsion in &EIGHT_TORSION[1..] {
        let mut twisted = genuine.clone();
        let other = (edwards + torsion).to_montgomery().to_bytes();
        assert_ne!(other, ephemeral);
        twisted.key[at..at + 32].copy_from_slice(&other);
        assert_eq!(bob.read(&twisted).err().unwrap().reason(), Reason::Key);
    }
    assert_eq!(bob.state(), before);
    bob.expect(&genuine, "genuine");
}

#[test]
fn a_ratchet_key_of_low_order_is_refused() {
    let (mut alice, mut bob) = acquainted();
    let genuine = alice.send("genuine");
    let element = AuthenticatedMessage::parse(Flavour::Omemo2, &genuine.key).unwrap();
    let ratchet_key = *element.message.ratchet_key.as_bytes();
    let at = genuine
        .key
        .windows(32)
        .position(|window| window == ratchet_key)
        .unwrap();
    for point in EIGHT_TORSION {
        let mut forged = genuine.clone();
        forged.key[at..at + 32].copy_from_slice(&point.to_montgomery().to_bytes());
        assert_eq!(bob.read(&forged).err().unwrap().reason(), Reason::Malformed);
    }
    bob.expect(&genuine, "genuine");
}
