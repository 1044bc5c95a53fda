//! Beacons and greetings from strangers, of every length and content.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_ble::{BEACON_LEN, Beacon, BeaconError, Greeting, GreetingError, Psm, Token};
use proptest::prelude::*;

#[test]
fn a_beacon_is_laid_out_as_documented() {
    let beacon = Beacon {
        psm: Psm::new(0x85),
        token: Token::new(*b"abcdefgh"),
    };
    assert_eq!(beacon.encode(), *b"\x01\x85abcdefgh");
}

#[test]
fn a_greeting_is_laid_out_as_documented() {
    let greeting = Greeting {
        from: Token::new(*b"abcdefgh"),
        to: Token::new(*b"ijklmnop"),
    };
    assert_eq!(greeting.encode(), *b"\x01abcdefghijklmnop");
}

#[test]
fn a_fixed_psm_and_a_later_version_are_refused() {
    assert_eq!(
        Beacon::decode(b"\x01\x7fabcdefgh"),
        Err(BeaconError::Psm(0x7f))
    );
    assert_eq!(
        Beacon::decode(b"\x02\x85abcdefgh"),
        Err(BeaconError::Version(2))
    );
    assert_eq!(Greeting::decode(&[2; 17]), Err(GreetingError::Version(2)));
}

#[test]
fn every_truncation_is_refused() {
    let beacon = Beacon {
        psm: None,
        token: Token::new([3; 8]),
    }
    .encode();
    let greeting = Greeting {
        from: Token::new([3; 8]),
        to: Token::new([4; 8]),
    }
    .encode();
    for length in 0..BEACON_LEN {
        assert_eq!(Beacon::decode(&beacon[..length]), Err(BeaconError::Short));
    }
    for length in 0..greeting.len() {
        assert_eq!(
            Greeting::decode(&greeting[..length]),
            Err(GreetingError::Length)
        );
    }
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(beacon) = Beacon::decode(&bytes) {
            prop_assert_eq!(&beacon.encode()[..], &bytes[..BEACON_LEN]);
        }
        if let Ok(greeting) = Greeting::decode(&bytes) {
            prop_assert_eq!(&greeting.encode()[..], &bytes[..]);
        }
    }
}
