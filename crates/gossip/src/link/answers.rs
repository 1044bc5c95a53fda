//! Envelopes that were taken, and when the neighbour hears of it: at once, or together with others.

use alloc::vec::Vec;

use chappe_wire::{Duration, Instant, ShortId};

use crate::reconcile::session::MAX_IDS_PER_FRAME;

/// So many are answered without waiting for more.
const MANY: usize = 32;

/// While envelopes follow each other closely, one frame answers several: by itself each answer would cost the link
/// more around it than in it.
#[derive(Debug)]
pub(crate) struct Answers {
    taken: Vec<ShortId>,
    /// How long the first of them may wait while others are expected.
    within: Duration,
    /// When it has waited for so long.
    due: Option<Instant>,
    /// It has.
    overdue: bool,
}

impl Answers {
    pub(crate) const fn new(within: Duration) -> Self {
        Self {
            taken: Vec::new(),
            within,
            due: None,
            overdue: false,
        }
    }

    /// This node has custody of one more.
    pub(crate) fn add(&mut self, now: Instant, short: ShortId) {
        self.taken.push(short);
        self.due.get_or_insert(now.after(self.within));
    }

    /// Those that the neighbour is to hear of now. `expecting`: others that were asked for may come any moment.
    pub(crate) fn next(&mut self, now: Instant, expecting: bool) -> Option<Vec<u64>> {
        self.handle_timeout(now);
        let waits = expecting && !self.overdue && self.taken.len() < MANY;
        if waits || self.taken.is_empty() {
            return None;
        }
        let later = self
            .taken
            .split_off(self.taken.len().min(MAX_IDS_PER_FRAME));
        let told = core::mem::replace(&mut self.taken, later);
        if self.taken.is_empty() {
            (self.due, self.overdue) = (None, false);
        }
        Some(told.into_iter().map(ShortId::get).collect())
    }

    /// Notes that the first has waited long enough.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.overdue |= self.due.is_some_and(|due| due <= now);
    }

    /// When the first has waited long enough, or [`Instant::NEVER`].
    pub(crate) fn wakes(&self) -> Instant {
        self.due.filter(|_| !self.overdue).unwrap_or(Instant::NEVER)
    }
}
