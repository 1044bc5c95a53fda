//! What one neighbour has that is lacking here.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use chappe_wire::{Instant, ShortId};

use crate::link::MAX_WANTS;
use crate::link::giving::pop;
use crate::reconcile::session::{MAX_IDS_PER_FRAME, MAX_LACKING};

/// Offers, and what was asked for. It is asked for in the order of the short ids, which is another one on each
/// link: two neighbours with the same store send different items first.
#[derive(Debug)]
pub(crate) struct Asking {
    lacking: BTreeSet<ShortId>,
    asked: BTreeSet<ShortId>,
    /// Cancelled; they may be on their way all the same.
    crossing: BTreeSet<ShortId>,
    cancels: BTreeSet<ShortId>,
    paused_until: Option<Instant>,
}

impl Asking {
    pub(crate) const fn new() -> Self {
        Self {
            lacking: BTreeSet::new(),
            asked: BTreeSet::new(),
            crossing: BTreeSet::new(),
            cancels: BTreeSet::new(),
            paused_until: None,
        }
    }

    /// The neighbour has an item that is lacking here. False if that is one too many to keep in mind.
    pub(crate) fn lack(&mut self, short: ShortId) -> bool {
        if self.asked.contains(&short) {
            return true;
        }
        self.lacking.len() < MAX_LACKING && {
            self.lacking.insert(short);
            true
        }
    }

    /// The item came in some other way. True if the neighbour has it.
    pub(crate) fn came_elsewhere(&mut self, short: &ShortId) -> bool {
        if self.asked.remove(short) {
            self.cancel(*short);
            return true;
        }
        self.lacking.remove(short)
    }

    /// An item came over this link: false if it was not asked for.
    pub(crate) fn arrived(&mut self, short: &ShortId) -> bool {
        let asked = self.asked.remove(short) | self.crossing.remove(short);
        if asked {
            self.lacking.remove(short);
            self.cancels.remove(short);
        }
        asked
    }

    /// The neighbour does not give an item away after all: false if it was not asked.
    pub(crate) fn withdrawn(&mut self, short: &ShortId) -> bool {
        self.lacking.remove(short) | self.asked.remove(short)
    }

    /// There is no room here: nothing is asked for until then.
    pub(crate) fn pause(&mut self, until: Instant) {
        self.paused_until = Some(until);
        while let Some(short) = self.asked.pop_first() {
            self.cancel(short);
            self.lack(short);
        }
    }

    /// True if something was asked for that may come any moment.
    pub(crate) fn is_expecting(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(crate) fn next_cancels(&mut self) -> Vec<ShortId> {
        pop(&mut self.cancels, MAX_IDS_PER_FRAME)
    }

    pub(crate) fn next_wants(&mut self, now: Instant) -> Vec<ShortId> {
        let paused = self.paused_until.is_some_and(|until| now < until);
        if paused || self.asked.len() > MAX_WANTS / 2 {
            return Vec::new();
        }
        let free = MAX_WANTS.saturating_sub(self.asked.len());
        let wants = pop(&mut self.lacking, free.min(MAX_IDS_PER_FRAME));
        self.asked.extend(wants.iter().copied());
        wants
    }

    /// Ends a pause that is over.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.paused_until = self.paused_until.filter(|until| now < *until);
    }

    /// When a pause ends after which there is something to ask for, or [`Instant::NEVER`].
    pub(crate) fn wakes(&self) -> Instant {
        self.paused_until
            .filter(|_| !self.lacking.is_empty())
            .unwrap_or(Instant::NEVER)
    }

    /// Says that an item is not wanted any more, which the neighbour was asked for.
    pub(crate) fn cancel(&mut self, short: ShortId) {
        self.cancels.insert(short);
        if self.crossing.len() >= MAX_WANTS {
            self.crossing.pop_first();
        }
        self.crossing.insert(short);
    }
}
