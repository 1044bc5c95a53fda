//! The wire of Chappe: ids, clocks, sizes, the sealed envelope's outer layout, the generated messages and
//! their bounded decoding.
//!
//! Everything a stranger can hand to a node passes through this crate first. Nothing here allocates from a
//! declared length, panics on any input, or reads a clock.
//!
//! ```
//! use chappe_wire::{BodySize, Commitment, Envelope, Lifetime, Tag};
//!
//! let body = [7; 256];
//! let envelope = Envelope::compose(Lifetime::WEEK, Tag::new([1; 16]), Commitment::new([2; 16]), &body)?;
//! let received = Envelope::parse(envelope.as_bytes().to_vec())?;
//! assert_eq!(received.id(), envelope.id());
//! assert_eq!(BodySize::of_known_version(&received), Some(BodySize::B256));
//! # Ok::<(), chappe_wire::EnvelopeError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod envelope;
mod frame;
mod hello;
mod id;
mod invitation;
mod outline;
mod receipt;
mod short;
mod size;
mod time;

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod generated;

/// Messages generated from `proto/chappe/v1`.
pub mod proto {
    pub use crate::generated::*;
}

pub use envelope::Tag;
pub use envelope::{Envelope, EnvelopeError, HEADER_LEN, Header, MAX_ENVELOPE_LEN, VERSION};
pub use frame::{FrameError, MAX_FRAME_LEN, decode_frame, encode_frame, is_for_node};
pub use hello::{
    CAN_MOVE_UP, Hello, HelloError, MAX_HELLO_LEN, NodeNonce, WIRE_VERSION, WireVersion,
};
pub use id::{ItemId, LinkId};
pub use invitation::{Invitation, InvitationError, MAX_INVITATION_LEN};
pub use outline::Outline;
pub use receipt::{Commitment, Preimage};
pub use short::{Digest, Fingerprint, LinkSalt, ShortId};
pub use size::{BodySize, ByteCount};
pub use time::{Age, Duration, Instant, Lifetime};
