//! Counters of one hop.

use chappe_wire::Duration;

/// What a hop has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopStats {
    /// Packets handed in by the link.
    pub packets_in: u64,
    /// Packets handed out to the link.
    pub packets_out: u64,
    /// Bytes of the packets handed in.
    pub bytes_in: u64,
    /// Bytes of the packets handed out.
    pub bytes_out: u64,
    /// Packets and records that were not believed: malformed, not authentic, seen before, or out of place.
    pub dropped: u64,
    /// Records whose contents were sent again because they seemed lost, and repeated handshake messages.
    pub retransmitted: u64,
    /// The smoothed round-trip time, once known.
    pub rtt: Option<Duration>,
}
