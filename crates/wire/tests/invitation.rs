//! An invitation is what was written, or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_wire::{Invitation, MAX_INVITATION_LEN};
use proptest::prelude::*;

fn invitation() -> impl Strategy<Value = Invitation> {
    let place = (
        any::<u16>(),
        any::<[u8; 16]>(),
        any::<u16>(),
        any::<[u8; 32]>(),
    );
    ("[ -~]{0,32}", "[ -~]{0,63}", place).prop_map(
        |(ssid, passphrase, (frequency, address, port, key))| Invitation {
            ssid,
            passphrase,
            frequency,
            address,
            port,
            key,
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read(told in invitation()) {
        let bytes = told.encode();
        prop_assert!(bytes.len() <= MAX_INVITATION_LEN);
        prop_assert_eq!(Invitation::decode(&bytes).unwrap(), told);
    }

    #[test]
    fn what_was_cut_off_or_changed_is_another_one_or_none(
        told in invitation(),
        cut in 0_usize..200,
        bit in 0_usize..1600,
    ) {
        let mut bytes = told.encode();
        let place = bit / 8 % bytes.len();
        bytes[place] ^= 1 << (bit % 8);
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Ok(read) = Invitation::decode(&bytes) {
            prop_assert!(read.ssid.len() <= 32 && read.passphrase.len() <= 63);
        }
    }

    #[test]
    fn arbitrary_bytes_are_within_bounds_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = Invitation::decode(&bytes) {
            prop_assert!(bytes.len() <= MAX_INVITATION_LEN && read.ssid.len() <= 32);
        }
    }
}

#[test]
fn a_passphrase_is_not_in_a_log() {
    let told = Invitation {
        ssid: "DIRECT-ab".into(),
        passphrase: "swordfish".into(),
        frequency: 0,
        address: [0; 16],
        port: 0,
        key: [0; 32],
    };
    assert!(!format!("{told:?}").contains("swordfish"));
}
