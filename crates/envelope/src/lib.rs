//! What strangers carry: sealed envelopes that only sender and recipient can link to anyone.
//!
//! - [`SendChain`] and [`ReceiveChain`] are the two ends of one direction between two devices: recipient tags by
//!   counter, single-use keys, padding, receipts. Loss and disorder are the normal case.
//! - [`blob`] cuts files into envelopes that look like any other.
//! - [`Invite`] is the `chappe:` URI that one person hands to another.
//! - [`SafetyNumber`] is what two people compare.
//!
//! The layout of an envelope as relays see it is [`chappe_wire::Envelope`]. For other implementers all of this is
//! in `proto/envelope.md`, with test vectors beside it.
//!
//! Nothing here reads a clock, draws randomness or touches a disk; a failure changes no state; secrets are wiped
//! when dropped.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod blob;
mod counter;
mod invite;
mod kdf;
mod keys;
mod reader;
mod receive;
mod receive_state;
mod safety_number;
mod seal;
mod secret;
mod send;
mod state;

pub use counter::Counter;
pub use invite::{
    BareJid, DisplayName, Invite, InviteError, InvitePreKey, InviteSignedPreKey, MAX_JID_LEN,
    MAX_NAME_LEN, MAX_URI_LEN, TextError,
};
pub use receive::{
    COARSE_AHEAD, Claim, MAX_HOLE_EPOCHS, MAX_HOLES, Opened, ReceiveChain, TagChanges, WINDOW,
};
pub use safety_number::{SafetyNumber, SafetyNumberError};
pub use seal::{MAX_PLAINTEXT, OpenError, SealError};
pub use secret::{ChainRoot, Direction, InboxSecret, PairSecret, ReceiptSecret};
pub use send::{Sealed, SendChain};
pub use state::StateError;
