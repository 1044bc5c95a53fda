//! Things that are found by their id, and looked at in the order of their ids.

use alloc::collections::{BTreeSet, btree_set};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::iter::Peekable;

use chappe_wire::ItemId;

use crate::slots::{Slot, Slots};

/// What has an id.
pub(crate) trait Identified {
    fn id(&self) -> &ItemId;
}

/// The first 8 bytes of an id, in its order. Ids are hashes: two that begin alike are so rare that the order among them
/// may be that of their slots where nobody sees it; but somebody may have searched for them, so nothing is taken for the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix(u64);

impl Prefix {
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) fn of(id: &ItemId) -> Self {
        let first = id.as_bytes().first_chunk().copied();
        Self(u64::from_be_bytes(first.unwrap_or_default()))
    }
}

/// Things by their ids. The index holds a few bytes for each: more of it stays in the processor's caches, and less is moved
/// when something comes.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    things: Slots<T>,
    by_id: BTreeSet<(Prefix, Slot)>,
}

impl<T: Identified> Shelf<T> {
    pub(crate) const fn new() -> Self {
        Self {
            things: Slots::new(),
            by_id: BTreeSet::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The slot of the thing with this id. It stays the thing's until that is removed.
    pub(crate) fn find(&self, id: &ItemId) -> Option<Slot> {
        let prefix = Prefix::of(id);
        let alike = (prefix, Slot::FIRST)..=(prefix, Slot::LAST);
        let slots = self.by_id.range(alike).map(|(_, slot)| *slot);
        let mut slots = slots.filter(|slot| self.get(*slot).is_some_and(|thing| thing.id() == id));
        slots.next()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        self.things.get(slot)
    }

    /// The id must stay as it is.
    pub(crate) fn thing_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.things.thing_mut(slot)
    }

    /// Takes a thing in whose id is not here.
    pub(crate) fn insert(&mut self, thing: T) -> Slot {
        let prefix = Prefix::of(thing.id());
        let slot = self.things.insert(thing);
        self.by_id.insert((prefix, slot));
        slot
    }

    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let thing = self.things.remove(slot)?;
        self.by_id.remove(&(Prefix::of(thing.id()), slot));
        Some(thing)
    }

    /// All things, in the order of their ids.
    pub(crate) fn iter(&self) -> InOrder<'_, T> {
        InOrder {
            things: &self.things,
            left: self.by_id.len(),
            index: self.by_id.iter().peekable(),
            alike: Vec::new(),
        }
    }
}

/// See [`Shelf::iter`].
pub(crate) struct InOrder<'a, T> {
    things: &'a Slots<T>,
    left: usize,
    index: Peekable<btree_set::Iter<'a, (Prefix, Slot)>>,
    /// Those whose ids begin alike, the last in front. Empty nearly always.
    alike: Vec<(Slot, &'a T)>,
}

impl<'a, T: Identified> Iterator for InOrder<'a, T> {
    type Item = (Slot, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.alike.pop().or_else(|| {
            let first = *self.index.next()?;
            self.beginning_like(first)
        })?;
        self.left = self.left.saturating_sub(1);
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Identified> ExactSizeIterator for InOrder<'_, T> {}

impl<'a, T: Identified> InOrder<'a, T> {
    /// The first by its id of this one and those that begin alike, the others of which are next.
    fn beginning_like(&mut self, (prefix, slot): (Prefix, Slot)) -> Option<(Slot, &'a T)> {
        let things = self.things;
        let thing = |slot: Slot| Some((slot, things.get(slot)?));
        let is_alike = |next: &&(Prefix, Slot)| next.0 == prefix;
        let Some((_, second)) = self.index.next_if(is_alike) else {
            return thing(slot);
        };
        self.alike
            .extend(thing(slot).into_iter().chain(thing(*second)));
        while let Some((_, slot)) = self.index.next_if(is_alike) {
            self.alike.extend(thing(*slot));
        }
        self.alike
            .sort_unstable_by_key(|(_, thing)| Reverse(*thing.id()));
        self.alike.pop()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Thing {
        id: ItemId,
        word: u16,
    }

    impl Identified for Thing {
        fn id(&self) -> &ItemId {
            &self.id
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Change(ItemId, u16),
        Insert(ItemId, u16),
        Remove(ItemId),
    }

    /// Few prefixes, as if somebody had searched for ids that begin alike; they differ in the ninth byte or in the last.
    fn ids() -> impl Strategy<Value = ItemId> {
        (0..4u8, 0..4u8, 0..2u8).prop_map(|(prefix, ninth, last)| {
            let mut id = [0; 32];
            (id[7], id[8], id[31]) = (prefix, ninth, last);
            ItemId::new(id)
        })
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (ids(), any::<u16>()).prop_map(|(id, word)| Step::Insert(id, word)),
            1 => (ids(), any::<u16>()).prop_map(|(id, word)| Step::Change(id, word)),
            2 => ids().prop_map(Step::Remove),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn a_shelf_is_a_map_by_whole_ids(steps in steps()) {
            let mut shelf: Shelf<Thing> = Shelf::new();
            let mut map = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Change(id, word) => {
                        let slot = shelf.find(&id);
                        prop_assert_eq!(slot.is_some(), map.contains_key(&id));
                        if let Some(thing) = slot.and_then(|slot| shelf.thing_mut(slot)) {
                            thing.word = word;
                            map.insert(id, word);
                        }
                    }
                    Step::Insert(id, word) => {
                        if shelf.find(&id).is_none() {
                            let slot = shelf.insert(Thing { id, word });
                            prop_assert_eq!(shelf.find(&id), Some(slot));
                            prop_assert_eq!(map.insert(id, word), None);
                        }
                    }
                    Step::Remove(id) => {
                        let thing = shelf.find(&id).and_then(|slot| {
                            let thing = shelf.remove(slot);
                            assert!(shelf.get(slot).is_none() && shelf.remove(slot).is_none());
                            thing
                        });
                        prop_assert_eq!(thing.map(|thing| thing.word), map.remove(&id));
                    }
                }
                let things = shelf.iter();
                prop_assert_eq!(things.len(), map.len());
                let things = things.map(|(slot, thing)| {
                    assert_eq!(shelf.find(&thing.id), Some(slot));
                    (thing.id, thing.word)
                });
                let things: Vec<_> = things.collect();
                prop_assert_eq!(things, map.iter().map(|(id, word)| (*id, *word)).collect::<Vec<_>>());
            }
        }
    }
}
