//! Receipts: an envelope commits to a value that only its sender and recipient know; whoever shows the value
//! may let holders drop the envelope.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::ItemId;

/// What an envelope commits to: the first 16 bytes of SHA-256 over `"chappe receipt v1"` and the preimage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment([u8; 16]);

impl Commitment {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The commitment with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the commitment.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id under which a receipt for this commitment is reconciled between neighbours.
    pub fn receipt_id(&self) -> ItemId {
        let mut hash = Sha256::new();
        hash.update(b"chappe receipt id v1");
        hash.update(self.0);
        ItemId::new(hash.finalize().into())
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// The value behind a [`Commitment`]: a receipt. It is secret until its recipient lets it go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preimage([u8; 16]);

impl Preimage {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The preimage with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the preimage.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The commitment that this value opens.
    pub fn commitment(&self) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(b"chappe receipt v1");
        hash.update(self.0);
        let digest: [u8; 32] = hash.finalize().into();
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = from;
        }
        Commitment(bytes)
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage(..)")
    }
}
