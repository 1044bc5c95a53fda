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
//! | `gatt` | the service, and how a neighbour finds its place in it |
//! | `packets`, `greeted`, `session` | a channel, the greeting on it, a link while it is up |
//! | `linux/` | both roles: BlueZ over D-Bus, and the kernel's sockets |
//! | `central/` | the central role alone, by btleplug: macOS and Windows |
//!
//! [`BleTransport`] has both roles at once on Linux. Elsewhere it has the central role only: it connects to nodes
//! that advertise, over GATT, and two of its kind cannot meet.
#![deny(missing_docs)]

mod att;
mod beacon;
#[cfg(any(feature = "central", not(target_os = "linux")))]
mod central;
mod finding;
mod gatt;
mod greeted;
mod greeting;
#[cfg(target_os = "linux")]
mod linux;
mod neighbours;
mod options;
mod packets;
mod pauses;
mod session;
mod token;
mod transport;

pub use att::AttMtu;
pub use beacon::{BEACON_LEN, Beacon, BeaconError, Psm, SERVICE};
#[cfg(not(target_os = "linux"))]
pub use central::check;
pub use finding::Finding;
pub use greeting::{GREETING_LEN, Greeting, GreetingError};
#[cfg(target_os = "linux")]
pub use linux::check::check;
pub use neighbours::{Bearing, Dial, Held, LinkKey, MAX_HEARD, Neighbours, Opening, Side, Verdict};
pub use options::{BearerChoice, BleOptions, OptionError, Roles};
pub use token::{TOKEN_LEN, Token};
pub use transport::BleTransport;
