//! Any bytes as a frame: decoding never panics, and what decodes does so again after encoding.
#![no_main]

use chappe_wire::{decode_frame, encode_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(body) = decode_frame(bytes) {
        assert_eq!(decode_frame(&encode_frame(body.clone())), Ok(body));
    }
});
