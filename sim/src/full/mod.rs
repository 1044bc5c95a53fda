//! Whole nodes: hop handshakes, reconciliation, sealed messages, stores and receipts, in virtual time.
//!
//! Each node is a [`chappe_node::Node`] over a store in memory. What it transmits is what goes over the links, packet by
//! packet, at their rates. Whoever writes to another was introduced before: both have scanned each other's contact URI and
//! said hello, on a link of their own that is no part of the run.
//!
//! What is a model, not a measurement:
//! - A link has one rate, and packets of [`MTU`] bytes. A node takes part in one transmission at a time, over all its
//!   links; ends of a link take turns.
//! - A message of the scenario is a text of its size, or a file where it is longer than a text can be; padding and seal come
//!   on top. It is at least as long as its number.
//! - A node that stops loses what was not committed, and is built anew from its store.
//! - Who floods writes sealed messages for nobody. Other nodes that mean harm are not modelled: a node here is honest.
//! - Cut transfers are not seen from outside: `aborted` is 0. What is on the air and no part of an envelope that was taken
//!   counts as control bytes, handshakes and padding of packets included.

mod drain;
mod engine;
mod faults;
mod introduction;
mod letter;
mod node;

pub use engine::{FullError, MTU, run_world};
