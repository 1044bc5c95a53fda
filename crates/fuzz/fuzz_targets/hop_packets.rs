//! Packets into an established hop: garbage as a stranger sends it, and sealed blocks as a hostile neighbour
//! does. Each begins with its length and which of the two it is.
#![no_main]

use chappe_hop::{MAX_HOP_MEMORY, hazmat::EstablishedPair};
use chappe_wire::{Duration, Instant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut pair = EstablishedPair::new();
    let mut now = Instant::ZERO;
    let (mut rest, mut frames) = (data, 0);
    while let [length, sealed, after @ ..] = rest {
        let (bytes, after) = after.split_at(after.len().min(usize::from(*length)));
        now = now.after(Duration::from_millis(u64::from(*sealed)));
        let packet = if sealed & 1 == 1 { pair.seal(bytes) } else { bytes.to_vec() };
        if pair.hop.handle_packet(now, &packet).is_err() || pair.hop.handle_timeout(now).is_err() {
            break;
        }
        while let Some(chappe_hop::HopEvent::Frame(frame)) = pair.hop.poll_event() {
            frames += frame.len();
        }
        while pair.hop.poll_transmit(now).is_some() {}
        rest = after;
    }
    assert!(frames <= data.len().min(MAX_HOP_MEMORY));
});
