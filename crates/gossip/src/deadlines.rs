//! What is due when.

use chappe_wire::Instant;

use crate::tiered::Tiered;

/// An ordered set of deadlines, one for each entry.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    entries: Tiered<(Instant, K), ()>,
}

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        let entries = Tiered::new();
        Self { entries }
    }

    pub(crate) fn insert(&mut self, due: Instant, key: K) {
        self.entries.insert((due, key), ());
    }

    pub(crate) fn remove(&mut self, due: Instant, key: K) {
        self.entries.remove(&(due, key));
    }

    /// Takes out an entry that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let ((due, key), ()) = self.entries.first()?;
        (due <= now).then(|| {
            self.entries.pop_first();
            key
        })
    }

    /// The entry that is due next.
    pub(crate) fn first(&self) -> Option<K> {
        self.entries.first().map(|((_, key), ())| key)
    }

    /// The next deadline, or [`Instant::NEVER`].
    pub(crate) fn next(&self) -> Instant {
        self.entries
            .first()
            .map_or(Instant::NEVER, |((due, _), ())| due)
    }
}
