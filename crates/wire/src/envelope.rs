//! The sealed envelope from outside: everything a stranger who carries it can see.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::{BodySize, ByteCount, Commitment, ItemId, Lifetime};

/// The envelope version that this crate makes and reads.
pub const VERSION: u8 = 1;
/// Bytes before the body, the same in all versions.
pub const HEADER_LEN: usize = 34;
/// The longest envelope of any version that is carried.
pub const MAX_ENVELOPE_LEN: usize = HEADER_LEN + 4096;

/// A recipient tag: looks random to everyone but sender and recipient, and is used once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The tag with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the tag.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// The fields before the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version; its meaning for the body only.
    pub version: u8,
    /// How long the envelope may be under way.
    pub lifetime: Lifetime,
    /// For whom it is, to those who know.
    pub tag: Tag,
    /// What a receipt for it opens.
    pub commitment: Commitment,
}

impl Header {
    /// Reads the fields that an envelope begins with.
    pub fn parse(head: &[u8; HEADER_LEN]) -> Self {
        let [version, lifetime, rest @ ..] = head;
        let (tag, rest) = rest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        let (commitment, _) = rest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        Self {
            version: *version,
            lifetime: Lifetime::from_code(*lifetime),
            tag: Tag(*tag),
            commitment: Commitment::new(*commitment),
        }
    }

    /// The fields as an envelope begins with them.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let fields = [self.version, self.lifetime.code()]
            .into_iter()
            .chain(*self.tag.as_bytes())
            .chain(*self.commitment.as_bytes());
        let mut bytes = [0; HEADER_LEN];
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }
}

/// An envelope: one opaque, immutable string of bytes, hashed and forwarded as it was received.
///
/// ```text
///  0       1       2                  18                 34               34 + B
///  +-------+-------+------------------+------------------+----------------+
///  | vers. | life  | tag              | commitment       | body           |
///  | 1     | 1     | 16               | 16               | B              |
///  +-------+-------+------------------+------------------+----------------+
/// ```
///
/// Version 1 has B of 256, 512, 1024, 2048 or 4096. The first 34 bytes mean the same in every version, so a
/// node carries what it cannot read; for unknown versions B is anything from 0 to 4096.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Arc<[u8]>,
    header: Header,
}

impl Envelope {
    /// Puts an envelope of version 1 together.
    ///
    /// # Errors
    /// [`EnvelopeError::BodySize`] unless the body has one of the five sizes.
    pub fn compose(
        lifetime: Lifetime,
        tag: Tag,
        commitment: Commitment,
        body: &[u8],
    ) -> Result<Self, EnvelopeError> {
        let header = Header {
            version: VERSION,
            lifetime,
            tag,
            commitment,
        };
        let mut bytes = Vec::with_capacity(HEADER_LEN + body.len());
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(body);
        Self::parse(bytes)
    }

    /// Reads an envelope of any version.
    ///
    /// # Errors
    /// [`EnvelopeError`] says what is wrong; nothing was changed.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, EnvelopeError> {
        let bytes = bytes.into();
        if bytes.len() > MAX_ENVELOPE_LEN {
            return Err(EnvelopeError::TooLong);
        }
        let (head, body) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(EnvelopeError::TooShort)?;
        let header = Header::parse(head);
        if header.version == VERSION && BodySize::exactly(body.len()).is_none() {
            return Err(EnvelopeError::BodySize);
        }
        Ok(Self { bytes, header })
    }

    /// The fields before the body.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The body, sealed.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// All bytes, as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes.
    pub fn size(&self) -> ByteCount {
        ByteCount::of(self.bytes.len())
    }

    /// The SHA-256 of all bytes. Computed at each call.
    pub fn id(&self) -> ItemId {
        ItemId::of(&self.bytes)
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({:?}, {})", self.header, self.size())
    }
}

/// Why bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A version 1 body of a length other than the five.
    #[error("the envelope's body has none of the five sizes")]
    BodySize,
    /// More than [`MAX_ENVELOPE_LEN`] bytes.
    #[error("the envelope is longer than {MAX_ENVELOPE_LEN} bytes")]
    TooLong,
    /// Fewer than [`HEADER_LEN`] bytes.
    #[error("the envelope is shorter than its header")]
    TooShort,
}
