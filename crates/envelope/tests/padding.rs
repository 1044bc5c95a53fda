//! Strangers see five sizes and no length.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_envelope::{MAX_PLAINTEXT, ReceiveChain, SealError, SendChain};
use chappe_wire::{BodySize, Lifetime};
use proptest::prelude::*;
use support::{one, root};

#[test]
fn each_size_holds_18_bytes_less_than_it_has() {
    for size in BodySize::ALL {
        let full = size.bytes() - 18;
        assert_eq!(
            BodySize::of_known_version(&one(&vec![1; full]).0),
            Some(size)
        );
        if full < MAX_PLAINTEXT {
            let next = one(&vec![1; full + 1]).0;
            assert!(BodySize::of_known_version(&next) > Some(size));
        }
    }
}

#[test]
fn the_longest_content_is_4078_bytes() {
    assert_eq!(MAX_PLAINTEXT, 4078);
    let mut chain = SendChain::new(root());
    let refused = chain.seal(Lifetime::WEEK, &[0; 4079]);
    assert_eq!(refused.unwrap_err(), SealError::TooLong);
    assert!(chain.seal(Lifetime::WEEK, &[0; 4078]).is_ok());
}

#[test]
fn no_content_is_content() {
    let (envelope, sealed) = one(b"");
    assert_eq!(BodySize::of_known_version(&envelope), Some(BodySize::B256));
    let opened = ReceiveChain::new(root())
        .open(sealed.counter, &envelope)
        .unwrap();
    assert!(opened.plaintext.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn content_of_every_length_comes_back(content in prop::collection::vec(any::<u8>(), 0..4078)) {
        let (envelope, sealed) = one(&content);
        let opened = ReceiveChain::new(root()).open(sealed.counter, &envelope).unwrap();
        prop_assert_eq!(opened.plaintext.as_slice(), content.as_slice());
    }
}
