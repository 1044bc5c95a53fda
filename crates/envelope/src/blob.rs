//! Files: content that is larger than one envelope, cut into chunks that are envelopes like any other.
//!
//! The tags, keys and receipts of the chunks come from a [`BlobKey`] that travels in a sealed message, with the
//! rest of a [`BlobReference`]. To strangers a chunk is one more envelope of the largest size; the number of
//! chunks hides the exact size of the content.
//!
//! ```
//! use chappe_envelope::blob::{self, BlobKey, BlobPlan, BlobReference, RootHasher};
//! use chappe_wire::{ByteCount, Lifetime};
//!
//! let content = vec![7; 10_000];
//! let key = BlobKey::new([1; 32]);
//! let plan = BlobPlan::new(ByteCount::of(content.len()))?;
//! let mut hasher = RootHasher::new(&plan);
//! let mut envelopes = Vec::new();
//! for index in plan.indexes() {
//!     let envelope = blob::seal_chunk(&key, index, Lifetime::WEEK, plan.chunk(index, &content))?;
//!     hasher.add(&envelope.id());
//!     envelopes.push(envelope);
//! }
//! let reference = BlobReference::new(key, hasher.finish()?, plan);
//!
//! let mut received = Vec::new();
//! for (index, envelope) in reference.plan().indexes().zip(&envelopes) {
//!     received.extend_from_slice(&reference.open_chunk(index, envelope)?.content);
//! }
//! reference.verify(envelopes.iter().map(|envelope| envelope.id()))?;
//! assert_eq!(received, content);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod chunk;
mod plan;
mod reference;
mod root;

pub use chunk::{BlobKey, OpenedChunk, chunk_tags, open_chunk, seal_chunk};
pub use plan::{BlobPlan, CHUNK_CONTENT, ChunkIndex, MAX_BLOB, MAX_CHUNKS};
pub use reference::{BlobReference, VerifiedBlob};
pub use root::{BlobRoot, RootHasher};

/// What is wrong with a blob as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// Fewer or more chunks than the size calls for.
    #[error("the file has not as many chunks as its size calls for")]
    ChunkCount,
    /// More than [`MAX_BLOB`].
    #[error("the file is larger than 64 MiB")]
    TooLarge,
    /// The chunks are not the ones that the sender referred to.
    #[error("the chunks of the file do not match its root hash")]
    WrongRoot,
}
