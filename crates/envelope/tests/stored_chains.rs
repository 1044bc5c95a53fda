//! Stored states come back as they were, and bytes that are no state are refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::sync::LazyLock;

use chappe_envelope::{Counter, ReceiveChain, SealError, SendChain, StateError};
use chappe_wire::Lifetime;
use proptest::prelude::*;
use support::{Receiver, envelopes, root};

/// The state of a chain with holes in five past epochs and in the present one.
static BUSY: LazyLock<Vec<u8>> = LazyLock::new(|| busy_chain().to_bytes().to_vec());

fn busy_chain() -> ReceiveChain {
    let envelopes = envelopes(400);
    let mut receiver = Receiver::new();
    for number in [3, 64, 70, 128, 129, 256, 300, 320, 330] {
        receiver.deliver(&envelopes[number]);
    }
    assert!(receiver.chain.holes() > 300);
    receiver.chain
}

#[test]
fn a_sender_goes_on_where_it_was() {
    let mut straight = SendChain::new(root());
    let mut restarted = SendChain::new(root());
    for _ in 0..200 {
        restarted = SendChain::from_bytes(&restarted.to_bytes()).unwrap();
        let one = straight.seal(Lifetime::DAY, b"same").unwrap();
        assert_eq!(one, restarted.seal(Lifetime::DAY, b"same").unwrap());
    }
    assert_eq!(straight.sealed(), 200);
    assert_eq!(straight.to_bytes().len(), 41);
}

#[test]
fn a_receiver_keeps_its_holes_and_counts() {
    let chain = busy_chain();
    let again = ReceiveChain::from_bytes(&chain.to_bytes()).unwrap();
    assert_eq!(again.to_bytes(), chain.to_bytes());
    assert!(again.expected().eq(chain.expected()));
}

#[test]
fn the_last_counter_is_the_end_of_a_chain() {
    let mut bytes = SendChain::new(root()).to_bytes();
    bytes[1..9].copy_from_slice(&(Counter::LIMIT - 1).to_be_bytes());
    let mut chain = SendChain::from_bytes(&bytes).unwrap();
    assert_eq!(
        chain.seal(Lifetime::DAY, b"").unwrap().1.counter.get(),
        Counter::LIMIT - 1
    );
    let before = chain.to_bytes();
    assert_eq!(
        chain.seal(Lifetime::DAY, b"").unwrap_err(),
        SealError::Exhausted
    );
    assert_eq!(chain.to_bytes(), before);
    assert!(SendChain::from_bytes(&before).is_ok());

    bytes[1..9].copy_from_slice(&(Counter::LIMIT + 1).to_be_bytes());
    assert_eq!(
        SendChain::from_bytes(&bytes).err(),
        Some(StateError::Malformed)
    );
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let sender = SendChain::new(root()).to_bytes();
    let receiver = busy_chain().to_bytes();
    for length in 0..sender.len() {
        assert!(SendChain::from_bytes(&sender[..length]).is_err());
    }
    for length in 0..receiver.len() {
        assert!(ReceiveChain::from_bytes(&receiver[..length]).is_err());
    }
    assert!(SendChain::from_bytes(&[&sender[..], &[0]].concat()).is_err());
    assert!(ReceiveChain::from_bytes(&[&receiver[..], &[0]].concat()).is_err());
    assert!(SendChain::from_bytes(&receiver).is_err());
    assert!(ReceiveChain::from_bytes(&sender).is_err());
}

#[test]
fn a_later_version_is_named() {
    let mut bytes = busy_chain().to_bytes();
    bytes[0] = 2;
    assert_eq!(
        ReceiveChain::from_bytes(&bytes).err(),
        Some(StateError::UnknownVersion(2))
    );
    assert_eq!(
        SendChain::from_bytes(&bytes).err(),
        Some(StateError::UnknownVersion(2))
    );
}

#[test]
fn states_that_contradict_themselves_are_refused() {
    let good = busy_chain().to_bytes();
    let malformed = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = good.to_vec();
        change(&mut bytes);
        assert_eq!(
            ReceiveChain::from_bytes(&bytes).err(),
            Some(StateError::Malformed)
        );
    };
    malformed(&|bytes| bytes[1] = 0xff); // a counter above the limit
    malformed(&|bytes| bytes[41..49].fill(0xff)); // holes among counters still to come
    malformed(&|bytes| bytes[59 + 40..59 + 48].fill(0)); // a past epoch without holes
    malformed(&|bytes| bytes.copy_within(59..107, 107)); // an epoch twice
    malformed(&|bytes| bytes[59 + 4 * 48] = 1); // a past epoch in the future
    malformed(&|bytes| bytes[57..59].fill(0xff)); // more epochs than there are
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_reads_arbitrary_bytes_writes_them_again(
        mut bytes in prop::collection::vec(any::<u8>(), 0..160),
        epochs in 0..3_u8,
    ) {
        // Most of the cases get past the version and the number of epochs.
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        if let Some(count) = bytes.get_mut(57..59) {
            count.copy_from_slice(&[0, epochs]);
        }
        if let Ok(chain) = SendChain::from_bytes(&bytes) {
            prop_assert_eq!(&*chain.to_bytes(), &bytes);
        }
        if let Ok(chain) = ReceiveChain::from_bytes(&bytes) {
            prop_assert_eq!(&*chain.to_bytes(), &bytes);
        }
    }

    #[test]
    fn a_flipped_bit_is_refused_or_another_state(bit in 0..(59 + 5 * 48) * 8_usize) {
        prop_assert_eq!(BUSY.len(), 59 + 5 * 48);
        let mut bytes = BUSY.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(chain) = ReceiveChain::from_bytes(&bytes) {
            prop_assert_eq!(&*chain.to_bytes(), &bytes);
            prop_assert_ne!(&bytes, &*BUSY);
        }
    }
}
