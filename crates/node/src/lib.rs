//! A whole node: envelope, OMEMO, gossip and hops behind one `handle_input` and one `poll_output`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod carry;
mod chains;
mod clock;
mod command;
mod compose;
mod config;
mod contact;
mod deletion;
mod deliver;
mod file;
mod identity;
mod input;
mod introduction;
mod lock;
mod memory_store;
mod message;
mod neighbour;
mod node;
mod older_copy;
mod outbox;
mod output;
mod people;
mod quota;
mod receipts;
mod record;
pub mod recording;
mod room;
mod room_hear;
mod room_talk;
mod store;
mod upgrade;

pub use chappe_gossip::policies::SprayAndPull;
pub use chappe_omemo::ciphermachine::{KeyFormError, MachineKey, PassphraseError};
pub use chappe_omemo::sce::Timestamp;
pub use compose::MAX_OPAQUE_LEN;
pub use config::{NodeConfig, PolicyChoice, Profile, QUOTA_PER_CONTACT, Role};
pub use contact::{Contact, ContactId, SafetyNumber, Trust};
pub use input::{Command, CommandId, Input, LinkUp};
pub use lock::Lock;
pub use memory_store::{ENTRY_OVERHEAD, MemoryStore};
pub use message::{
    Content, Delivery, Draft, FileInfo, InRoom, Incoming, MAX_FILE_LEN, MAX_TEXT_LEN, MessageId,
    MessageSelection, Outgoing,
};
pub use node::{Node, NodeError};
pub use output::{
    CarriedEnvelope, CommandError, Event, Output, Peer, Refusals, Reply, Shortage, Status,
};
pub use room::{MAX_ROOM_MEMBERS, Room, RoomId};
pub use store::{MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table};
pub use upgrade::{BULK_MTU, MOVE_UP_ABOVE, Upgrade};
