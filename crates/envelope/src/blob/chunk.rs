//! One chunk: sealing and opening.

use alloc::vec::Vec;
use core::fmt;

use chappe_wire::{BodySize, Envelope, Lifetime, Preimage, Tag};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::plan::{ChunkIndex, MAX_CHUNKS};
use crate::kdf::Prf;
use crate::keys::KeySource;
use crate::seal::{seal, unseal};
use crate::{OpenError, SealError};

/// The key of one blob: whoever has it recognises and reads the chunks. Wiped from memory when dropped, and
/// never printed:
///
/// ```compile_fail,E0277
/// println!("{:?}", chappe_envelope::blob::BlobKey::new([7; 32]));
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BlobKey([u8; 32]);

impl BlobKey {
    /// A fresh key, for one blob only.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a sealed message or an encrypted store only.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keys of the chunks, by their index.
    fn chunks(&self) -> KeySource {
        KeySource::new(Prf::extracted(&self.0), b"chappe blob v1")
    }
}

/// What a chunk contained. Its content is wiped when dropped.
#[non_exhaustive]
pub struct OpenedChunk {
    /// The content, as it was sealed; empty in chunks that only pad.
    pub content: Zeroizing<Vec<u8>>,
    /// The receipt: it opens the envelope's commitment.
    pub preimage: Preimage,
}

impl fmt::Debug for OpenedChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedChunk").finish_non_exhaustive()
    }
}

/// Seals one chunk into an envelope of the largest size, however much it holds.
///
/// Tag, receipt key and seal key are the 64 bytes of HKDF-SHA-256 over the blob key, without salt, with the info
/// `"chappe blob v1"` and the index (4 bytes, big-endian). The seal is that of every envelope.
///
/// # Errors
/// [`SealError::TooLong`] above [`CHUNK_CONTENT`](super::CHUNK_CONTENT).
pub fn seal_chunk(
    key: &BlobKey,
    index: ChunkIndex,
    lifetime: Lifetime,
    content: &[u8],
) -> Result<Envelope, SealError> {
    let keys = key.chunks().keys(&index.to_bytes());
    seal(&keys, lifetime, BodySize::B4096, content).map(|(envelope, _)| envelope)
}

/// Opens the envelope that came with the tag of the chunk at `index`.
///
/// # Errors
/// [`OpenError`] for every reason alike.
pub fn open_chunk(
    key: &BlobKey,
    index: ChunkIndex,
    envelope: &Envelope,
) -> Result<OpenedChunk, OpenError> {
    let unsealed = unseal(&key.chunks().keys(&index.to_bytes()), envelope)?;
    Ok(OpenedChunk {
        content: unsealed.plaintext,
        preimage: unsealed.preimage,
    })
}

/// The tags of the first `count` chunks, at most [`MAX_CHUNKS`], in order.
pub fn chunk_tags(key: &BlobKey, count: u32) -> impl Iterator<Item = (Tag, ChunkIndex)> + use<> {
    let keys = key.chunks();
    let indexes = (0..count.min(MAX_CHUNKS)).filter_map(ChunkIndex::new);
    indexes.map(move |index| (keys.tag(&index.to_bytes()), index))
}
