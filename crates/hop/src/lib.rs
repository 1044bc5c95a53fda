//! One hop of Chappe: an encrypted, reliable, ordered exchange of frames between two neighbours, over any link
//! that gives packets of 20 bytes or more.
//!
//! The link may lose, double, reorder and alter packets, and anyone may inject some. The two ends prove their
//! keys to each other in a Noise XX handshake; whatever is not authentic is dropped and changes nothing.
//! Messages are cut into packets here and nowhere else, and put together one hop further on.
//!
//! | file | concept |
//! |---|---|
//! | `hop` | [`Hop`], its phases and the calling contract: begin here |
//! | `handshake`, `resolver`, `key` | Noise XX, its cryptography, the ends' keys |
//! | `session` | records in both directions once the keys are agreed |
//! | `packet` | the first byte of a packet, cutting, reassembly |
//! | `record`, `packet_number`, `cipher` | what one encryption holds, its number, its key |
//! | `outbound`, `inbound`, `ranges` | the two streams of frames and their bounds |
//! | `recovery`, `rtt` | acknowledgements, losses, timeouts |
//!
//! The layouts, timers and limits are written down for other implementations in `proto/hop.md`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod cipher;
mod config;
mod error;
mod event;
mod handshake;
mod hop;
mod inbound;
mod key;
mod outbound;
mod packet;
mod packet_number;
mod ranges;
mod record;
mod recovery;
mod resolver;
mod rtt;
mod session;
mod stats;

#[doc(hidden)]
pub mod hazmat;

pub use cipher::RECORDS_PER_KEY;
pub use config::{HopConfig, Mtu, MtuOutOfRange, Role};
pub use error::{HopError, HopFull, Violation};
pub use event::HopEvent;
pub use hop::{HANDSHAKE_TIMEOUT, Hop};
pub use inbound::RECEIVE_WINDOW;
pub use key::{PeerKey, StaticKey};
pub use outbound::SEND_BUFFER_LEN;
pub use packet::{MAX_FRAGMENTS, MAX_RECORD_LEN};
pub use recovery::MAX_TIMEOUTS;
pub use session::{KEEP_ALIVE, MAX_ACK_DELAY, SILENCE_TIMEOUT};
pub use stats::HopStats;

/// The most memory that one hop holds, in bytes: the two windows, one record, one message in pieces, and the
/// notes on what is under way. Packets and frames that were handed out are not counted.
pub const MAX_HOP_MEMORY: usize = 192 * 1024;
