//! Bluetooth LE: neighbours found without a name, and links to them.
//!
//! A node advertises a [`Beacon`]: this service, a random [`Token`] that lives for one epoch, and where it
//! listens. It scans for others at the same time, and opens a link to each: an L2CAP credit-based channel where
//! both ends offer one, else writes and notifications of GATT ([`BearerChoice`]). The first packet of a link is a
//! [`Greeting`] with the tokens of both, so that two nodes that connect at the same moment end with one link. Who
//! is dialled, when, and which link gives way is decided in [`Neighbours`], without I/O.
//!
//! | file | what |
//! |---|---|
//! | `beacon`, `greeting`, `token` | what strangers see |
//! | `att` | how much fits into a value of GATT |
//! | `neighbours`, `pauses` | decisions, in virtual time |
//! | `options` | every setting, with its default |
//! | `linux/` | BlueZ over D-Bus, and the kernel's sockets |
//!
//! [`BleTransport`] works on Linux. Elsewhere it does not start, and says so.
#![deny(missing_docs)]

mod att;
mod beacon;
mod greeting;
#[cfg(target_os = "linux")]
mod linux;
mod neighbours;
mod options;
mod pauses;
mod token;
mod transport;

pub use att::AttMtu;
pub use beacon::{BEACON_LEN, Beacon, BeaconError, Psm, SERVICE};
pub use greeting::{GREETING_LEN, Greeting, GreetingError};
#[cfg(target_os = "linux")]
pub use linux::check::{Finding, check};
pub use neighbours::{Bearing, Dial, Held, LinkKey, MAX_HEARD, Neighbours, Opening, Side, Verdict};
pub use options::{BearerChoice, BleOptions, OptionError};
pub use token::{TOKEN_LEN, Token};
pub use transport::BleTransport;
