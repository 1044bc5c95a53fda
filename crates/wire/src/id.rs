//! Ids: hashes of what they name, or handles that mean something on this machine only.

use core::fmt;

use sha2::{Digest as _, Sha256};

/// The id of something a node carries: the SHA-256 of all its immutable bytes.
///
/// For an envelope these are the bytes as received, never a re-encoding. A receipt's id is derived from the
/// commitment that it opens (see [`Commitment::receipt_id`](crate::Commitment::receipt_id)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId([u8; 32]);

impl ItemId {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The id with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// A link of this node, as long as it is up. Never sent to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u64);

impl LinkId {
    /// The link with this number. Numbers are not used again within one run of a node.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the link.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0)
    }
}
