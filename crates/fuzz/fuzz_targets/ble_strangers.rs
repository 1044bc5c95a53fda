//! Beacons and greetings: what is read is what was written, and a greeting has one encoding.
#![no_main]

use chappe_ble::{BEACON_LEN, Beacon, Greeting};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(beacon) = Beacon::decode(data) {
        assert!(data.starts_with(&beacon.encode()));
        assert!(data.len() >= BEACON_LEN);
    }
    if let Ok(greeting) = Greeting::decode(data) {
        assert_eq!(greeting.encode(), data);
    }
});
