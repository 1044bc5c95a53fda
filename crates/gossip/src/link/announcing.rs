//! When a neighbour hears of news: at once, or when the next reconciliation finds it.

use alloc::collections::{BTreeSet, VecDeque};

use chappe_wire::{Duration, Instant, ShortId};

/// After so many announcements in a row, either way, that told the other end nothing new, news waits.
const REDUNDANT: u8 = 3;
/// Who has not asked by then what was announced is not going to.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long news waits at the end that opens reconciliations.
const WAIT: Duration = Duration::from_secs(60);
/// At the other end it waits a little longer, so that one reconciliation tells both.
const WAIT_FOR_OPENER: Duration = Duration::from_secs(75);
/// The most announcements whose effect is watched.
const MAX_WATCHED: usize = 16;
/// The most news that waits. What comes then is announced at once.
const MAX_WAITING: usize = 4_096;

/// Announcements on one link, counted as in Trickle (RFC 6206): who keeps hearing and telling what is known already keeps
/// silent. A neighbour in a crowd has five others who tell it the same, and one comparison a minute costs less than to
/// announce everything. The first item that is wanted after all ends the silence, at both ends, and so does the loss of
/// another link.
#[derive(Debug, Default)]
pub(crate) struct Announcing {
    redundant: u8,
    watched: VecDeque<(ShortId, Instant)>,
    waiting: BTreeSet<ShortId>,
    due: Option<Instant>,
}

impl Announcing {
    /// True if news waits.
    pub(crate) fn is_lazy(&self) -> bool {
        self.redundant >= REDUNDANT && self.waiting.len() < MAX_WAITING
    }

    /// An announcement, of this end or of the other, told nothing new.
    pub(crate) const fn was_redundant(&mut self) {
        self.redundant = self.redundant.saturating_add(1);
    }

    /// One end wants this, which the other has. Where news waited, one announcement is tried.
    pub(crate) fn was_useful(&mut self, short: &ShortId) {
        self.watched.retain(|(watched, _)| watched != short);
        self.redundant = if self.redundant >= REDUNDANT {
            REDUNDANT - 1
        } else {
            0
        };
    }

    /// These were announced just now.
    pub(crate) fn watch(&mut self, now: Instant, announced: &[ShortId]) {
        let free = MAX_WATCHED.saturating_sub(self.watched.len());
        let watched = announced.iter().take(free);
        self.watched.extend(watched.map(|short| (*short, now)));
    }

    /// One of those that were announced so long ago that the neighbour would have asked by now.
    pub(crate) fn next_judged(&mut self, now: Instant) -> Option<ShortId> {
        let due = |(_, at): &mut (ShortId, Instant)| now.since(*at) >= PATIENCE;
        self.watched.pop_front_if(due).map(|(short, _)| short)
    }

    /// This waits from now on.
    pub(crate) fn lay_by(&mut self, now: Instant, short: ShortId, opener: bool) {
        self.waiting.insert(short);
        let wait = if opener { WAIT } else { WAIT_FOR_OPENER };
        self.due.get_or_insert(now.after(wait));
    }

    /// The neighbour has told of this, or it is not here any more.
    pub(crate) fn forget(&mut self, short: &ShortId) {
        self.watched.retain(|(watched, _)| watched != short);
        if self.waiting.remove(short) && self.waiting.is_empty() {
            self.due = None;
        }
    }

    /// A reconciliation begins: it tells all that waits.
    pub(crate) fn told_all(&mut self) {
        self.waiting.clear();
        self.due = None;
    }

    /// When news has waited long enough, or [`Instant::NEVER`].
    pub(crate) fn due(&self) -> Instant {
        self.due.unwrap_or(Instant::NEVER)
    }

    /// Somebody went who may have told the neighbour what this end did not: from now on news goes at once. Gives what
    /// waits.
    pub(crate) fn begin_anew(&mut self) -> BTreeSet<ShortId> {
        self.redundant = 0;
        self.watched.clear();
        self.take()
    }

    /// All that waits.
    pub(crate) fn take(&mut self) -> BTreeSet<ShortId> {
        self.due = None;
        core::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_news_waits_than_has_a_place() {
        let mut announcing = Announcing::default();
        (0..REDUNDANT).for_each(|_| announcing.was_redundant());
        let mut news = (0..).map(ShortId::new);
        while announcing.is_lazy() {
            let short = news.next().unwrap();
            announcing.lay_by(Instant::ZERO, short, true);
        }
        assert_eq!(announcing.take().len(), MAX_WAITING);
        assert!(announcing.is_lazy());
    }
}
