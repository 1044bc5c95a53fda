//! Stored states: what is accepted is written back as it was, and works.
#![no_main]

use chappe_omemo::trust::TrustBook;
use chappe_omemo::{Device, Sessions};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    if let Ok(mut device) = Device::from_bytes(data) {
        assert_eq!(&device.to_bytes()[..], data);
        let _ = device.reserve_prekey(&mut ChaCha20Rng::from_seed([1; 32]));
    }
    if let Ok(book) = TrustBook::from_bytes(data) {
        assert_eq!(book.to_bytes(), data);
    }
    if let Ok(mut sessions) = Sessions::from_bytes(data) {
        assert_eq!(&sessions.to_bytes()[..], data);
        let _ = sessions.encrypt(&mut ChaCha20Rng::from_seed([1; 32]), Some(b"text"));
    }
});
