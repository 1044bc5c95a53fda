//! Any bytes as an invitation: decoding never panics, and what decodes does so again after encoding.
#![no_main]

use chappe_wire::Invitation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(told) = Invitation::decode(bytes) {
        assert_eq!(Invitation::decode(&told.encode()), Ok(told));
    }
});
