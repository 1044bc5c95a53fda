//! A sorted map in two tiers: a list, and a small tree of what came since.

use alloc::collections::{BTreeMap, btree_map};
use alloc::vec::Vec;
use core::iter::Peekable;
use core::ops::RangeInclusive;
use core::{mem, slice};

/// So much comes before anything is merged into the list.
const LEAST_RECENT: usize = 64;
/// The tree holds one part in so many of what the list holds, before it is merged into it.
const RECENT_SHARE: usize = 16;
/// One key in so many of the list's is copied out, so that a search touches little memory.
const STEP: usize = 64;

/// A sorted map, for more entries than a processor's caches hold, to which things are added far more often than they are
/// looked up.
///
/// In a large tree a new key falls among neighbours that have to come out of memory. Here it goes to a small tree that
/// stays in the caches. Once that has grown to a sixteenth of the list, one pass merges it: so each entry is moved some
/// sixteen times, in one go with the others. The list takes no more room than its entries, and is gone through ten times
/// as fast as a tree.
///
/// A key should come once. Where it comes again, the later entry counts.
#[derive(Debug)]
pub(crate) struct Tiered<K, V> {
    /// Ascending. What was taken out leaves its key behind.
    list: Vec<(K, Option<V>)>,
    /// Each [`STEP`]th key of the list, from the first on.
    steps: Vec<K>,
    /// How many have been taken out of the list, and how many of them are in front of all others.
    gone: usize,
    front: usize,
    recent: BTreeMap<K, V>,
}

impl<K, V> Tiered<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            list: Vec::new(),
            steps: Vec::new(),
            gone: 0,
            front: 0,
            recent: BTreeMap::new(),
        }
    }
}

impl<K, V> Default for Tiered<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Copy, V: Copy> Tiered<K, V> {
    /// How many entries there are; a key that came twice counts twice until both tiers are merged.
    pub(crate) fn len(&self) -> usize {
        self.list.len() - self.gone + self.recent.len()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.recent.get(key).or_else(|| {
            let (found, value) = self.list.get(self.position(key))?;
            value.as_ref().filter(|_| found == key)
        })
    }

    pub(crate) fn value_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.recent.contains_key(key) {
            return self.recent.get_mut(key);
        }
        let at = self.position(key);
        let (found, value) = self.list.get_mut(at)?;
        value.as_mut().filter(|_| found == key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.recent.insert(key, value);
        if self.recent.len() > LEAST_RECENT + self.list.len() / RECENT_SHARE {
            self.merge();
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let recent = self.recent.remove(key);
        let at = self.position(key);
        let entry = self.list.get_mut(at).filter(|(found, _)| found == key);
        let listed = entry.and_then(|(_, value)| value.take());
        if listed.is_some() {
            self.gone += 1;
            self.count_front();
            if self.gone > LEAST_RECENT + self.list.len() / 2 {
                self.merge();
            }
        }
        recent.or(listed)
    }

    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        let (key, _) = self.first()?;
        self.remove(&key).map(|value| (key, value))
    }

    pub(crate) fn first(&self) -> Option<(K, V)> {
        self.iter().next().map(|(key, value)| (*key, *value))
    }

    /// All entries, ascending.
    pub(crate) fn iter(&self) -> Ascending<'_, K, V> {
        let list = self.list.get(self.front..).unwrap_or_default();
        Ascending {
            list: list.iter().peekable(),
            recent: self.recent.range(..).peekable(),
        }
    }

    /// The entries from the first key to the last, both included, ascending. What is gone beyond them costs nothing.
    pub(crate) fn range(&self, keys: RangeInclusive<K>) -> Ascending<'_, K, V> {
        let (first, last) = (self.position(keys.start()), self.position(keys.end()));
        let end = last.saturating_add(1).min(self.list.len());
        let list = self.list.get(first..end).unwrap_or_default();
        let list = match list.split_last() {
            Some(((key, _), rest)) if key > keys.end() => rest,
            _ => list,
        };
        Ascending {
            list: list.iter().peekable(),
            recent: self.recent.range(keys).peekable(),
        }
    }

    /// All values, in no order.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let listed = self.list.iter_mut().filter_map(|(_, value)| value.as_mut());
        listed.chain(self.recent.values_mut())
    }

    /// Where in the list the first key is that is not less.
    fn position(&self, key: &K) -> usize {
        let steps = self.steps.partition_point(|step| step <= key);
        let start = steps.saturating_sub(1) * STEP;
        let end = self.list.len().min(start + STEP);
        let between = self.list.get(start..end).unwrap_or_default();
        start + between.partition_point(|(found, _)| found < key)
    }

    fn count_front(&mut self) {
        let rest = self.list.get(self.front..).unwrap_or_default();
        self.front += rest.iter().take_while(|(_, value)| value.is_none()).count();
    }

    fn merge(&mut self) {
        if self.gone > 0 {
            self.list.retain(|(_, value)| value.is_some());
        }
        let recent = mem::take(&mut self.recent);
        self.list.reserve_exact(recent.len());
        self.list.shrink_to(self.list.len() + recent.len());
        let recent = recent.into_iter();
        self.list
            .extend(recent.map(|(key, value)| (key, Some(value))));
        self.sort();
    }

    /// Puts a list in order in which nothing is gone. Of two ascending parts it makes one in one pass.
    fn sort(&mut self) {
        self.list.sort_by_key(|(key, _)| *key);
        self.list.dedup_by(|later, earlier| {
            let twice = later.0 == earlier.0;
            if twice {
                earlier.1 = later.1;
            }
            twice
        });
        (self.gone, self.front) = (0, 0);
        self.steps.clear();
        let steps = self.list.iter().step_by(STEP);
        self.steps.extend(steps.map(|(key, _)| *key));
    }
}

impl<K: Ord + Copy, V: Copy> FromIterator<(K, V)> for Tiered<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self {
            list: entries.map(|(key, value)| (key, Some(value))).collect(),
            ..Self::new()
        };
        map.sort();
        map
    }
}

/// See [`Tiered::iter`].
pub(crate) struct Ascending<'a, K, V> {
    list: Peekable<slice::Iter<'a, (K, Option<V>)>>,
    recent: Peekable<btree_map::Range<'a, K, V>>,
}

impl<'a, K: Ord, V> Iterator for Ascending<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let recent = self.recent.peek().map(|(key, _)| *key);
            let Some((key, value)) = self
                .list
                .next_if(|(key, _)| recent.is_none_or(|it| key <= it))
            else {
                return self.recent.next();
            };
            // What came later counts.
            if let Some(value) = value
                && recent != Some(key)
            {
                return Some((key, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Change(u16, u32),
        Insert(u16, u32),
        PopFirst,
        Remove(u16),
    }

    /// In runs of one kind, so that the tiers grow, are merged and shrink.
    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = 0..600u16;
        let run = prop_oneof![
            4 => prop::collection::vec((key.clone(), any::<u32>()), 1..200)
                .prop_map(|run| run.into_iter().map(|(key, value)| Step::Insert(key, value)).collect()),
            1 => prop::collection::vec((key.clone(), any::<u32>()), 1..20)
                .prop_map(|run| run.into_iter().map(|(key, value)| Step::Change(key, value)).collect()),
            2 => prop::collection::vec(key, 1..200)
                .prop_map(|run| run.into_iter().map(Step::Remove).collect()),
            1 => (1..100usize).prop_map(|count| alloc::vec![Step::PopFirst; count]),
        ];
        prop::collection::vec(run, 0..12).prop_map(|runs: Vec<Vec<Step>>| runs.concat())
    }

    proptest! {
        #[test]
        fn two_tiers_are_one_map(first in prop::collection::vec((0..600u16, any::<u32>()), 0..300), steps in steps()) {
            let mut tiered: Tiered<u16, u32> = first.iter().copied().collect();
            let mut map: BTreeMap<u16, u32> = first.into_iter().collect();
            for step in steps {
                match step {
                    Step::Change(key, value) => {
                        let (mine, other) = (tiered.value_mut(&key), map.get_mut(&key));
                        prop_assert_eq!(&mine, &other);
                        if let (Some(mine), Some(other)) = (mine, other) {
                            (*mine, *other) = (value, value);
                        }
                    }
                    Step::Insert(key, value) => {
                        tiered.insert(key, value);
                        map.insert(key, value);
                    }
                    Step::PopFirst => prop_assert_eq!(tiered.pop_first(), map.pop_first()),
                    Step::Remove(key) => prop_assert_eq!(tiered.remove(&key), map.remove(&key)),
                }
                prop_assert_eq!(tiered.first(), map.first_key_value().map(|(key, value)| (*key, *value)));
            }
            prop_assert!(tiered.iter().eq(map.iter()));
            for key in 0..600 {
                prop_assert_eq!(tiered.get(&key), map.get(&key));
                for keys in [key..=key, key..=key + 70, key..=600] {
                    prop_assert!(tiered.range(keys.clone()).eq(map.range(keys)));
                }
            }
            let mut values: Vec<u32> = map.values().copied().collect();
            tiered.merge();
            prop_assert_eq!(tiered.len(), map.len());
            let mut mine: Vec<u32> = tiered.values_mut().map(|value| *value).collect();
            values.sort_unstable();
            mine.sort_unstable();
            prop_assert_eq!(mine, values);
        }
    }
}
