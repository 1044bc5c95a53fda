//! What carries the packets of one link, whatever stands behind it.

use std::io;

/// A channel to a neighbour, open in both directions.
pub(crate) trait Packets: Sync {
    /// What it is called in `chappe peers`.
    fn bearer(&self) -> &'static str;

    /// The longest packet, in both directions.
    fn mtu(&self) -> usize;

    /// Whether what [`Packets::send`] takes arrives, in order, or the channel ends.
    fn reliable(&self) -> bool;

    /// Sends a packet once there is room. Cancelled, it has sent all or nothing.
    fn send(&self, packet: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// The next packet; `None` once the other end has closed.
    fn recv(&self) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;
}
