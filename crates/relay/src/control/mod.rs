//! How commands reach a node: over the socket of a running one, or on the home itself when none runs.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod protocol;
pub(crate) mod server;
mod socket;
pub(crate) mod troubles;
