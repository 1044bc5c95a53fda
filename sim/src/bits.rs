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

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        numbers(0, &self.words)
    }

    /// The words from this place on.
    fn from(&self, place: usize) -> std::slice::Iter<'_, u64> {
        self.words.get(place..).unwrap_or_default().iter()
    }
}

/// What is left to choose from: a set of numbers that are near each other. Words before the first one are not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// The first word's place among those of [`Bits`].
    first: usize,
    words: Vec<u64>,
}

impl Choice {
    /// Becomes what is in `of` and in none of `without`, from `first` up to `end` (excluded).
    pub(crate) fn assign_difference(
        &mut self,
        of: &Bits,
        without: [&Bits; 2],
        first: u32,
        end: u32,
    ) {
        let [left, right] = without;
        let whole = first as usize / 64;
        let count = (end as usize).div_ceil(64).saturating_sub(whole);
        let without = left.from(whole).zip(right.from(whole));
        let of = of.from(whole).zip(without).take(count);
        self.first = whole;
        self.words.clear();
        self.words
            .extend(of.map(|(of, (left, right))| of & !(left | right)));
        if let Some(word) = self.words.first_mut() {
            *word &= u64::MAX << (first % 64);
        }
    }

    /// Removes what is in `other`.
    pub(crate) fn subtract(&mut self, other: &Bits) {
        for (word, other) in self.words.iter_mut().zip(other.from(self.first)) {
            *word &= !other;
        }
    }

    /// Keeps what is in `other` too.
    pub(crate) fn intersect(&mut self, other: &Bits) {
        for (word, other) in self.words.iter_mut().zip(other.from(self.first)) {
            *word &= other;
        }
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let place = (number as usize / 64).checked_sub(self.first);
        if let Some(word) = place.and_then(|place| self.words.get_mut(place)) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.words.iter().map(|word| ones(*word)).sum()
    }

    /// The number with this rank, counted from 0.
    pub(crate) fn nth(&self, rank: u32) -> Option<u32> {
        let mut left = rank;
        for (place, word) in (self.first as u32..).zip(&self.words) {
            let ones = ones(*word);
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
        numbers(self.first as u32, &self.words)
    }
}

/// Most words are empty, and counting takes a while where the processor is not known to do it.
const fn ones(word: u64) -> u32 {
    if word == 0 { 0 } else { word.count_ones() }
}

fn numbers(first: u32, words: &[u64]) -> impl Iterator<Item = u32> {
    (first..).zip(words).flat_map(|(place, word)| {
        let mut word = *word;
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros())?;
            word &= word - 1;
            Some(place * 64 + bit)
        })
    })
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

    fn some() -> impl Strategy<Value = BTreeSet<u32>> {
        proptest::collection::btree_set(0_u32..300, 0..60)
    }

    proptest! {
        #[test]
        fn they_are_sets(a in some(), b in some(), c in some(), d in some(), first in 0_u32..300) {
            let mut found = Choice::default();
            let end = a.last().map_or(0, |last| last + 1);
            found.assign_difference(&bits(&a), [&bits(&b), &bits(&c)], first, end);
            found.subtract(&bits(&d));
            let right: Vec<u32> = a
                .iter()
                .copied()
                .filter(|n| [&b, &c, &d].iter().all(|set| !set.contains(n)) && *n >= first)
                .collect();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), right.clone());
            prop_assert_eq!(found.len() as usize, right.len());
            prop_assert_eq!(found.is_empty(), right.is_empty());
            for (rank, number) in (0..).zip(&right) {
                prop_assert_eq!(found.nth(rank), Some(*number));
            }
            prop_assert_eq!(found.nth(found.len()), None);
            let kept: Vec<u32> = right.iter().copied().filter(|n| c.contains(&(n + 1))).collect();
            let shifted = c.iter().filter_map(|n| n.checked_sub(1)).collect();
            found.intersect(&bits(&shifted));
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), kept.clone());
            for number in &kept {
                found.remove(*number);
            }
            prop_assert!(found.is_empty());
        }
    }
}
