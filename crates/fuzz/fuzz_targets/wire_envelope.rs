//! An envelope is parsed from arbitrary bytes; what is accepted is exactly what was received.
#![no_main]

use chappe_wire::{Envelope, HEADER_LEN, MAX_ENVELOPE_LEN, VERSION};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(envelope) = Envelope::parse(data) else {
        return;
    };
    assert!(data.len() <= MAX_ENVELOPE_LEN);
    assert_eq!(envelope.as_bytes(), data);
    assert_eq!(envelope.body(), &data[HEADER_LEN..]);
    let header = *envelope.header();
    if header.version == VERSION {
        let again = Envelope::compose(
            header.lifetime,
            header.tag,
            header.commitment,
            envelope.body(),
        )
        .expect("a body that was accepted");
        assert_eq!(again.as_bytes(), data);
    }
});
