//! Finding out what two stores do not have in common, in bytes that grow with the difference and not with the
//! stores.
//!
//! Both methods work on the short ids of one link. Where an estimate promises a few differences, the end that opens sends
//! a [`Sketch`], of 8 bytes for each. Otherwise, or where that was too small, the other end sends coded [`Symbol`]s of a
//! rateless invertible Bloom lookup table (Yang, Gilad, Alizadeh: "Practical Rateless Set Reconciliation", SIGCOMM
//! 2024), 12 bytes each, until the difference can be read out of them: about 1.4 to 1.8 for each item that only one end
//! has. What is read is exact: a sketch's difference has to explain the two digests, and symbols have to cancel out.
//!
//! ```
//! use chappe_gossip::reconcile::{Decoder, Encoder};
//! use chappe_wire::{LinkSalt, ShortId};
//!
//! let salt = LinkSalt::new([7; 16]);
//! let theirs = (0..1_000).map(ShortId::new);
//! let mine = (3..1_002).map(ShortId::new);
//!
//! let mut encoder = Encoder::new(&salt, theirs);
//! let mut decoder = Decoder::new(&salt, mine);
//! while !decoder.is_complete() {
//!     decoder.push(&encoder.produce(8));
//! }
//! let difference = decoder.difference().map(ShortId::get);
//! assert_eq!(difference.collect::<Vec<_>>(), [0, 1, 2, 1_000, 1_001]);
//! ```

mod decoder;
mod encoder;
mod field;
mod polynomial;
pub(crate) mod session;
mod sizing;
mod sketch;
mod symbols;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use sketch::Sketch;
pub use symbols::{MAX_SYMBOLS, Mapping, Symbol};
