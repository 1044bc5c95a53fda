//! The exact memory of items that were here: none of them is taken again while it could still come.

use alloc::collections::BTreeMap;

use chappe_wire::{Age, Commitment, Duration, Instant, ItemId, ShortId};

use crate::deadlines::Deadlines;
use crate::shelf::{Identified, Prefix, Shelf};
use crate::slots::Slot;
use crate::{Class, DropReason, Ingress, SeenEntry, StoredItem};

/// How much longer than its lifetime an item is remembered.
pub(crate) const MARGIN: Duration = Duration::from_days(1);

/// An item that expired early is taken once more if at least one part in so many of its lifetime is left.
const REVIVAL_SHARE: u64 = 8;

/// The memory. A place in it is reserved for each item in custody, so that dropping one never needs room.
#[derive(Debug)]
pub(crate) struct Seen {
    limit: usize,
    limit_per_ingress: usize,
    entries: Shelf<SeenEntry>,
    commitments: BTreeMap<Commitment, u32>,
    deadlines: Deadlines<(Prefix, Slot)>,
    places: usize,
    strangers: usize,
    by_ingress: BTreeMap<Ingress, usize>,
}

impl Seen {
    pub(crate) fn new(limit: usize, limit_per_ingress: usize) -> Self {
        Self {
            limit,
            limit_per_ingress,
            entries: Shelf::new(),
            commitments: BTreeMap::new(),
            deadlines: Deadlines::new(),
            places: 0,
            strangers: 0,
            by_ingress: BTreeMap::new(),
        }
    }

    pub(crate) fn contains(&self, id: &ItemId) -> bool {
        self.entries.find(id).is_some()
    }

    /// True if an item with this commitment was here.
    pub(crate) fn committed_to(&self, commitment: &Commitment) -> bool {
        self.commitments.contains_key(commitment)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The items that neighbours are not asked for.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ItemId> {
        let entries = self.entries.iter().map(|(_, entry)| entry);
        entries
            .filter(|entry| entry.outlived.is_none())
            .map(|entry| &entry.id)
    }

    /// True if one more item of this kind can be remembered.
    pub(crate) fn has_room(&self, class: Class, ingress: Ingress) -> bool {
        let from_ingress = self.by_ingress.get(&ingress).copied().unwrap_or(0);
        let fair = class != Class::Stranger
            || (self.strangers < self.limit / 2 && from_ingress < self.limit_per_ingress);
        fair && self.places < self.limit
    }

    /// True if so many items that are written here can be remembered.
    pub(crate) const fn has_places(&self, items: usize) -> bool {
        self.places.saturating_add(items) <= self.limit
    }

    /// Takes a place for an item that comes into custody.
    pub(crate) fn reserve(&mut self, class: Class, ingress: Ingress) {
        self.places += 1;
        if class == Class::Stranger {
            self.strangers += 1;
            *self.by_ingress.entry(ingress).or_default() += 1;
        }
    }

    /// Remembers an item that has a place reserved.
    pub(crate) fn remember(
        &mut self,
        item: &StoredItem,
        reason: DropReason,
        now: Instant,
    ) -> SeenEntry {
        let lifetime = item.header.lifetime.as_duration();
        // What stayed here for a lifetime is over, whoever says what.
        let early = reason == DropReason::Expired
            && item.class != Class::Own
            && now.since(item.since) < lifetime;
        let entry = SeenEntry {
            id: item.id,
            commitment: item.header.commitment,
            until: now.after(lifetime).after(MARGIN),
            class: item.class,
            ingress: item.ingress,
            outlived: early.then_some(item.since),
        };
        self.add(entry);
        entry
    }

    /// When an item first came and its age then, if a liar may have ended it early and it can be taken once more:
    /// it is said to be clearly younger than what expired, and is as old at least as it is known here. So nothing
    /// stays longer than its lifetime, and what neighbours hand to and fro dies although each rounds its age down.
    pub(crate) fn revived(&self, item: &StoredItem, now: Instant) -> Option<(Instant, Age)> {
        let first = self.entries.get(self.entries.find(&item.id)?)?.outlived?;
        let lifetime = item.header.lifetime.as_duration();
        let known = now.since(first);
        let age = item.age_at(now).as_duration().max(known);
        let margin = Duration::from_micros(lifetime.as_micros() / REVIVAL_SHARE);
        let young = age.saturating_add(margin) < lifetime;
        young.then(|| (first, Age::from_duration(age.saturating_sub(known))))
    }

    /// Takes an entry back for an item that is taken once more. The place stays reserved only for the item.
    pub(crate) fn take_back(&mut self, id: &ItemId) -> bool {
        self.entries.find(id).is_some_and(|slot| {
            let entry = self.remove(slot);
            entry.is_some()
        })
    }

    /// Puts an entry back that was persisted.
    pub(crate) fn restore(&mut self, entry: SeenEntry) {
        if !self.contains(&entry.id) {
            self.reserve(entry.class, entry.ingress);
            self.add(entry);
        }
    }

    /// Forgets an entry that is due.
    pub(crate) fn forget_due(&mut self, now: Instant) -> Option<ItemId> {
        let (_, slot) = self.deadlines.pop_due(now)?;
        self.remove(slot).map(|entry| entry.id)
    }

    fn remove(&mut self, slot: Slot) -> Option<SeenEntry> {
        let entry = self.entries.remove(slot)?;
        let place = (Prefix::of(&entry.id), slot);
        self.deadlines.remove(entry.until, place);
        if let Some(count) = self.commitments.get_mut(&entry.commitment) {
            *count -= 1;
            if *count == 0 {
                self.commitments.remove(&entry.commitment);
            }
        }
        self.places = self.places.saturating_sub(1);
        if entry.class == Class::Stranger {
            self.strangers = self.strangers.saturating_sub(1);
            if let Some(count) = self.by_ingress.get_mut(&entry.ingress) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.by_ingress.remove(&entry.ingress);
                }
            }
        }
        Some(entry)
    }

    pub(crate) fn next_deadline(&self) -> Instant {
        self.deadlines.next()
    }

    fn add(&mut self, entry: SeenEntry) {
        // What a damaged store gave back twice.
        self.take_back(&entry.id);
        let count = self.commitments.entry(entry.commitment).or_default();
        *count = count.saturating_add(1);
        let slot = self.entries.insert(entry);
        let place = (Prefix::of(&entry.id), slot);
        self.deadlines.insert(entry.until, place);
    }
}

impl Identified for SeenEntry {
    fn id(&self) -> &ItemId {
        &self.id
    }
}

/// The memory as seen on one link: short ids.
#[derive(Debug)]
pub(crate) struct SeenOnLink {
    /// Ascending.
    first: alloc::vec::Vec<ShortId>,
    later: alloc::collections::BTreeSet<ShortId>,
}

impl SeenOnLink {
    pub(crate) fn new(ids: impl Iterator<Item = ShortId>) -> Self {
        let mut first: alloc::vec::Vec<ShortId> = ids.collect();
        first.sort_unstable();
        Self {
            first,
            later: alloc::collections::BTreeSet::new(),
        }
    }

    pub(crate) fn add(&mut self, id: ShortId) {
        self.later.insert(id);
    }

    pub(crate) fn contains(&self, id: &ShortId) -> bool {
        self.first.binary_search(id).is_ok() || self.later.contains(id)
    }
}
