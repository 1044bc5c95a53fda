//! End-to-end encrypted messages over whatever links devices have, with no server: the facade for programs
//! that embed Chappe.
//!
//! A [`Builder`] starts a node and answers with a handle, [`Chappe`], and a stream of [`Events`]. The node runs
//! on a thread of its own, so that its disk never blocks the runtime of the program around it.
//!
//! ```
//! use chappe::{Builder, Profile};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (node, _events) = Builder::in_memory(Profile::named("north")).start().await?;
//! let uri = node.invite().await?;
//! assert!(uri.to_lowercase().starts_with("chappe:"));
//! node.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! The [`manual`] tells the rest: getting started, bringing one's own OMEMO, and what is promised.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod builder;
mod driver;
mod error;
mod events;
mod handle;
pub mod home;
pub mod manual;
mod recording;
#[cfg(all(feature = "wifi-direct", target_os = "linux"))]
pub mod wifi_direct;

pub use builder::{Builder, StartError};
pub use error::Error;
pub use events::{EVENT_BACKLOG, Events, Update};
pub use handle::Chappe;
pub use home::{Home, HomeError, Profile};
pub use recording::Recording;

#[cfg(feature = "ble")]
pub use chappe_ble as ble;
pub use chappe_envelope::{Invite, InviteError};
pub use chappe_link as link;
pub use chappe_node::{
    CarriedEnvelope, CommandError, Contact, ContactId, Content, Delivery, Draft, Event, FileInfo,
    Incoming, KeyFormError, MAX_FILE_LEN, MAX_TEXT_LEN, MachineKey, MessageId, MessageSelection,
    NodeConfig, Outgoing, Peer, PolicyChoice, QUOTA_PER_CONTACT, Room, RoomId, SafetyNumber,
    Shortage, SprayAndPull, Status, StoreError, Trust,
};
pub use chappe_store::{KeyError, OpenError};
pub use chappe_wire as wire;
