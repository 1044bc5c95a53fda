//! Any text as a contact URI: what reads as one is written in one form, which reads the same.
//! Input: the text as it is, or after a zero byte the bytes below the checksum.
#![no_main]

use chappe_envelope::{Invite, SafetyNumber};
use data_encoding::BASE32_NOPAD;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    let text = match bytes {
        [0, body @ ..] => {
            let checksum = Sha256::digest(body);
            format!(
                "chappe:{}",
                BASE32_NOPAD.encode(&[body, &checksum[..4]].concat())
            )
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    if let Ok(invite) = Invite::from_uri(&text) {
        assert_eq!(Invite::from_uri(&invite.to_uri()), Ok(invite));
    }
    let _ = text.parse::<SafetyNumber>();
});
