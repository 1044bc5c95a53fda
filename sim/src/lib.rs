//! The simulator: contacts and messages in, what a router makes of them out, and the physical bound beside it.
//!
//! [`event`] has what everything speaks of: times, nodes, contacts, messages. [`trace`] reads them from files.
#![forbid(unsafe_code)]

pub mod draws;
pub mod event;
pub mod movement;
pub mod trace;
pub mod units;

pub use event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex, SimTime,
    TraceError,
};
pub use units::Rate;
