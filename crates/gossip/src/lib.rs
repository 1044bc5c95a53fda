//! The router: exact reconciliation with few bytes, custody under quotas, receipts, copy budgets.
//!
//! [`Router`] decides what this node carries, what it asks its neighbours for and what it hands over in which
//! order. It never sees the body of an envelope. How items spread is a [`Policy`](policy::Policy); two come with
//! it, in [`policies`]. How two neighbours find out what they do not have in common is in [`reconcile`].
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod budget;
mod change;
mod config;
mod custody;
mod deadlines;
mod draw;
mod item;
mod link;
mod outline;
pub mod policies;
pub mod policy;
mod quota;
mod receipts;
pub mod reconcile;
mod router;
mod seen;
mod shelf;
mod slots;
mod stats;
mod surroundings;
mod tiered;

pub use budget::OverBudget;
pub use change::{Change, DropReason};
pub use config::{Config, LinkBudget, Rate};
pub use draw::{Draw, Share};
pub use item::{Class, Copies, Ingress, SeenEntry, StoredItem, StoredReceipt};
pub use link::{LinkSetup, MAX_WANTS};
pub use router::{
    Arrival, Full, Handover, Misbehaviour, OutFrame, Received, Refusal, Router, Transferred,
};
pub use stats::Stats;
