//! Any bytes as an envelope: parsing never panics, and what parses is kept byte for byte.
#![no_main]

use chappe_wire::{BodySize, Envelope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert_eq!(envelope.as_bytes(), bytes);
        assert_eq!(
            BodySize::of_known_version(&envelope).is_some(),
            envelope.header().version == 1
        );
    }
});
