//! Sets of small numbers, as bits.

/// A set of numbers below a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// An empty set with room for numbers below `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            words: vec![0; bound.div_ceil(64)],
        }
    }

    pub(crate) fn insert(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut(number as usize / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let word = self.words.get(number as usize / 64);
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Becomes empty, with room for numbers below `bound`.
    pub(crate) fn reset(&mut self, bound: usize) {
        self.words.clear();
        self.words.resize(bound.div_ceil(64), 0);
    }

    pub(crate) fn has_room(&self) -> bool {
        !self.words.is_empty()
    }

    pub(crate) fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Becomes what is in `of` and in none of `without`, from `first` on.
    pub(crate) fn assign_difference(&mut self, of: &Self, without: [&Self; 2], first: u32) {
        let [left, right] = without;
        let without = left.words.iter().zip(&right.words);
        let of = of.words.iter().zip(without);
        for (word, (of, (left, right))) in self.words.iter_mut().zip(of) {
            *word = of & !(left | right);
        }
        self.remove_below(first);
    }

    /// Keeps what is in `other` too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Removes what is in `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Adds what is in `other`.
    pub(crate) fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The number with this rank, counted from 0.
    pub(crate) fn nth(&self, rank: u32) -> Option<u32> {
        let mut left = rank;
        for (place, word) in (0..).zip(&self.words) {
            let ones = word.count_ones();
            if left >= ones {
                left -= ones;
                continue;
            }
            let mut word = *word;
            for _ in 0..left {
                word &= word - 1;
            }
            return Some(place * 64 + word.trailing_zeros());
        }
        None
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.words).flat_map(|(place, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some(place * 64 + bit)
            })
        })
    }

    fn remove_below(&mut self, first: u32) {
        let whole = first as usize / 64;
        for word in self.words.iter_mut().take(whole) {
            *word = 0;
        }
        if let Some(word) = self.words.get_mut(whole) {
            *word &= u64::MAX << (first % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bits(numbers: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::new(300);
        for number in numbers {
            bits.insert(*number);
        }
        bits
    }

    fn numbers() -> impl Strategy<Value = BTreeSet<u32>> {
        proptest::collection::btree_set(0_u32..300, 0..60)
    }

    proptest! {
        #[test]
        fn they_are_sets(a in numbers(), b in numbers(), c in numbers(), first in 0_u32..300) {
            let mut found = Bits::new(300);
            found.assign_difference(&bits(&a), [&bits(&b), &bits(&c)], first);
            let right: Vec<u32> = a
                .iter()
                .copied()
                .filter(|n| !b.contains(n) && !c.contains(n) && *n >= first)
                .collect();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), right.clone());
            prop_assert_eq!(found.len() as usize, right.len());
            prop_assert_eq!(found.is_empty(), right.is_empty());
            for (rank, number) in (0..).zip(&right) {
                prop_assert_eq!(found.nth(rank), Some(*number));
            }
            prop_assert_eq!(found.nth(found.len()), None);
        }
    }
}
