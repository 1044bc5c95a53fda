//! Places in memory that keep their number: what is large lies in one, and all orders hold the number.

use alloc::vec::Vec;
use core::mem;

/// The number of a place. It is used again once the place is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(u32::MAX);

    /// 2^32 places are more than memory has room for: of the smallest things that are kept so, some 500 GB.
    fn numbered(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Things, each in a place of its own. The place that became free last is taken first; there are as many as there have
/// been things at once.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Option<Slot>,
}

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// And the one that became free before it.
    Free(Option<Slot>),
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: None,
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        match self.places.get(slot.index())? {
            Place::Taken(thing) => Some(thing),
            Place::Free(_) => None,
        }
    }

    pub(crate) fn thing_mut(&mut self, slot: Slot) -> Option<&mut T> {
        match self.places.get_mut(slot.index())? {
            Place::Taken(thing) => Some(thing),
            Place::Free(_) => None,
        }
    }

    pub(crate) fn insert(&mut self, thing: T) -> Slot {
        let free = self.free.and_then(|slot| {
            let place = self.places.get_mut(slot.index())?;
            Some((slot, place))
        });
        let Some((slot, place)) = free else {
            let slot = Slot::numbered(self.places.len());
            self.places.push(Place::Taken(thing));
            return slot;
        };
        if let Place::Free(before) = mem::replace(place, Place::Taken(thing)) {
            self.free = before;
        }
        slot
    }

    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let place = self.places.get_mut(slot.index())?;
        if let Place::Free(_) = place {
            return None;
        }
        let free = self.free.replace(slot);
        match mem::replace(place, Place::Free(free)) {
            Place::Taken(thing) => Some(thing),
            Place::Free(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_became_free_last_is_taken_first() {
        let mut slots = Slots::new();
        let [a, b, c] = ["a", "b", "c"].map(|thing| slots.insert(thing));
        assert_eq!(slots.remove(a), Some("a"));
        assert_eq!(slots.remove(c), Some("c"));
        assert_eq!(slots.remove(c), None);
        assert_eq!(slots.get(a), None);
        assert_eq!(slots.insert("d"), c);
        assert_eq!(slots.insert("e"), a);
        assert_eq!(slots.insert("f"), Slot(3));
        let all = [a, b, c, Slot(3)].map(|slot| slots.get(slot).copied());
        assert_eq!(all, [Some("e"), Some("b"), Some("d"), Some("f")]);
        assert_eq!(slots.get(Slot(4)), None);
        assert_eq!(slots.remove(Slot::LAST), None);
    }
}
