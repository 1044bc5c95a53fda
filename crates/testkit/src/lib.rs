//! Test tools: a [`World`] of real nodes in virtual time, with links that lose, repeat and reorder packets,
//! nodes that crash and start again, and a [`Pair`] of people in it.
//!
//! Nothing here is part of the product. Tools of tests may panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod pair;
mod pipe;
mod world;

pub use chappe_store::MemoryStore;
pub use pair::{Pair, Side};
pub use pipe::Weather;
pub use world::{NodeIndex, World};
