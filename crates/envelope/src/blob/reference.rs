//! What a message says about a file, and how the file is checked against it.

use core::fmt;

use chappe_wire::{ByteCount, Envelope, ItemId, Tag};

use super::BlobError;
use super::chunk::{BlobKey, OpenedChunk, chunk_tags, open_chunk};
use super::plan::{BlobPlan, ChunkIndex};
use super::root::{BlobRoot, RootHasher};
use crate::OpenError;

/// All that a recipient needs to find, open and check the chunks of a blob.
///
/// It travels in a sealed message: the key and the root, 32 bytes each, and the size of the content, from which
/// the number of chunks follows.
#[derive(Clone)]
pub struct BlobReference {
    key: BlobKey,
    root: BlobRoot,
    plan: BlobPlan,
}

/// Proof that all chunks of a blob are the ones that its sender referred to. Only
/// [`BlobReference::verify`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedBlob {
    /// The size of the content.
    pub size: ByteCount,
    /// The root that was checked.
    pub root: BlobRoot,
}

impl BlobReference {
    /// The reference to a blob with this key, root and plan.
    pub const fn new(key: BlobKey, root: BlobRoot, plan: BlobPlan) -> Self {
        Self { key, root, plan }
    }

    /// The key.
    pub const fn key(&self) -> &BlobKey {
        &self.key
    }

    /// The hash over all chunks.
    pub const fn root(&self) -> &BlobRoot {
        &self.root
    }

    /// How the content was cut.
    pub const fn plan(&self) -> &BlobPlan {
        &self.plan
    }

    /// The tags of all chunks, in order.
    pub fn tags(&self) -> impl Iterator<Item = (Tag, ChunkIndex)> + use<> {
        chunk_tags(&self.key, self.plan.chunks())
    }

    /// Opens the envelope that came with the tag of the chunk at `index`.
    ///
    /// # Errors
    /// [`OpenError`] for every reason alike, also for a chunk that is not as long as the plan says.
    pub fn open_chunk(
        &self,
        index: ChunkIndex,
        envelope: &Envelope,
    ) -> Result<OpenedChunk, OpenError> {
        let opened = open_chunk(&self.key, index, envelope)?;
        let range = self.plan.range(index);
        let planned = index.get() < self.plan.chunks();
        if !planned || ByteCount::of(opened.content.len()).get() != range.end - range.start {
            return Err(OpenError);
        }
        Ok(opened)
    }

    /// Checks the ids of all chunks, in order, against the root. The blob is complete only after this.
    ///
    /// # Errors
    /// [`BlobError::ChunkCount`] or [`BlobError::WrongRoot`].
    pub fn verify(&self, ids: impl IntoIterator<Item = ItemId>) -> Result<VerifiedBlob, BlobError> {
        let mut hasher = RootHasher::new(&self.plan);
        for id in ids {
            hasher.add(&id);
        }
        let size = self.plan.size();
        let root = hasher.finish()?;
        if root == self.root {
            Ok(VerifiedBlob { size, root })
        } else {
            Err(BlobError::WrongRoot)
        }
    }
}

impl fmt::Debug for BlobReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("BlobReference");
        debug
            .field("root", &self.root)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
