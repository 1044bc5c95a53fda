//! A whole node: envelope, OMEMO, gossip and hops behind one `handle_input` and one `poll_output`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod store;

pub use store::{MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table};
