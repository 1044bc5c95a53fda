//! The ONE's semantics, event by event.
//!
//! The reference of the field (version c973bfb) ticks: all nodes update after each event and after each tick, in a
//! shuffled order. Here a node updates only when something about it has changed, which gives the same decisions,
//! hundreds of times faster. What is followed:
//!
//! 1. Events happen at their own time, and all nodes update after each of them and at the end of each tick.
//! 2. A node takes part in one transfer at a time, over all its links.
//! 3. A transfer is complete at the sender's first update at or after its end; less than a byte may be missing.
//! 4. The sender begins its next transfer in the same update; others find the link busy.
//! 5. First what neighbours are the destination of; then what neighbours hold for this node (if it holds anything
//!    itself); then what the policy chooses.
//! 6. Room is made when a transfer begins, of what was received first, except what is being sent. What arrives
//!    takes no room before it is complete.
//! 7. Lifetimes are in whole minutes, rounded down; once a minute, while not sending, a node drops what is over.
//!    Destinations accept what is over.
//! 8. Nobody is told of deliveries, unless the policy does so. Destinations remember for ever.
//! 9. What is written makes room too, and is stored even if nothing more can go.
//!
//! What cannot be followed is its random numbers: The ONE breaks ties by hashes of objects and by the second of the
//! simulation. So runs of several seeds are compared with its one run.

mod choice;
mod engine;
mod node;

pub use engine::{Replay, Settings};
