//! Any bytes as a hello: decoding never panics, and what decodes does so again after encoding.
#![no_main]

use chappe_wire::Hello;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(hello) = Hello::decode(bytes) {
        assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
    }
});
