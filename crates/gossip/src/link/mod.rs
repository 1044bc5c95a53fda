//! One neighbour, as long as its link is up.

mod announcing;
mod answers;
mod asking;
mod giving;
mod tags;

pub(crate) use announcing::Announcing;
pub(crate) use answers::Answers;
pub(crate) use asking::Asking;
pub(crate) use giving::{Giving, Kind, Next, Standing};
pub(crate) use tags::Tags;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chappe_wire::proto::{
    Accepted, Cancel, More, Offer, RefusalReason, Refused, Want, frame::Body,
};
use chappe_wire::{Duration, Instant, ItemId, LinkSalt, ShortId, encode_frame};

use crate::budget::Budget;
use crate::policy::{Neighbour, Sharing};
use crate::reconcile::session::{Answering, Expected, MAX_IDS_PER_FRAME, Opening};
use crate::seen::SeenOnLink;
use crate::slots::Slot;
use crate::{Class, Ingress, Stats, StoredItem};

/// The most items that one end of a link has asked for and not yet got.
pub const MAX_WANTS: usize = 4_096;

/// What the node knows of a link when it comes up.
#[derive(Clone, Copy)]
pub struct LinkSetup {
    /// True at the end that opened the hop, which also opens the reconciliation; false at the other.
    pub opener: bool,
    /// The hop's salt, the same at both ends.
    pub salt: LinkSalt,
    /// True if the person here has pinned the neighbour.
    pub pinned: bool,
    /// Which links are counted as one where neighbours have to share.
    pub ingress: Ingress,
}

/// One neighbour.
pub(crate) struct Link {
    pub(crate) setup: LinkSetup,
    pub(crate) budget: Budget,
    pub(crate) session: Session,
    pub(crate) giving: Giving,
    pub(crate) asking: Asking,
    pub(crate) announcing: Announcing,
    pub(crate) tags: Tags,
    /// Made when it is needed first.
    pub(crate) seen: Option<SeenOnLink>,
    pub(crate) resync_at: Instant,
    /// What the next reconciliation opened here may begin with; `None` towards a neighbour who takes a bare digest.
    pub(crate) expected: Option<Expected>,
    more: Option<More>,
    accepted: Answers,
    refused: BTreeMap<RefusalReason, Vec<ShortId>>,
}

/// How far the reconciliation is.
pub(crate) enum Session {
    /// This end is to open.
    Unopened,
    Opening(Opening),
    /// The other end is to open.
    Awaited,
    Answering(Answering),
    /// This end has to say that it knows enough.
    Closing,
    Settled,
}

impl Link {
    pub(crate) fn new(
        setup: LinkSetup,
        budget: Budget,
        giving: Giving,
        resync_at: Instant,
        answer_within: Duration,
    ) -> Self {
        Self {
            setup,
            budget,
            session: if setup.opener {
                Session::Unopened
            } else {
                Session::Awaited
            },
            giving,
            asking: Asking::new(),
            announcing: Announcing::default(),
            tags: Tags::default(),
            seen: None,
            resync_at,
            expected: None,
            more: None,
            accepted: Answers::new(answer_within),
            refused: BTreeMap::new(),
        }
    }

    pub(crate) fn short(&self, id: &ItemId) -> ShortId {
        ShortId::of(&self.setup.salt, id)
    }

    pub(crate) const fn class(&self) -> Class {
        if self.setup.pinned {
            Class::Pinned
        } else {
            Class::Stranger
        }
    }

    pub(crate) const fn neighbour(&self) -> Neighbour<'static> {
        Neighbour::sealed(self.setup.pinned)
    }

    /// An item is here now.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        (id, slot): (&ItemId, Slot),
        kind: Kind,
        pushed: bool,
        from_here: bool,
    ) {
        let fingerprint = self.setup.salt.fingerprint(id);
        let short = fingerprint.short();
        self.judge_announcements(now);
        let theirs = self.asking.came_elsewhere(&short) | from_here;
        let standing = match (theirs, pushed, &self.session) {
            (true, _, _) => Standing::TheyHaveIt,
            (_, false, _) => Standing::Withheld,
            (_, _, Session::Unopened | Session::Awaited) => Standing::Unsaid,
            _ if self.announcing.is_lazy() => {
                self.announcing.lay_by(now, short, self.setup.opener);
                Standing::Unsaid
            }
            _ => Standing::ToOffer,
        };
        self.giving.add(fingerprint, slot, kind, standing);
    }

    /// An item is not here any more. `remembered`: it is not to come again.
    pub(crate) fn remove(&mut self, id: &ItemId, remembered: bool) {
        let short = self.short(id);
        self.giving.remove(&short);
        self.announcing.forget(&short);
        if let Some(seen) = self.seen.as_mut().filter(|_| remembered) {
            seen.add(short);
        }
    }

    /// The neighbour has told that it has an item; false if it is not here.
    pub(crate) fn they_have(&mut self, short: &ShortId) -> bool {
        self.announcing.forget(short);
        self.giving.they_have(short)
    }

    /// Another link is gone: all that waits is announced.
    pub(crate) fn announce_again(&mut self) {
        let waiting = self.announcing.begin_anew();
        self.giving.they_lack(waiting);
    }

    /// What was announced and is here still, and not asked for, was known.
    fn judge_announcements(&mut self, now: Instant) {
        while let Some(short) = self.announcing.next_judged(now) {
            if self.giving.holds(&short) {
                self.announcing.was_redundant();
            }
        }
    }

    /// The policy offers an item no more, of which the neighbour may have heard.
    pub(crate) fn keep_back(&mut self, short: ShortId, item: &StoredItem, sharing: Sharing) {
        if self.giving.withhold(&short) && sharing == Sharing::TagOnly {
            self.tags.show(short, item);
        }
    }

    /// When this link has something to do without being spoken to.
    pub(crate) fn wakes(&self) -> Instant {
        let resync = if self.setup.opener {
            self.resync_at
        } else {
            Instant::NEVER
        };
        resync
            .min(self.asking.wakes())
            .min(self.announcing.due())
            .min(self.accepted.wakes())
    }

    /// Ends a pause that is over; opens a reconciliation anew if the last one is long over.
    pub(crate) fn handle_timeout(&mut self, now: Instant, resync_interval: Duration) {
        self.asking.handle_timeout(now);
        self.accepted.handle_timeout(now);
        if self.setup.opener && self.resync_at <= now {
            self.session = Session::Unopened;
            self.resync_at = now.after(resync_interval);
        }
        if self.announcing.due() <= now {
            self.tell_what_waits(now, resync_interval);
        }
    }

    /// News has waited long enough. A reconciliation tells it to both ends; who cannot open one announces it.
    fn tell_what_waits(&mut self, now: Instant, resync_interval: Duration) {
        let waiting = self.announcing.take();
        if !self.setup.opener {
            self.giving.they_lack(waiting);
            return;
        }
        self.session = Session::Unopened;
        self.resync_at = now.after(resync_interval);
        // The neighbour has heard of nearly everything from others.
        let count = self.giving.len();
        self.expected = self.expected.map(|_| Expected {
            difference: 1,
            count,
        });
    }

    /// The answer so far did not suffice.
    pub(crate) const fn ask_more(&mut self, more: More) {
        self.more = Some(more);
    }

    /// The neighbour will hear that this node has custody.
    pub(crate) fn answer_accepted(&mut self, now: Instant, short: ShortId) {
        self.accepted.add(now, short);
    }

    /// The neighbour will hear that this node did not take an item.
    pub(crate) fn answer_refused(&mut self, short: ShortId, reason: RefusalReason) {
        self.refused.entry(reason).or_default().push(short);
    }

    /// The next frame of everything but reconciliation and transfers.
    pub(crate) fn next_control(&mut self, now: Instant) -> Option<Vec<u8>> {
        let body = self
            .next_cancel()
            .or_else(|| self.next_verdict(now))
            .or_else(|| self.next_want(now))
            .or_else(|| self.next_offer(now))
            .or_else(|| self.tags.next(now))?;
        Some(encode_frame(body))
    }

    /// The next frame of the reconciliation. `snapshot` is called when this end opens.
    pub(crate) fn next_session(&mut self, now: Instant, stats: &mut Stats) -> Option<Vec<u8>> {
        match &mut self.session {
            Session::Unopened => {
                let (digest, snapshot) = self.giving.snapshot();
                let opening = Opening::new(self.setup.salt, digest, snapshot, self.expected);
                // What is not told later differs by what was left out.
                self.expected = self.expected.map(|expected| Expected {
                    difference: 0,
                    ..expected
                });
                let frame = encode_frame(opening.digest());
                self.more = None;
                self.announcing.told_all();
                self.session = Session::Opening(opening);
                Some(frame)
            }
            Session::Answering(answering) => {
                let frame = encode_frame(answering.poll()?);
                if self.budget.answer(now, frame.len()) {
                    return Some(frame);
                }
                stats.withheld += 1;
                self.session = Session::Settled;
                None
            }
            Session::Opening(_) => self.more.take().map(|more| encode_frame(Body::More(more))),
            _ => None,
        }
    }

    fn next_verdict(&mut self, now: Instant) -> Option<Body> {
        // With an envelope that goes the other way an answer costs next to nothing.
        let expecting = self.asking.is_expecting() && self.giving.next().is_none();
        if let Some(ids) = self.accepted.next(now, expecting) {
            return Some(Body::Accepted(Accepted { ids }));
        }
        let mut entry = self.refused.first_entry()?;
        let reason = (*entry.key()).into();
        let ids = front(entry.get_mut());
        if entry.get().is_empty() {
            entry.remove();
        }
        Some(Body::Refused(Refused { ids, reason }))
    }

    fn next_cancel(&mut self) -> Option<Body> {
        let mut ids = self.asking.next_cancels();
        let left = MAX_IDS_PER_FRAME.saturating_sub(ids.len());
        ids.extend(self.giving.next_withdrawn(left));
        let ids = to_wire(ids)?;
        Some(Body::Cancel(Cancel { ids }))
    }

    fn next_want(&mut self, now: Instant) -> Option<Body> {
        let ids = to_wire(self.asking.next_wants(now))?;
        Some(Body::Want(Want { ids }))
    }

    fn next_offer(&mut self, now: Instant) -> Option<Body> {
        match self.session {
            Session::Closing => {
                self.session = Session::Settled;
                let ids = self.giving.next_offers(MAX_IDS_PER_FRAME);
                let ids = ids.into_iter().map(ShortId::get).collect();
                let settled = !self.setup.opener;
                Some(Body::Offer(Offer { ids, settled }))
            }
            Session::Settled | Session::Answering(_) => {
                let ids = self.giving.next_offers(MAX_IDS_PER_FRAME);
                self.announcing.watch(now, &ids);
                let ids = to_wire(ids)?;
                let settled = false;
                Some(Body::Offer(Offer { ids, settled }))
            }
            Session::Unopened | Session::Opening(_) | Session::Awaited => None,
        }
    }
}

fn front(ids: &mut Vec<ShortId>) -> Vec<u64> {
    let later = ids.split_off(ids.len().min(MAX_IDS_PER_FRAME));
    let ids = core::mem::replace(ids, later);
    ids.into_iter().map(ShortId::get).collect()
}

fn to_wire(ids: Vec<ShortId>) -> Option<Vec<u64>> {
    (!ids.is_empty()).then(|| ids.into_iter().map(ShortId::get).collect())
}
