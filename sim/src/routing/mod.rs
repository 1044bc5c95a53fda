//! The router that devices run, on recorded contacts, without the rest of a node.
//!
//! Each node has a [`chappe_gossip::Router`]: it reconciles, asks, offers, hands over, evicts and forgets as it does
//! in a device, and all its frames take time on the air. What is left out is the seal, the Noise session and the store:
//! a message is an opaque envelope of the size that the trace gives it. Time is exact; there are no ticks.
//!
//! What is a model, not a measurement:
//! - A contact has the rate of the trace or of the settings from its first moment to its last. There is no set-up; the
//!   links of a scenario begin after it.
//! - A node takes part in one transmission at a time, over all its links, as in The ONE. Ends of a link take turns.
//! - A message travels as the chunks do that a file is cut into: what has arrived of it when a contact ends counts, in
//!   whole chunks of 4,096 bytes, whoever sends the rest.
//! - A recipient lets its receipt go after 5 to 10 seconds, in batches, as a device does for verified contacts.
//! - Lost, damaged and doubled packets cost airtime, because hops repair them: a link is that much slower. A node that
//!   stops keeps what it holds, because it commits before it speaks, and its clock goes on. Junk counts as transferred
//!   and dropped, not as written.
//! - Lifetimes are the seven classes of the wire: relays keep a message for the shortest class that is not shorter than
//!   asked for. What arrives after the lifetime asked for does not count as delivered.

mod engine;
mod faults;
mod node;
mod post;

pub use engine::{Network, Settings, run_world};
