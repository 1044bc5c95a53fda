//! The receipts that are carried on, so that they reach every holder and the sender.

use alloc::collections::{BTreeMap, BTreeSet};

use chappe_wire::{Age, Instant, ItemId};

use crate::deadlines::Deadlines;
use crate::{Class, Ingress, StoredReceipt};

/// All receipts. Those for envelopes that were never here are the first to go, fair across ingresses.
#[derive(Debug)]
pub(crate) struct Receipts {
    limit: usize,
    receipts: BTreeMap<ItemId, StoredReceipt>,
    deadlines: Deadlines<ItemId>,
    /// By ingress, what expires first in front. One set for all: a set for each would cost more than what is in it, for
    /// most ingresses bring one receipt or two.
    unknown: BTreeSet<(Ingress, Instant, ItemId)>,
    count_of_unknown: BTreeMap<Ingress, usize>,
    unknown_by_count: BTreeSet<(usize, Ingress)>,
}

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It is carried.
    Stored,
    /// It is carried, and this one is not any more.
    InPlaceOf(StoredReceipt),
    /// There is no room for it.
    NoRoom,
}

impl Receipts {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            receipts: BTreeMap::new(),
            deadlines: Deadlines::new(),
            unknown: BTreeSet::new(),
            count_of_unknown: BTreeMap::new(),
            unknown_by_count: BTreeSet::new(),
        }
    }

    pub(crate) fn find(&self, id: &ItemId) -> Option<&StoredReceipt> {
        self.receipts.get(id)
    }

    pub(crate) fn contains(&self, id: &ItemId) -> bool {
        self.receipts.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.receipts.len()
    }

    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = &ItemId> {
        self.receipts.keys()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &StoredReceipt> {
        self.receipts.values()
    }

    /// Takes a receipt in that is not here yet.
    pub(crate) fn insert(&mut self, id: ItemId, receipt: StoredReceipt) -> Placed {
        let unknown = self.count_of_unknown.get(&receipt.ingress);
        let unknown = unknown.copied().unwrap_or(0);
        let stranger = !receipt.known && receipt.class == Class::Stranger;
        if stranger && unknown >= self.limit / 4 {
            return Placed::NoRoom;
        }
        let mut placed = Placed::Stored;
        if self.receipts.len() >= self.limit {
            let Some(loser) = self.loser(&receipt) else {
                return Placed::NoRoom;
            };
            if let Some(loser) = self.remove(&loser) {
                placed = Placed::InPlaceOf(loser);
            }
        }
        self.deadlines.insert(receipt.expires(), id);
        if !receipt.known {
            let new = (receipt.ingress, receipt.expires(), id);
            let more = usize::from(self.unknown.insert(new));
            self.recount(receipt.ingress, |count| count + more);
        }
        self.receipts.insert(id, receipt);
        placed
    }

    /// Keeps the smaller of the receipt's age and `age`, which is its age at `now`. True if that changed something.
    pub(crate) fn keep_smaller_age(&mut self, id: &ItemId, age: Age, now: Instant) -> bool {
        let Some(receipt) = self.receipts.get(id).copied() else {
            return false;
        };
        let dwell = now.since(receipt.since);
        let at_arrival = Age::from_duration(age.as_duration().saturating_sub(dwell));
        if at_arrival >= receipt.age {
            return false;
        }
        self.remove(id);
        let age = at_arrival;
        self.insert(*id, StoredReceipt { age, ..receipt });
        true
    }

    pub(crate) fn remove(&mut self, id: &ItemId) -> Option<StoredReceipt> {
        let receipt = self.receipts.remove(id)?;
        self.deadlines.remove(receipt.expires(), *id);
        if !receipt.known {
            let old = (receipt.ingress, receipt.expires(), *id);
            let less = usize::from(self.unknown.remove(&old));
            self.recount(receipt.ingress, |count| count.saturating_sub(less));
        }
        Some(receipt)
    }

    /// The id of a receipt that has expired by `now`. It stays until it is removed.
    pub(crate) fn next_expired(&mut self, now: Instant) -> Option<ItemId> {
        self.deadlines.pop_due(now)
    }

    pub(crate) fn next_expiry(&self) -> Instant {
        self.deadlines.next()
    }

    /// Who goes for `newcomer`: of the ingress with the most unknown ones, that which expires first; for one
    /// that is known here or made here, failing that, whichever expires first.
    fn loser(&self, newcomer: &StoredReceipt) -> Option<ItemId> {
        let largest = self.unknown_by_count.last().map(|(_, ingress)| *ingress);
        let preferred = newcomer.known || newcomer.class == Class::Own;
        match largest {
            Some(ingress) if preferred || ingress != newcomer.ingress => {
                let least = (ingress, Instant::ZERO, ItemId::new([0; ItemId::LEN]));
                self.unknown.range(least..).next().map(|(.., id)| *id)
            }
            None if preferred => self.deadlines.first(),
            _ => None,
        }
    }

    fn recount(&mut self, ingress: Ingress, change: impl FnOnce(usize) -> usize) {
        let count = self.count_of_unknown.get(&ingress).copied().unwrap_or(0);
        self.unknown_by_count.remove(&(count, ingress));
        let count = change(count);
        if count == 0 {
            self.count_of_unknown.remove(&ingress);
        } else {
            self.count_of_unknown.insert(ingress, count);
            self.unknown_by_count.insert((count, ingress));
        }
    }
}
