//! The simulator: contacts and messages in, what a router makes of them out, and the physical bound beside it.
//!
//! [`event`] has what everything speaks of: times, nodes, contacts, messages. [`trace`] reads them from files.
#![forbid(unsafe_code)]

mod bits;
mod buffers;
pub mod compat;
pub mod cost;
pub mod draws;
pub mod event;
pub mod frame;
pub mod full;
pub mod log;
pub mod movement;
pub mod oracle;
mod outages;
mod outcome;
pub mod radio;
pub mod recorded;
pub mod replay;
pub mod report;
pub mod routers;
pub mod routing;
pub mod run;
pub mod scenario;
pub mod seeds;
mod slots;
pub mod sweep;
mod table;
pub mod tables;
mod timers;
pub mod trace;
pub mod traffic;
pub mod units;
mod upsets;

pub use buffers::{BufferSetting, BufferSettingError, Buffers};
pub use outcome::{Course, Outcome};

pub use event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex, SimTime,
    TraceError, UnknownNode,
};
pub use units::Rate;
