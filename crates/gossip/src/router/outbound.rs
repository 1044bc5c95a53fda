//! Frames that leave.

use alloc::vec::Vec;

use chappe_wire::proto::{Receipts, Transfer, frame::Body};
use chappe_wire::{Age, ByteCount, Envelope, Instant, ItemId, LinkId, encode_frame};

use super::{Router, candidate};
use crate::link::{Kind, Next};
use crate::policy::Sharing;
use crate::slots::Slot;
use crate::{Copies, DropReason};

/// The most receipts in one frame.
const MAX_RECEIPTS_PER_FRAME: usize = 256;

/// A frame for the hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutFrame {
    /// The frame.
    Bytes(Vec<u8>),
    /// An envelope, whose body the node has: see [`Handover::frame`].
    Envelope(Handover),
}

/// An envelope to be handed over to a neighbour, with what is mutable about it. If its body cannot be loaded,
/// the node calls [`Router::discard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Which envelope.
    pub id: ItemId,
    /// Its age now.
    pub age: Age,
    /// The copies that go along.
    pub copies: Copies,
    /// True if the neighbour was shown its tag only, and chose to take it.
    pub by_tag: bool,
}

impl Handover {
    /// The frame that hands `envelope` over, which is the one with this id.
    pub fn frame(&self, envelope: &Envelope) -> Vec<u8> {
        encode_frame(Body::Transfer(Transfer {
            envelope: envelope.as_bytes().to_vec(),
            age_minutes: self.age.to_wire(),
            copies: self.copies.count(),
        }))
    }
}

impl Router {
    /// The next frame for the hop. Call it when the hop has room, not before: what goes next is decided here.
    pub fn poll_frame(&mut self, now: Instant, link: LinkId) -> Option<OutFrame> {
        let neighbour = self.links.get_mut(&link)?;
        let control = neighbour
            .next_session(now, &mut self.stats)
            .or_else(|| neighbour.next_control(now));
        if let Some(bytes) = control {
            return Some(OutFrame::Bytes(bytes));
        }
        loop {
            let next = self.links.get_mut(&link)?.giving.next()?;
            let frame = match next.kind {
                Kind::Receipt => self.hand_over_receipts(now, link),
                Kind::Envelope => self.hand_over(now, link, &next),
            };
            if frame.is_some() {
                return frame;
            }
        }
    }

    /// Whether the neighbour has asked for more bytes of envelopes than `limit`, and not got them yet.
    pub fn owes_more_than(&self, link: LinkId, limit: ByteCount) -> bool {
        let Some(neighbour) = self.links.get(&link) else {
            return false;
        };
        let mut owed: u64 = 0;
        neighbour.giving.queued().any(|slot| {
            let size = self.custody.item(slot).map_or(0, |item| item.size.get());
            owed = owed.saturating_add(size);
            owed > limit.get()
        })
    }

    /// Every call takes at least one entry off the link's queue.
    fn hand_over(&mut self, now: Instant, link: LinkId, next: &Next) -> Option<OutFrame> {
        let neighbour = self.links.get_mut(&link)?;
        let Some(item) = self.custody.item(next.slot) else {
            neighbour.giving.remove(&next.short);
            return None;
        };
        let (id, age) = (item.id, item.age_at(now));
        if item.header.lifetime.is_over(age) {
            self.drop_item(now, next.slot, DropReason::Expired);
            return None;
        }
        let sharing =
            self.policy
                .sharing(&candidate(item, now), &neighbour.neighbour(), &self.around);
        if sharing != Sharing::Push && !next.by_tag {
            neighbour.keep_back(next.short, item, sharing);
            return None;
        }
        // Who asks by tag gets the envelope, and no budget to spread it.
        let copies = if next.by_tag {
            Copies::NONE
        } else {
            self.policy.handed_over(item.copies)
        };
        neighbour.giving.sent(&next.short, copies);
        self.spend_copies(now, next.slot, copies);
        self.stats.sent += 1;
        Some(OutFrame::Envelope(Handover {
            id,
            age,
            copies,
            by_tag: next.by_tag,
        }))
    }

    fn hand_over_receipts(&mut self, now: Instant, link: LinkId) -> Option<OutFrame> {
        let giving = &mut self.links.get_mut(&link)?.giving;
        let mut frame = Receipts::default();
        while frame.age_minutes.len() < MAX_RECEIPTS_PER_FRAME
            && let Some(next) = giving.next().filter(|next| next.kind == Kind::Receipt)
        {
            giving.sent(&next.short, Copies::NONE);
            if let Some(receipt) = self.receipts.receipt(next.slot) {
                frame.preimages.extend(receipt.preimage.as_bytes());
                frame.age_minutes.push(receipt.age_at(now).to_wire());
            }
        }
        let any = !frame.age_minutes.is_empty();
        any.then(|| OutFrame::Bytes(encode_frame(Body::Receipts(frame))))
    }

    /// Copies have left. Where that was the last but one, the neighbours are shown the tag from now on.
    fn spend_copies(&mut self, now: Instant, slot: Slot, copies: Copies) {
        if copies == Copies::NONE {
            return;
        }
        let Some(item) = self.custody.item(slot) else {
            return;
        };
        let left = item.copies.saturating_sub(copies);
        self.custody.set_copies(slot, left);
        self.note_update(now, slot);
        let Some(item) = self.custody.item(slot) else {
            return;
        };
        for link in self.links.values_mut() {
            let sharing =
                self.policy
                    .sharing(&candidate(item, now), &link.neighbour(), &self.around);
            if sharing == Sharing::Push {
                continue;
            }
            link.keep_back(link.short(&item.id), item, sharing);
        }
        self.outline_item(slot);
    }
}
