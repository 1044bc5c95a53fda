//! On the chain of a contact URI everybody who has seen the URI can seal: nothing moves and no receipt exists
//! before the content has shown whose it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_envelope::{
    ChainRoot, Counter, InboxSecret, PairSecret, ReceiptSecret, ReceiveChain, SendChain,
};
use chappe_wire::Lifetime;

fn root() -> ChainRoot {
    ChainRoot::of_inbox(&InboxSecret::new([2; 16]))
}

fn secret(byte: u8) -> ReceiptSecret {
    ReceiptSecret::of_session(&PairSecret::new([byte; 32]))
}

#[test]
fn the_other_side_of_the_session_gets_the_receipt_that_the_sender_committed_to() {
    let (envelope, sealed) = SendChain::new(root())
        .seal_with_receipt_of(Lifetime::WEEK, b"hello", &secret(1))
        .unwrap();
    let mut chain = ReceiveChain::new(root());
    let claim = chain.unseal(sealed.counter, &envelope).unwrap();
    assert_eq!(claim.plaintext(), b"hello");
    let counter = claim.counter();
    let receipt = claim.receipt(&secret(1)).unwrap();
    assert_eq!(receipt.commitment(), envelope.header().commitment);
    let changes = chain.mark_seen(counter).unwrap();
    assert_eq!(changes.removed[0].0, envelope.header().tag);
    assert!(chain.unseal(counter, &envelope).is_err(), "it is seen once");
    assert!(chain.mark_seen(counter).is_err());
}

#[test]
fn the_uri_alone_makes_no_receipt() {
    let (envelope, sealed) = SendChain::new(root())
        .seal_with_receipt_of(Lifetime::WEEK, b"hello", &secret(1))
        .unwrap();
    // Who has the URI can look inside the seal, and that is all.
    let mut other = ReceiveChain::new(root());
    assert!(other.open(sealed.counter, &envelope).is_err());
    let claim = other.unseal(sealed.counter, &envelope).unwrap();
    assert!(claim.receipt(&secret(2)).is_err());
}

#[test]
fn content_that_somebody_else_sealed_anew_gets_no_receipt() {
    let (envelope, sealed) = SendChain::new(root())
        .seal_with_receipt_of(Lifetime::WEEK, b"somebody else's hello", &secret(9))
        .unwrap();
    let chain = ReceiveChain::new(root());
    let claim = chain.unseal(sealed.counter, &envelope).unwrap();
    assert!(claim.receipt(&secret(1)).is_err());
}

#[test]
fn garbage_under_a_tag_takes_nothing_from_the_honest_envelope() {
    let mut chain = ReceiveChain::new(root());
    let before = chain.to_bytes();
    let (garbage, _) = SendChain::new(root())
        .seal(Lifetime::WEEK, b"garbage")
        .unwrap();
    assert!(chain.unseal(Counter::FIRST, &garbage).is_ok());
    assert_eq!(chain.to_bytes(), before);
    let (honest, _) = SendChain::new(root())
        .seal_with_receipt_of(Lifetime::WEEK, b"hello", &secret(1))
        .unwrap();
    let claim = chain.unseal(Counter::FIRST, &honest).unwrap();
    assert!(claim.receipt(&secret(1)).is_ok());
    assert!(chain.mark_seen(Counter::FIRST).is_ok());
}
