//! How content is cut, and how its size is hidden.

use core::ops::Range;

use chappe_wire::ByteCount;

use super::BlobError;
use crate::MAX_PLAINTEXT;

/// The largest content of a blob: 64 MiB.
pub const MAX_BLOB: ByteCount = ByteCount::from_mib(64);
/// How many bytes of content one chunk holds: 4,078.
pub const CHUNK_CONTENT: usize = MAX_PLAINTEXT;
/// The most chunks of one blob: 16,457.
pub const MAX_CHUNKS: u32 = MAX_BLOB.get().div_ceil(CHUNK_CONTENT as u64) as u32;

/// The place of a chunk in its blob, less than [`MAX_CHUNKS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkIndex(u32);

impl ChunkIndex {
    /// The place with this number, if it is less than [`MAX_CHUNKS`].
    pub const fn new(number: u32) -> Option<Self> {
        if number < MAX_CHUNKS {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    pub(crate) const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

/// How content of one size is cut into chunks of [`CHUNK_CONTENT`] bytes.
///
/// What strangers could count is the number of chunks, so the size is first padded by Padmé (Nikitin and others,
/// "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019): at most 12 %
/// more, and less the larger the content is. Chunks beyond the content are sealed empty. Empty content has one
/// chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobPlan {
    size: u64,
}

impl BlobPlan {
    /// The plan for content of this size.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] above [`MAX_BLOB`].
    pub fn new(size: ByteCount) -> Result<Self, BlobError> {
        if size > MAX_BLOB {
            return Err(BlobError::TooLarge);
        }
        Ok(Self { size: size.get() })
    }

    /// The size of the content.
    pub const fn size(&self) -> ByteCount {
        ByteCount::new(self.size)
    }

    /// The size that the number of chunks shows.
    pub const fn padded_size(&self) -> ByteCount {
        ByteCount::new(padme(self.size))
    }

    /// How many chunks, at least one.
    pub const fn chunks(&self) -> u32 {
        match padme(self.size).div_ceil(CHUNK_CONTENT as u64) as u32 {
            0 => 1,
            chunks => chunks,
        }
    }

    /// The places of all chunks.
    pub fn indexes(&self) -> impl Iterator<Item = ChunkIndex> + use<> {
        (0..self.chunks()).map(ChunkIndex)
    }

    /// Which bytes of the content a chunk holds; none for a chunk of padding or beyond the plan.
    pub fn range(&self, index: ChunkIndex) -> Range<u64> {
        let start = u64::from(index.0)
            .saturating_mul(CHUNK_CONTENT as u64)
            .min(self.size);
        let end = start.saturating_add(CHUNK_CONTENT as u64).min(self.size);
        start..end
    }

    /// The bytes of `content` that a chunk holds. Content of another size than planned gives what there is.
    pub fn chunk<'a>(&self, index: ChunkIndex, content: &'a [u8]) -> &'a [u8] {
        let Range { start, end } = self.range(index);
        let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        bounds
            .and_then(|(start, end)| content.get(start..end))
            .unwrap_or_default()
    }
}

/// The next size of at least `size` that has no more significant bits than its exponent has digits.
const fn padme(size: u64) -> u64 {
    // Below 8 no bit is insignificant.
    if size < 8 {
        return size;
    }
    let exponent = size.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1 << (exponent - significant)) - 1;
    (size + mask) & !mask
}
