//! The first encrypted frame of a hop: versions and capabilities.

use alloc::vec::Vec;
use core::fmt;

use prost::Message as _;

use crate::{Outline, proto};

/// The longest encoded hello.
pub const MAX_HELLO_LEN: usize = 128;
/// The wire version of this implementation.
pub const WIRE_VERSION: WireVersion = WireVersion::new(1);

/// Capability: this end has a radio that makes groups, and takes an [`Invitation`](crate::Invitation) to one.
pub const CAN_MOVE_UP: u64 = 1;

/// A version of the frames inside a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireVersion(u32);

impl WireVersion {
    /// The version with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// 16 random bytes of a node, new at each of its starts and, at a person's, in each epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeNonce([u8; 16]);

impl NodeNonce {
    /// The nonce with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for NodeNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeNonce(..)")
    }
}

/// What one end of a hop speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest version spoken.
    pub wire_min: WireVersion,
    /// Highest version spoken.
    pub wire_max: WireVersion,
    /// Bit set; unknown bits are ignored.
    pub capabilities: u64,
    /// The node's nonce.
    pub node_nonce: NodeNonce,
    /// What its store holds, under the salt that comes from the nonce; `None` where it is not told.
    pub outline: Option<Outline>,
}

impl Hello {
    /// The hello of this implementation.
    pub const fn new(node_nonce: NodeNonce) -> Self {
        Self {
            wire_min: WIRE_VERSION,
            wire_max: WIRE_VERSION,
            capabilities: 0,
            node_nonce,
            outline: None,
        }
    }

    /// The same with as much of an outline as makes it no longer than `max_len` bytes.
    #[must_use]
    pub fn with_outline(self, outline: &Outline, max_len: usize) -> Self {
        let mut hello = self;
        let mut counters = Outline::MAX_COUNTERS;
        loop {
            hello.outline = outline.truncated(counters);
            if hello.outline.is_none() || hello.encode().len() <= max_len {
                return hello;
            }
            counters = counters.saturating_sub(1);
        }
    }

    /// The highest version that both ends speak.
    ///
    /// # Errors
    /// [`HelloError::NoCommonVersion`] if there is none.
    pub fn agree(&self, other: &Self) -> Result<WireVersion, HelloError> {
        let highest = self.wire_max.min(other.wire_max);
        let lowest = self.wire_min.max(other.wire_min);
        if highest < lowest {
            Err(HelloError::NoCommonVersion)
        } else {
            Ok(highest)
        }
    }

    /// Encodes the hello.
    pub fn encode(&self) -> Vec<u8> {
        proto::Hello {
            wire_min: self.wire_min.0,
            wire_max: self.wire_max.0,
            capabilities: self.capabilities,
            node_nonce: self.node_nonce.0.to_vec(),
            outline: self.outline.map(|outline| proto::Outline {
                count: outline.count(),
                counters: outline.counters().to_vec(),
            }),
        }
        .encode_to_vec()
    }

    /// Decodes a hello; unknown fields are ignored.
    ///
    /// # Errors
    /// [`HelloError::Malformed`] if it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        if bytes.len() > MAX_HELLO_LEN {
            return Err(HelloError::Malformed);
        }
        let hello = proto::Hello::decode(bytes).map_err(|_| HelloError::Malformed)?;
        let nonce = hello
            .node_nonce
            .as_slice()
            .try_into()
            .map_err(|_| HelloError::Malformed)?;
        let outline = hello
            .outline
            .and_then(|outline| Outline::new(outline.count, &outline.counters));
        if hello.wire_min == 0 || hello.wire_min > hello.wire_max {
            return Err(HelloError::Malformed);
        }
        Ok(Self {
            wire_min: WireVersion(hello.wire_min),
            wire_max: WireVersion(hello.wire_max),
            capabilities: hello.capabilities,
            node_nonce: NodeNonce(nonce),
            outline,
        })
    }
}

/// Why two ends cannot speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// Not a hello.
    #[error("the neighbour's hello is malformed")]
    Malformed,
    /// No version in common.
    #[error("the neighbour speaks no wire version that this node speaks")]
    NoCommonVersion,
}
