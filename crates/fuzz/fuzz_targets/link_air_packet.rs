//! The air's framing: what comes out encodes to what went in, and no more is held than was pushed.
#![no_main]

use chappe_link::air::{PacketDecoder, encode_packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else {
        return;
    };
    let mut decoder = PacketDecoder::new(300);
    let mut encoded = Vec::new();
    for piece in data.chunks(usize::from(piece) + 1) {
        decoder.push(piece);
        loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => encoded.extend(encode_packet(&packet).unwrap()),
                Ok(None) => break,
                Err(_) => return assert!(data.starts_with(&encoded)),
            }
        }
        assert!(decoder.buffered() < 302);
    }
    assert!(data.starts_with(&encoded));
    assert_eq!(encoded.len() + decoder.buffered(), data.len());
});
