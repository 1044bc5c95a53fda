//! Sizes: counts of bytes, and the five sizes of an envelope's body.

use core::fmt;

use crate::{Envelope, VERSION};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(u64);

impl ByteCount {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many mebibytes.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib.saturating_mul(1 << 20))
    }

    /// The length of something in memory.
    pub const fn of(length: usize) -> Self {
        Self(length as u64)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or the largest count.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for ByteCount {
    /// In the largest unit (kB, MB, GB of powers of ten) that leaves a number of at least one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        for (size, unit) in units {
            if self.0 >= size {
                let tenths = self.0 / (size / 10);
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} B", self.0)
    }
}

/// The size of an envelope's body. There are five, so that sizes tell strangers little (2.3 bits at most).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BodySize {
    /// 256 bytes.
    B256,
    /// 512 bytes.
    B512,
    /// 1,024 bytes.
    B1024,
    /// 2,048 bytes.
    B2048,
    /// 4,096 bytes.
    B4096,
}

impl BodySize {
    /// All sizes, smallest first.
    pub const ALL: [Self; 5] = [
        Self::B256,
        Self::B512,
        Self::B1024,
        Self::B2048,
        Self::B4096,
    ];

    /// The size in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::B256 => 256,
            Self::B512 => 512,
            Self::B1024 => 1024,
            Self::B2048 => 2048,
            Self::B4096 => 4096,
        }
    }

    /// The size that is exactly this long.
    pub fn exactly(length: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.bytes() == length)
    }

    /// The smallest size that holds `length` bytes, or `None` above 4,096.
    pub fn fitting(length: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.bytes() >= length)
    }

    /// The body size of an envelope of the version that this crate reads; `None` for other versions.
    pub fn of_known_version(envelope: &Envelope) -> Option<Self> {
        (envelope.header().version == VERSION).then(|| Self::exactly(envelope.body().len()))?
    }
}
