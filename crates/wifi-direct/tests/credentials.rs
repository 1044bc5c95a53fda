//! Names and passphrases of groups: fresh ones are good ones, and bad ones are refused.

use chappe_wifi_direct::{Credentials, CredentialsError};
use proptest::prelude::*;

proptest! {
    #[test]
    fn fresh_ones_are_taken_by_others(random in any::<[u8; 24]>()) {
        let fresh = Credentials::from_random(random);
        prop_assert_eq!(fresh.ssid().len(), 9);
        prop_assert_eq!(fresh.passphrase().len(), 22);
        prop_assert_eq!(Credentials::new(fresh.ssid(), fresh.passphrase()), Ok(fresh));
    }

    #[test]
    fn arbitrary_text_is_taken_as_it_is_or_refused(ssid in "(DIRECT-)?\\PC{0,40}", passphrase in "\\PC{0,70}") {
        if let Ok(told) = Credentials::new(&ssid, &passphrase) {
            prop_assert_eq!(told.ssid(), &ssid);
            prop_assert_eq!(told.passphrase(), &passphrase);
            prop_assert!(ssid.len() <= 32 && (8..64).contains(&passphrase.len()));
            prop_assert!(!ssid.contains('"') && !passphrase.contains('"'));
        }
    }
}

#[test]
fn what_wpa_supplicant_would_read_differently_is_refused() {
    let ssid = |ssid| Credentials::new(ssid, "12345678").err();
    assert_eq!(ssid("DIRECT-ab"), None);
    for bad in [
        "DIRECT-a",
        "direct-ab",
        "home",
        "DIRECT-a\"b",
        "DIRECT-a b",
        "DIRECT-a\n",
    ] {
        assert_eq!(ssid(bad), Some(CredentialsError::Ssid), "{bad:?}");
    }
    let passphrase = |passphrase| Credentials::new("DIRECT-ab", passphrase).err();
    for bad in [
        "1234567",
        "12345678\"",
        "1234567\\8",
        "1234567 8",
        "12345678é",
    ] {
        assert_eq!(
            passphrase(bad),
            Some(CredentialsError::Passphrase),
            "{bad:?}"
        );
    }
}

#[test]
fn nobody_reads_the_passphrase_in_a_log() {
    let told = Credentials::from_random([3; 24]);
    assert!(!format!("{told:?}").contains(told.passphrase()));
}
