//! The hash that binds all chunks of a blob.

use core::fmt;

use chappe_wire::ItemId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{BlobError, BlobPlan};

/// The hash over the ids of all chunks of a blob, in their order.
#[derive(Clone, Copy)]
pub struct BlobRoot([u8; 32]);

impl BlobRoot {
    /// The root with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the root.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for BlobRoot {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BlobRoot {}

impl fmt::Debug for BlobRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// Computes a [`BlobRoot`] as the chunks are sealed or come in, one after the other.
///
/// The root is the SHA-256 of `"chappe blob root v1"`, the number of chunks (4 bytes, big-endian) and the ids of
/// all chunks in their order.
#[derive(Clone)]
pub struct RootHasher {
    hash: Sha256,
    missing: Option<u32>,
}

impl RootHasher {
    /// Begins the root of a blob.
    pub fn new(plan: &BlobPlan) -> Self {
        let chunks = plan.chunks();
        let hash = Sha256::new()
            .chain_update(b"chappe blob root v1")
            .chain_update(chunks.to_be_bytes());
        Self {
            hash,
            missing: Some(chunks),
        }
    }

    /// Adds the id of the next chunk.
    pub fn add(&mut self, id: &ItemId) {
        self.hash.update(id.as_bytes());
        self.missing = self.missing.and_then(|missing| missing.checked_sub(1));
    }

    /// The root, after all chunks.
    ///
    /// # Errors
    /// [`BlobError::ChunkCount`] after fewer or more chunks than planned.
    pub fn finish(self) -> Result<BlobRoot, BlobError> {
        match self.missing {
            Some(0) => Ok(BlobRoot(self.hash.finalize().into())),
            _ => Err(BlobError::ChunkCount),
        }
    }
}
