//! Few round trips pass between the coming up of a link and the first envelope.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "common/first_envelope.rs"]
mod first_envelope;

use chappe_testkit::Side;
use first_envelope::first_envelope;

/// South waits for the other end to speak, and so hears first what that one has.
const ROUND_TRIPS: [(Side, f64); 2] = [(Side::North, 3.5), (Side::South, 3.0)];

#[test]
fn the_first_envelope_takes_three_and_a_half_round_trips_at_most() {
    for (side, most) in ROUND_TRIPS {
        for (mtu, common) in [(185, 0), (512, 20), (16 * 1024 - 2, 1)] {
            let first = first_envelope(side, mtu, common);
            let of = format!("{side:?}, packets of {mtu}, {common} envelopes in common");
            assert!(first.round_trips <= most, "{of}: {first:?}");
            assert!(
                (500..4_000).contains(&first.bytes_before),
                "{of}: {first:?}"
            );
        }
    }
}
