//! The stream that the other end sends: put in order, bounded by the credit it was given, cut into frames.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use chappe_wire::MAX_FRAME_LEN;

use crate::{Violation, outbound::FRAME_PREFIX_LEN, ranges::RangeSet};

/// How many bytes the other end may be ahead of what the node has taken.
pub const RECEIVE_WINDOW: usize = 64 * 1024;
/// New credit is sent once it would grow by this much.
const CREDIT_STEP: u64 = RECEIVE_WINDOW as u64 / 4;
/// The most gaps in the stream. An honest end has at most 256 records under way, so at most 128 gaps.
pub(crate) const MAX_GAPS: usize = 128;

/// The receiving half of the stream.
///
/// Bytes wait in one ring of [`RECEIVE_WINDOW`] bytes; frames are cut out of it when the node takes them, so
/// that many small ones cost no more than few large ones.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// The byte of each offset, at the offset modulo its length; allocated with the first data.
    ring: Vec<u8>,
    /// Up to here the node has taken the frames.
    consumed: u64,
    /// Up to here the stream has no gap.
    contiguous: u64,
    /// Where the first frame begins that is not whole yet.
    boundary: u64,
    /// How many frames are whole.
    ready: usize,
    /// What came beyond the first gap.
    beyond: RangeSet,
    /// How far the credit that was given reaches beyond the first window.
    granted: u64,
    /// A record with credit was lost.
    credit_lost: bool,
}

/// What became of bytes that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// They are kept, or were there before.
    Kept,
    /// There are too many gaps to keep them: take the record for lost.
    NoRoom,
}

impl Inbound {
    /// Takes bytes at the offset with these last 32 bits.
    pub(crate) fn receive(&mut self, offset: u32, data: &[u8]) -> Result<Received, Violation> {
        let Some(start) = self.expand(offset) else {
            // From before the start of the stream, so it is not even a duplicate.
            return Err(Violation::CreditExceeded);
        };
        let end = start.saturating_add(data.len() as u64);
        if end > self.limit() {
            return Err(Violation::CreditExceeded);
        }
        let fresh = start.max(self.contiguous)..end;
        if fresh.is_empty() {
            return Ok(Received::Kept);
        }
        let skipped = usize::try_from(fresh.start - start).unwrap_or(usize::MAX);
        let Some(data) = data.get(skipped..) else {
            return Ok(Received::Kept);
        };
        let beyond_gap = fresh.start > self.contiguous;
        if beyond_gap && self.beyond.len() >= MAX_GAPS && self.beyond.would_grow(&fresh) {
            return Ok(Received::NoRoom);
        }
        self.store(fresh.start, data);
        if beyond_gap {
            self.beyond.insert(fresh);
            return Ok(Received::Kept);
        }
        self.contiguous = fresh.end;
        while let Some(end) = self.beyond.take_reached(self.contiguous) {
            self.contiguous = self.contiguous.max(end);
        }
        self.find_frames()?;
        Ok(Received::Kept)
    }

    /// Takes out the next frame.
    pub(crate) fn pop_frame(&mut self) -> Option<Vec<u8>> {
        self.ready = self.ready.checked_sub(1)?;
        let start = self.consumed.saturating_add(FRAME_PREFIX_LEN as u64);
        let end = start.saturating_add(u64::from(self.frame_length_at(self.consumed)));
        self.consumed = end;
        Some(self.copy(start..end))
    }

    /// True if the other end should be given new credit.
    pub(crate) fn credit_due(&self) -> bool {
        self.credit_lost || self.consumed - self.granted >= CREDIT_STEP
    }

    /// The credit to send now.
    pub(crate) fn grant_credit(&mut self) -> u64 {
        self.credit_lost = false;
        self.granted = self.consumed;
        self.limit()
    }

    /// Credit may not have reached the other end: give it again. It still counts as given.
    pub(crate) fn on_credit_lost(&mut self) {
        self.credit_lost = true;
    }

    fn limit(&self) -> u64 {
        self.granted.saturating_add(RECEIVE_WINDOW as u64)
    }

    /// The offset with these last 32 bits that lies nearest to the end of what came.
    fn expand(&self, offset: u32) -> Option<u64> {
        let distance = offset.wrapping_sub(self.contiguous as u32).cast_signed();
        self.contiguous.checked_add_signed(i64::from(distance))
    }

    fn find_frames(&mut self) -> Result<(), Violation> {
        let prefix = FRAME_PREFIX_LEN as u64;
        while self.contiguous - self.boundary >= prefix {
            let length = self.frame_length_at(self.boundary);
            if length == 0 || usize::from(length) > MAX_FRAME_LEN {
                return Err(Violation::FrameLength);
            }
            let end = self.boundary.saturating_add(prefix + u64::from(length));
            if end > self.contiguous {
                break;
            }
            self.boundary = end;
            self.ready += 1;
        }
        Ok(())
    }

    fn frame_length_at(&self, offset: u64) -> u16 {
        let byte = |offset| self.ring.get(index(offset)).copied().unwrap_or(0);
        u16::from_be_bytes([byte(offset), byte(offset.saturating_add(1))])
    }

    fn store(&mut self, offset: u64, data: &[u8]) {
        if self.ring.is_empty() {
            self.ring = vec![0; RECEIVE_WINDOW];
        }
        let (before, after) = self.ring.split_at_mut(index(offset).min(RECEIVE_WINDOW));
        let (fits, wraps) = data.split_at(data.len().min(after.len()));
        if let Some(space) = after.get_mut(..fits.len()) {
            space.copy_from_slice(fits);
        }
        if let Some(space) = before.get_mut(..wraps.len()) {
            space.copy_from_slice(wraps);
        }
    }

    fn copy(&self, range: Range<u64>) -> Vec<u8> {
        let length = usize::try_from(range.end - range.start).unwrap_or(0);
        let (before, after) = self.ring.split_at(index(range.start).min(self.ring.len()));
        let fits = length.min(after.len());
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(after.get(..fits).unwrap_or(&[]));
        bytes.extend_from_slice(before.get(..length - fits).unwrap_or(&[]));
        bytes
    }
}

fn index(offset: u64) -> usize {
    (offset % RECEIVE_WINDOW as u64) as usize
}
