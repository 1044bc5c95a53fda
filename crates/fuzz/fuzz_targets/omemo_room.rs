//! Messages and keys of a room, and links to files, from a hostile member.
#![no_main]

use chappe_omemo::media::AesgcmLink;
use chappe_omemo::room::{RoomKey, SenderKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(mut key) = RoomKey::from_distribution(data) {
        assert!(key.open(b"room", data).is_err());
    }
    if let Ok(key) = RoomKey::from_bytes(data) {
        assert_eq!(&key.to_bytes()[..], data);
    }
    if let Ok(mut key) = SenderKey::from_bytes(data) {
        assert_eq!(&key.to_bytes()[..], data);
        let _ = key.seal(b"room", b"text");
    }
    if let Some(link) = core::str::from_utf8(data).ok().and_then(AesgcmLink::parse) {
        let _ = link.open(data);
    }
});
