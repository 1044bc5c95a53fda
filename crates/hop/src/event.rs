//! What a hop tells the node above.

use alloc::vec::Vec;
use core::fmt;

use chappe_wire::{Hello, LinkSalt, WireVersion};

use crate::PeerKey;

/// Something that happened on a hop.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HopEvent {
    /// The handshake is done. Comes once, before all frames.
    Established {
        /// The key that the other end proved to hold.
        peer: PeerKey,
        /// What the other end speaks.
        hello: Hello,
        /// The version that both speak from here on.
        version: WireVersion,
        /// The salt of this link, from the hash of the handshake; both ends hold the same.
        salt: LinkSalt,
    },
    /// The next frame of the other end, in the order in which it sent them.
    Frame(Vec<u8>),
}

impl fmt::Debug for HopEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Established { peer, version, .. } => f
                .debug_struct("Established")
                .field("peer", peer)
                .field("version", version)
                .finish_non_exhaustive(),
            Self::Frame(frame) => write!(f, "Frame({} bytes)", frame.len()),
        }
    }
}
