//! Packets on a stream socket: each behind its length.

use std::collections::VecDeque;

use crate::MAX_MTU;

/// Bytes before each packet.
const PREFIX_LEN: usize = 2;

/// Encodes a packet of 1 to [`MAX_MTU`] bytes.
///
/// ```text
///  0        2               2+n
/// +--------+---------------+
/// |   n    | packet        |     n: 16 bits, big-endian, at least 1
/// +--------+---------------+
/// ```
///
/// # Errors
/// [`PacketError`] if it is empty or too long.
pub fn encode_packet(packet: &[u8]) -> Result<Vec<u8>, PacketError> {
    if packet.is_empty() {
        return Err(PacketError::Empty);
    }
    let too_long = PacketError::TooLong {
        length: packet.len(),
        limit: MAX_MTU,
    };
    let length = u16::try_from(packet.len()).map_err(|_| too_long)?;
    let mut bytes = Vec::with_capacity(packet.len() + PREFIX_LEN);
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(packet);
    Ok(bytes)
}

/// Finds packets in a stream. It holds what was pushed and not yet taken, and allocates nothing else.
///
/// ```
/// use chappe_link::air::{PacketDecoder, encode_packet};
///
/// let mut decoder = PacketDecoder::new(512);
/// let bytes = encode_packet(b"packet")?;
/// decoder.push(&bytes[..5]);
/// assert_eq!(decoder.next_packet()?, None);
/// decoder.push(&bytes[5..]);
/// assert_eq!(decoder.next_packet()?.as_deref(), Some(&b"packet"[..]));
/// # Ok::<(), chappe_link::air::PacketError>(())
/// ```
#[derive(Debug)]
pub struct PacketDecoder {
    waiting: VecDeque<u8>,
    limit: usize,
}

impl PacketDecoder {
    /// Takes packets of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            limit,
        }
    }

    /// Takes packets of at most `limit` bytes from the next on.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds what arrived. Take all packets before the next push: then never more than one packet waits.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
    }

    /// The next packet, if it is there whole.
    ///
    /// # Errors
    /// [`PacketError`] as soon as a length cannot be right, before the packet itself arrives. The stream is of
    /// no use then: the same error comes again.
    pub fn next_packet(&mut self) -> Result<Option<Vec<u8>>, PacketError> {
        let (Some(&high), Some(&low)) = (self.waiting.front(), self.waiting.get(1)) else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 {
            return Err(PacketError::Empty);
        }
        if length > self.limit {
            return Err(PacketError::TooLong {
                length,
                limit: self.limit,
            });
        }
        let end = PREFIX_LEN + length;
        if self.waiting.len() < end {
            return Ok(None);
        }
        let packet = self.waiting.range(PREFIX_LEN..end).copied().collect();
        self.waiting.drain(..end);
        Ok(Some(packet))
    }

    /// How many bytes wait.
    pub fn buffered(&self) -> usize {
        self.waiting.len()
    }
}

/// Why bytes are not packets of the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// A packet has at least one byte.
    #[error("a packet of no bytes")]
    Empty,
    /// More bytes than agreed.
    #[error("a packet of {length} bytes; at most {limit} were agreed")]
    TooLong {
        /// The length.
        length: usize,
        /// The most.
        limit: usize,
    },
}
