//! A set of byte offsets, kept as few ranges.

use alloc::vec::Vec;
use core::{iter, ops::Range};

/// Disjoint half-open ranges in ascending order; ranges that touch are merged.
#[derive(Debug, Default)]
pub(crate) struct RangeSet {
    ranges: Vec<Range<u64>>,
}

impl RangeSet {
    /// Adds a range. Empty ranges add nothing.
    pub(crate) fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let touching = self.touching(&range);
        let merged = self
            .ranges
            .get(touching.clone())
            .into_iter()
            .flatten()
            .fold(range, |sum, old| {
                sum.start.min(old.start)..sum.end.max(old.end)
            });
        self.ranges.splice(touching, iter::once(merged));
    }

    /// True if adding `range` would make the set hold one range more.
    pub(crate) fn would_grow(&self, range: &Range<u64>) -> bool {
        !range.is_empty() && self.touching(range).is_empty()
    }

    /// Takes the first `max_len` offsets or fewer, all of one range.
    pub(crate) fn take_first(&mut self, max_len: u64) -> Option<Range<u64>> {
        let first = self.ranges.first_mut()?;
        let end = first.end.min(first.start.saturating_add(max_len));
        let taken = first.start..end;
        first.start = end;
        if first.is_empty() {
            self.ranges.remove(0);
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// If the first range holds or touches `offset`, removes it and returns its end.
    pub(crate) fn take_reached(&mut self, offset: u64) -> Option<u64> {
        let first = self.ranges.first()?;
        let end = (first.start <= offset).then_some(first.end)?;
        self.ranges.remove(0);
        Some(end)
    }

    /// How many ranges there are.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// True if the set holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    fn touching(&self, range: &Range<u64>) -> Range<usize> {
        let from = self.ranges.partition_point(|old| old.end < range.start);
        let to = self.ranges.partition_point(|old| old.start <= range.end);
        from..to.max(from)
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_ranges_is_a_set_of_offsets(
            inserted in prop::collection::vec((0u64..200, 0u64..30), 0..40),
            taken in prop::collection::vec(1u64..20, 0..20),
        ) {
            let mut ranges = RangeSet::default();
            let mut model = BTreeSet::new();
            for (start, len) in inserted {
                let before = ranges.len();
                let grows = ranges.would_grow(&(start..start + len));
                ranges.insert(start..start + len);
                model.extend(start..start + len);
                prop_assert_eq!(grows, ranges.len() > before);
            }
            for max_len in taken {
                let Some(range) = ranges.take_first(max_len) else { break };
                prop_assert!(range.end - range.start <= max_len);
                for offset in range {
                    prop_assert_eq!(model.pop_first(), Some(offset));
                }
            }
            let left: BTreeSet<u64> = ranges.ranges.iter().cloned().flatten().collect();
            prop_assert_eq!(left, model);
            prop_assert!(ranges.ranges.is_sorted_by(|a, b| a.end < b.start));
        }
    }
}
