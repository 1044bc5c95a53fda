//! The stream that this end sends: frames with their lengths, kept until acknowledged.

use alloc::{collections::VecDeque, vec::Vec};
use core::ops::Range;

use chappe_wire::MAX_FRAME_LEN;

use crate::ranges::RangeSet;

/// The most bytes that are queued or under way.
pub const SEND_BUFFER_LEN: usize = 64 * 1024;
/// Bytes of the length in front of each frame.
pub(crate) const FRAME_PREFIX_LEN: usize = 2;

/// The sending half of the stream.
///
/// Each byte is in one place only: acknowledged, under way in one record, lost, or not sent yet.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// From `base` on; allocated at full length with the first frame.
    buffer: VecDeque<u8>,
    base: u64,
    next: u64,
    credit: u64,
    acknowledged: RangeSet,
    lost: RangeSet,
    max_unsent: usize,
    full_record: usize,
}

impl Outbound {
    /// An empty stream; the other end takes `credit` bytes at first. A record has room for `full_record` of them.
    /// Two records wait for their first transmission at most, or a part of one and a frame of the greatest length:
    /// little, so that the node decides late.
    pub(crate) fn new(credit: u64, full_record: usize) -> Self {
        Self {
            buffer: VecDeque::new(),
            base: 0,
            next: 0,
            credit,
            acknowledged: RangeSet::default(),
            lost: RangeSet::default(),
            max_unsent: (2 * full_record).max(full_record + FRAME_PREFIX_LEN + MAX_FRAME_LEN),
            full_record,
        }
    }

    /// The longest frame that may be queued now.
    pub(crate) fn frame_space(&self) -> usize {
        let unsent = usize::try_from(self.end() - self.next).unwrap_or(usize::MAX);
        SEND_BUFFER_LEN
            .saturating_sub(self.buffer.len())
            .min(self.max_unsent.saturating_sub(unsent))
            .saturating_sub(FRAME_PREFIX_LEN)
    }

    /// Queues a frame if it fits.
    pub(crate) fn push_frame(&mut self, frame: &[u8]) -> bool {
        let Some(length) = frame_length(frame).filter(|_| frame.len() <= self.frame_space()) else {
            return false;
        };
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(SEND_BUFFER_LEN);
        }
        self.buffer.extend(length.to_be_bytes());
        self.buffer.extend(frame);
        true
    }

    /// True if [`Outbound::next_range`] would give something that is worth a record. Where the buffer has no room, what
    /// would not fill one waits for what follows: an acknowledgement is on its way, and makes room.
    pub(crate) fn has_data(&self) -> bool {
        let unsent = self.end().min(self.credit).saturating_sub(self.next);
        let waits = unsent < self.full_record as u64
            && self.next > self.base
            && self.frame_space() < MAX_FRAME_LEN;
        !self.lost.is_empty() || unsent > 0 && !waits
    }

    /// The next bytes to send, at most `max_len`: what was lost first, and whether it was.
    pub(crate) fn next_range(&mut self, max_len: usize) -> Option<(Range<u64>, bool)> {
        let max_len = max_len as u64;
        if let Some(lost) = self.lost.take_first(max_len) {
            return Some((lost, true));
        }
        let end = self
            .end()
            .min(self.credit)
            .min(self.next.saturating_add(max_len));
        let range = self.next..end;
        if range.is_empty() {
            return None;
        }
        self.next = end;
        Some((range, false))
    }

    /// Appends the bytes of a range that [`Outbound::next_range`] gave.
    pub(crate) fn copy(&self, range: &Range<u64>, out: &mut Vec<u8>) {
        let at = |offset: u64| usize::try_from(offset.saturating_sub(self.base)).unwrap_or(0);
        let (start, end) = (at(range.start), at(range.end));
        let (front, back) = self.buffer.as_slices();
        let split = front.len();
        out.extend_from_slice(front.get(start.min(split)..end.min(split)).unwrap_or(&[]));
        let rest = start.saturating_sub(split)..end.saturating_sub(split);
        out.extend_from_slice(back.get(rest).unwrap_or(&[]));
    }

    /// A record with these bytes arrived.
    pub(crate) fn on_acknowledged(&mut self, range: Range<u64>) {
        self.acknowledged.insert(range);
        if let Some(end) = self.acknowledged.take_reached(self.base) {
            let arrived = usize::try_from(end.saturating_sub(self.base)).unwrap_or(0);
            self.buffer.drain(..arrived.min(self.buffer.len()));
            self.base = end;
        }
    }

    /// A record with these bytes was lost.
    pub(crate) fn on_lost(&mut self, range: Range<u64>) {
        self.lost.insert(range);
    }

    /// The other end takes bytes up to this offset. It cannot take back what it gave.
    pub(crate) fn on_credit(&mut self, credit: u64) {
        self.credit = self.credit.max(credit);
    }

    fn end(&self) -> u64 {
        self.base.saturating_add(self.buffer.len() as u64)
    }
}

fn frame_length(frame: &[u8]) -> Option<u16> {
    let length = u16::try_from(frame.len()).ok()?;
    (1..=MAX_FRAME_LEN).contains(&frame.len()).then_some(length)
}
