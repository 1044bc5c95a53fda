//! Any bytes as a roster: decoding never panics, and a roster is its bytes.
#![no_main]

use chappe_ip::Roster;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(roster) = Roster::parse(bytes) {
        assert_eq!(roster.to_bytes(), bytes);
    }
});
