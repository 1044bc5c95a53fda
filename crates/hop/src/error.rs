//! Why a hop ends, and why a frame does not fit.

use alloc::vec::Vec;
use core::fmt;

use chappe_wire::{HelloError, MAX_FRAME_LEN};

/// Why a hop is over. All are final: close the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HopError {
    /// The handshake was not done in time.
    #[error("the handshake was not done in time")]
    HandshakeTimeout,
    /// The other end speaks no common version, or its hello is malformed.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// Nothing authentic came for too long.
    #[error("nothing was heard from the neighbour for too long")]
    Silent,
    /// What was sent was not acknowledged, however often it was repeated.
    #[error("the neighbour acknowledges nothing")]
    Unresponsive,
    /// The other end, authenticated, broke the protocol.
    #[error("the neighbour broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// All packet numbers of this hop are used up.
    #[error("all packet numbers are used up")]
    Exhausted,
    /// The cryptography refused its own inputs.
    #[error("the handshake could not be set up")]
    Setup,
}

/// How an authenticated neighbour broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A record that is not laid out as one.
    #[error("malformed record")]
    MalformedRecord,
    /// An acknowledgement of a record that was never sent.
    #[error("acknowledgement of a record that was not sent")]
    UnsentAcknowledged,
    /// More bytes than the credit allows.
    #[error("more data than the credit allows")]
    CreditExceeded,
    /// A frame that is empty or longer than [`MAX_FRAME_LEN`].
    #[error("frame of a forbidden length")]
    FrameLength,
}

/// A frame that was not queued, handed back: there is no room for it now, or it is empty or longer than
/// [`MAX_FRAME_LEN`] bytes and never fits.
#[derive(PartialEq, Eq, thiserror::Error)]
#[error("no room for a frame of {} bytes (of at most {MAX_FRAME_LEN})", .0.len())]
pub struct HopFull(pub Vec<u8>);

impl fmt::Debug for HopFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HopFull({} bytes)", self.0.len())
    }
}
