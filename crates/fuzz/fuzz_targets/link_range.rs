//! The range file: what is read is written and read back the same; what is refused has a line of the file.
#![no_main]

use chappe_link::air::{Range, RangeError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    match Range::parse(text) {
        Ok(range) => assert_eq!(Range::parse(&range.to_toml()).unwrap(), range),
        Err(RangeError::Syntax { line, .. }) => {
            assert!(line >= 1 && line <= text.matches('\n').count() + 1);
        }
        Err(_) => assert!(text.len() > chappe_link::air::MAX_RANGE_LEN),
    }
});
