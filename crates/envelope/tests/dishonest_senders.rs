//! Who has the keys can still seal in one form only: everything else does not open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use chappe_envelope::{OpenError, ReceiveChain};
use chappe_wire::{Envelope, Preimage};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use support::{counter, one, root};

/// What a sender may choose, honestly at first.
struct Sender {
    version: u8,
    tag: [u8; 16],
    padded: Vec<u8>,
    preimage: Option<[u8; 16]>,
}

fn honest() -> Sender {
    let mut padded = vec![0; 240];
    padded[1] = 2;
    padded[2..4].copy_from_slice(b"hi");
    Sender {
        version: 1,
        tag: keys()[..16].try_into().unwrap(),
        padded,
        preimage: None,
    }
}

/// The keys of counter 0 in these tests, by the text of `proto/envelope.md`.
fn keys() -> [u8; 64] {
    let (mut root, mut keys) = ([0; 32], [0; 64]);
    Hkdf::<Sha256>::new(None, &[7; 32])
        .expand(b"chappe chain v1\x00", &mut root)
        .unwrap();
    Hkdf::<Sha256>::from_prk(&root)
        .unwrap()
        .expand(b"message\x00", &mut keys)
        .unwrap();
    keys
}

/// Seals whatever the sender chose, with an authenticator that is right.
fn seal(sender: Sender) -> Envelope {
    let keys = keys();
    let mut mac = Hmac::<Sha256>::new_from_slice(&keys[16..32]).unwrap();
    mac.update(&[1, 4]);
    mac.update(&sender.padded);
    let computed = mac.finalize().into_bytes()[..16].try_into().unwrap();
    let commitment = Preimage::new(sender.preimage.unwrap_or(computed)).commitment();

    let header = [&[sender.version, 4][..], &sender.tag, commitment.as_bytes()].concat();
    let nonce = Nonce::try_from(&commitment.as_bytes()[..12]).unwrap();
    let mut body = sender.padded;
    let cipher = ChaCha20Poly1305::new_from_slice(&keys[32..]).unwrap();
    let seal = cipher
        .encrypt_inout_detached(&nonce, &header, body.as_mut_slice().into())
        .unwrap();
    Envelope::parse([&header[..], &body, &seal].concat()).unwrap()
}

fn assert_refused(sender: Sender) {
    let mut chain = ReceiveChain::new(root());
    let before = chain.to_bytes();
    assert_eq!(
        chain.open(counter(0), &seal(sender)).unwrap_err(),
        OpenError
    );
    assert_eq!(chain.to_bytes(), before);
}

#[test]
fn the_honest_form_opens() {
    assert_eq!(seal(honest()), one(b"hi").0);
    assert!(
        ReceiveChain::new(root())
            .open(counter(0), &seal(honest()))
            .is_ok()
    );
}

#[test]
fn a_commitment_that_no_receipt_of_the_recipient_opens() {
    assert_refused(Sender {
        preimage: Some([9; 16]),
        ..honest()
    });
}

#[test]
fn padding_other_than_zeros() {
    for at in [4, 100, 239] {
        let mut sender = honest();
        sender.padded[at] = 1;
        assert_refused(sender);
    }
}

#[test]
fn a_length_beyond_the_end() {
    for length in [239_u16, 240, 4078, u16::MAX] {
        let mut sender = honest();
        sender.padded[..2].copy_from_slice(&length.to_be_bytes());
        assert_refused(sender);
    }
}

#[test]
fn the_tag_of_something_else() {
    assert_refused(Sender {
        tag: [3; 16],
        ..honest()
    });
}

#[test]
fn another_version() {
    assert_refused(Sender {
        version: 2,
        ..honest()
    });
}

#[test]
fn a_body_that_is_larger_than_need_be_is_fine() {
    let mut sender = honest();
    sender.padded.resize(1024 - 16, 0);
    let opened = ReceiveChain::new(root())
        .open(counter(0), &seal(sender))
        .unwrap();
    assert_eq!(*opened.plaintext, b"hi");
}
