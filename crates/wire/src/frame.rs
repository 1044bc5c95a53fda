//! Frames of the router's protocol: decoding under a bound.

use alloc::vec::Vec;

use prost::Message as _;

use crate::proto::{Frame, frame::Body};

/// The longest encoded frame. It holds the longest envelope or 256 coded symbols with room to spare.
pub const MAX_FRAME_LEN: usize = 8 * 1024;

/// Encodes a frame.
pub fn encode_frame(body: Body) -> Vec<u8> {
    Frame { body: Some(body) }.encode_to_vec()
}

/// Decodes a frame. Memory used stays below a small multiple of the input: all lists are packed scalars or
/// plain bytes.
///
/// # Errors
/// [`FrameError`] says what is wrong.
pub fn decode_frame(bytes: &[u8]) -> Result<Body, FrameError> {
    if bytes.len() > MAX_FRAME_LEN {
        return Err(FrameError::TooLong);
    }
    let frame = Frame::decode(bytes).map_err(|_| FrameError::Malformed)?;
    frame.body.ok_or(FrameError::Unknown)
}

/// Whether a frame is one of the node's own, and not its router's: an invitation, or word that a link is used
/// again (fields 20 and 21). Nothing is decoded for it.
pub const fn is_for_node(frame: &[u8]) -> bool {
    matches!(frame, [0xa2 | 0xaa, 0x01, ..])
}

/// Why bytes are not a frame that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not a protobuf message of this shape.
    #[error("the frame is malformed")]
    Malformed,
    /// More than [`MAX_FRAME_LEN`] bytes.
    #[error("the frame is longer than {MAX_FRAME_LEN} bytes")]
    TooLong,
    /// A kind of frame from a later version: skip it.
    #[error("the frame is of a kind that this version does not know")]
    Unknown,
}
