//! The further layer: a key that two people have exchanged without a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::ciphermachine::{
    KeyFormError, KeyRing, Locked, MAX_OLD_KEYS, MachineKey, OVERHEAD, PassphraseError, TooLong,
};
use chappe_omemo::{Device, Identity, MAX_PLAINTEXT_LEN, Sessions};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use support::{Party, acquainted};

const CONTEXT: &[u8] = b"alice to bob";
const TEXT: &[u8] = b"the bridge is down, take the ferry";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([5; 32])
}

fn key(number: u8) -> MachineKey {
    MachineKey::from_bytes(&[number; 32])
}

/// The attacker holds all OMEMO state of both devices, and the message. The content stays closed.
#[test]
fn all_omemo_keys_of_both_sides_do_not_open_it() {
    let (mut alice, bob) = acquainted();
    let stolen = (alice.state(), bob.state());
    let machine = KeyRing::new(key(1));
    let sealed = machine.seal(&mut rng(), CONTEXT, TEXT).unwrap();
    let sent = alice
        .sessions
        .encrypt(&mut alice.rng, Some(&sealed))
        .unwrap();

    let ((_, _), (device, sessions)) = stolen;
    let mut thief = Party {
        device: Device::from_bytes(&device).unwrap(),
        sessions: Sessions::from_bytes(&sessions).unwrap(),
        rng: rng(),
    };
    let got = thief.read(&sent).unwrap().plaintext.unwrap();
    assert_eq!(got, sealed, "OMEMO is open for the thief");
    assert!(
        !got.windows(4)
            .any(|window| TEXT.windows(4).any(|text| text == window))
    );
    assert_eq!(KeyRing::new(key(2)).open(CONTEXT, &got), Err(Locked));
    assert_eq!(&machine.open(CONTEXT, &got).unwrap()[..], TEXT);
}

#[test]
fn a_wrong_or_missing_key_a_change_and_a_plain_text_are_one_error() {
    let machine = KeyRing::new(key(1));
    let sealed = machine.seal(&mut rng(), CONTEXT, TEXT).unwrap();
    assert_eq!(sealed.len(), TEXT.len() + OVERHEAD);
    assert_eq!(KeyRing::new(key(2)).open(CONTEXT, &sealed), Err(Locked));
    assert_eq!(machine.open(b"bob to alice", &sealed), Err(Locked));
    assert_eq!(machine.open(CONTEXT, b"<envelope/>"), Err(Locked));
    assert_eq!(machine.open(CONTEXT, TEXT), Err(Locked));
    for index in 0..sealed.len() {
        let mut forged = sealed.clone();
        forged[index] ^= 1 << (index % 8);
        assert_eq!(machine.open(CONTEXT, &forged), Err(Locked), "{index}");
        assert_eq!(
            machine.open(CONTEXT, &sealed[..index]),
            Err(Locked),
            "{index}"
        );
    }
    assert!(machine.open(CONTEXT, &sealed).is_ok());
}

#[test]
fn what_has_the_form_of_something_sealed_is_told_apart() {
    let sealed = KeyRing::new(key(1)).seal(&mut rng(), CONTEXT, b"").unwrap();
    assert_eq!(sealed.len(), OVERHEAD);
    assert!(KeyRing::is_sealed(&sealed));
    assert!(!KeyRing::is_sealed(&sealed[..OVERHEAD - 1]));
    assert!(!KeyRing::is_sealed(&[b'<'; OVERHEAD]));
    assert!(!KeyRing::is_sealed(b""));
}

#[test]
fn the_longest_content_is_sealed_and_no_longer_one() {
    let machine = KeyRing::new(key(1));
    let seal = |length| machine.seal(&mut rng(), CONTEXT, &vec![7; length]);
    let longest = seal(MAX_PLAINTEXT_LEN).unwrap();
    assert_eq!(
        machine.open(CONTEXT, &longest).unwrap().len(),
        MAX_PLAINTEXT_LEN
    );
    assert_eq!(seal(MAX_PLAINTEXT_LEN + 1), Err(TooLong));
}

#[test]
fn keys_rotate_and_old_ones_open_what_is_under_way() {
    let mut ring = KeyRing::new(key(0));
    let first = ring.seal(&mut rng(), CONTEXT, TEXT).unwrap();
    for number in 1..=MAX_OLD_KEYS as u8 {
        ring.rotate(key(number));
        assert!(ring.open(CONTEXT, &first).is_ok(), "{number}");
    }
    let newest = ring.seal(&mut rng(), CONTEXT, TEXT).unwrap();
    assert!(
        KeyRing::new(key(MAX_OLD_KEYS as u8))
            .open(CONTEXT, &newest)
            .is_ok()
    );
    ring.rotate(key(99));
    assert_eq!(ring.open(CONTEXT, &first), Err(Locked));
    assert!(ring.open(CONTEXT, &newest).is_ok());
    ring.forget_old();
    assert_eq!(ring.open(CONTEXT, &newest), Err(Locked));
}

/// No two messages with one key have anything in common that a stranger could see.
#[test]
fn the_id_of_a_key_is_another_one_in_each_message() {
    let (machine, mut rng) = (KeyRing::new(key(1)), rng());
    let one = machine.seal(&mut rng, CONTEXT, TEXT).unwrap();
    let two = machine.seal(&mut rng, CONTEXT, TEXT).unwrap();
    assert!(
        one[1..]
            .windows(4)
            .all(|a| two[1..].windows(4).all(|b| a != b))
    );
}

#[test]
fn words_are_those_of_bip_39() {
    // Test vectors of BIP-0039 for 256 bits.
    let zeros = format!("{}art", "abandon ".repeat(23));
    assert_eq!(**MachineKey::from_bytes(&[0; 32]).to_words(), *zeros);
    let ones = format!("{}vote", "zoo ".repeat(23));
    assert_eq!(**MachineKey::from_bytes(&[0xff; 32]).to_words(), *ones);
    let sevens = "legal winner thank year wave sausage worth useful legal winner thank year wave \
                  sausage worth useful legal winner thank year wave sausage worth title";
    assert_eq!(**MachineKey::from_bytes(&[0x7f; 32]).to_words(), *sevens);
    let read = MachineKey::from_words(&format!("  {}\n", sevens.to_uppercase())).unwrap();
    assert_eq!(read.as_bytes(), &[0x7f; 32]);
}

#[test]
fn slips_in_words_are_found() {
    let slip = format!("{}able", "abandon ".repeat(23));
    assert_eq!(
        MachineKey::from_words(&slip).err(),
        Some(KeyFormError::Checksum)
    );
    for text in ["", "abandon", &"abandon ".repeat(25), "fog on the hill"] {
        assert_eq!(
            MachineKey::from_words(text).err(),
            Some(KeyFormError::Form),
            "{text}"
        );
    }
}

#[test]
fn a_passphrase_makes_the_same_key_for_both_and_another_for_others() {
    let identity = |number| Identity::from_seed(&[number; 32]).public();
    let (alice, bob, carol) = (identity(1), identity(2), identity(3));
    let phrase = "semaphore towers in the evening fog";
    let make = |phrase: &str, one, other| {
        *MachineKey::from_passphrase(phrase, one, other)
            .unwrap()
            .as_bytes()
    };
    let shared = make(phrase, &alice, &bob);
    assert_eq!(make(&format!(" {phrase} "), &bob, &alice), shared);
    assert_ne!(make(phrase, &alice, &carol), shared);
    let short = MachineKey::from_passphrase("fifteen letters", &alice, &bob);
    assert_eq!(short.err(), Some(PassphraseError::Short));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_form_of_a_key_is_read_again(bytes: [u8; 32]) {
        let key = MachineKey::from_bytes(&bytes);
        prop_assert_eq!(*MachineKey::from_words(&key.to_words()).unwrap().as_bytes(), bytes);
        prop_assert_eq!(*MachineKey::from_uri(&key.to_uri()).unwrap().as_bytes(), bytes);
    }

    #[test]
    fn arbitrary_texts_never_panic(text in ".{0,80}", words in "([a-z]{3,5} ){0,30}") {
        for text in [text.clone(), words, format!("chappe-key:{text}")] {
            let _ = (MachineKey::from_words(&text), MachineKey::from_uri(&text));
        }
    }

    #[test]
    fn arbitrary_bytes_stay_locked(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        prop_assert_eq!(KeyRing::new(key(1)).open(CONTEXT, &bytes), Err(Locked));
    }
}
