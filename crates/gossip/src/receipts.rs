//! The receipts that are carried on, so that they reach every holder and the sender.

use alloc::collections::{BTreeMap, BTreeSet};

use chappe_wire::{Age, Instant, ItemId};

use crate::deadlines::Deadlines;
use crate::shelf::{Identified, Prefix, Shelf};
use crate::slots::Slot;
use crate::{Class, Ingress, StoredReceipt};

/// All receipts. Those for envelopes that were never here are the first to go, fair across ingresses.
#[derive(Debug)]
pub(crate) struct Receipts {
    limit: usize,
    receipts: Shelf<Carried>,
    deadlines: Deadlines<(Prefix, Slot)>,
    /// By ingress, what expires first in front. One set for all: a set for each would cost more than what is in it, for
    /// most ingresses bring one receipt or two.
    unknown: BTreeSet<(Ingress, Instant, Prefix, Slot)>,
    count_of_unknown: BTreeMap<Ingress, usize>,
    unknown_by_count: BTreeSet<(usize, Ingress)>,
}

#[derive(Debug)]
struct Carried {
    id: ItemId,
    receipt: StoredReceipt,
}

impl Identified for Carried {
    fn id(&self) -> &ItemId {
        &self.id
    }
}

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It is carried.
    Stored(Slot),
    /// It is carried, and this one is not any more.
    InPlaceOf(StoredReceipt, Slot),
    /// There is no room for it.
    NoRoom,
}

impl Receipts {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            receipts: Shelf::new(),
            deadlines: Deadlines::new(),
            unknown: BTreeSet::new(),
            count_of_unknown: BTreeMap::new(),
            unknown_by_count: BTreeSet::new(),
        }
    }

    /// Where a receipt is, as long as it is carried.
    pub(crate) fn find(&self, id: &ItemId) -> Option<Slot> {
        self.receipts.find(id)
    }

    pub(crate) fn receipt(&self, slot: Slot) -> Option<&StoredReceipt> {
        self.receipts.get(slot).map(|carried| &carried.receipt)
    }

    pub(crate) fn id(&self, slot: Slot) -> Option<&ItemId> {
        self.receipts.get(slot).map(|carried| &carried.id)
    }

    pub(crate) fn len(&self) -> usize {
        self.receipts.len()
    }

    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = (Slot, &ItemId)> {
        let carried = self.receipts.iter();
        carried.map(|(slot, carried)| (slot, &carried.id))
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &StoredReceipt> {
        self.receipts.iter().map(|(_, carried)| &carried.receipt)
    }

    /// Takes a receipt in that is not here yet.
    pub(crate) fn insert(&mut self, id: ItemId, receipt: StoredReceipt) -> Placed {
        let unknown = self.count_of_unknown.get(&receipt.ingress);
        let unknown = unknown.copied().unwrap_or(0);
        let stranger = !receipt.known && receipt.class == Class::Stranger;
        if stranger && unknown >= self.limit / 4 {
            return Placed::NoRoom;
        }
        let mut gone = None;
        if self.receipts.len() >= self.limit {
            let Some(loser) = self.loser(&receipt) else {
                return Placed::NoRoom;
            };
            gone = self.remove(loser);
        }
        let slot = self.receipts.insert(Carried { id, receipt });
        self.line_up(&id, &receipt, slot);
        gone.map_or(Placed::Stored(slot), |gone| Placed::InPlaceOf(gone, slot))
    }

    /// Keeps the smaller of the receipt's age and `age`, which is its age at `now`. True if that changed something.
    pub(crate) fn keep_smaller_age(&mut self, slot: Slot, age: Age, now: Instant) -> bool {
        let Some(carried) = self.receipts.thing_mut(slot) else {
            return false;
        };
        let (id, old) = (carried.id, carried.receipt);
        let dwell = now.since(old.since);
        let age = Age::from_duration(age.as_duration().saturating_sub(dwell));
        if age >= old.age {
            return false;
        }
        let new = StoredReceipt { age, ..old };
        carried.receipt = new;
        self.strike_off(&id, &old, slot);
        self.line_up(&id, &new, slot);
        true
    }

    pub(crate) fn remove(&mut self, slot: Slot) -> Option<StoredReceipt> {
        let Carried { id, receipt } = self.receipts.remove(slot)?;
        self.strike_off(&id, &receipt, slot);
        Some(receipt)
    }

    /// Gives a receipt its places in the orders.
    fn line_up(&mut self, id: &ItemId, receipt: &StoredReceipt, slot: Slot) {
        let (prefix, due) = (Prefix::of(id), receipt.expires());
        self.deadlines.insert(due, (prefix, slot));
        if !receipt.known {
            let new = (receipt.ingress, due, prefix, slot);
            let more = usize::from(self.unknown.insert(new));
            self.recount(receipt.ingress, |count| count + more);
        }
    }

    /// Takes a receipt out of the orders.
    fn strike_off(&mut self, id: &ItemId, receipt: &StoredReceipt, slot: Slot) {
        let (prefix, due) = (Prefix::of(id), receipt.expires());
        self.deadlines.remove(due, (prefix, slot));
        if !receipt.known {
            let old = (receipt.ingress, due, prefix, slot);
            let less = usize::from(self.unknown.remove(&old));
            self.recount(receipt.ingress, |count| count.saturating_sub(less));
        }
    }

    /// A receipt that has expired by `now`. It stays until it is removed.
    pub(crate) fn next_expired(&mut self, now: Instant) -> Option<Slot> {
        self.deadlines.pop_due(now).map(|(_, slot)| slot)
    }

    pub(crate) fn next_expiry(&self) -> Instant {
        self.deadlines.next()
    }

    /// Who goes for `newcomer`: of the ingress with the most unknown ones, that which expires first; for one
    /// that is known here or made here, failing that, whichever expires first.
    fn loser(&self, newcomer: &StoredReceipt) -> Option<Slot> {
        let largest = self.unknown_by_count.last().map(|(_, ingress)| *ingress);
        let preferred = newcomer.known || newcomer.class == Class::Own;
        match largest {
            Some(ingress) if preferred || ingress != newcomer.ingress => {
                let least = (ingress, Instant::ZERO, Prefix::FIRST, Slot::FIRST);
                self.unknown.range(least..).next().map(|(.., slot)| *slot)
            }
            None if preferred => self.deadlines.first().map(|(_, slot)| slot),
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
