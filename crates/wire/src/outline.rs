//! What a store holds, in so few bytes that only the size of a difference can be told from it.

use sha2::{Digest as _, Sha256};

use crate::short::LinkSalt;
use crate::{ItemId, NodeNonce};

/// An estimator of how many items two sets do not have in common, whatever their sizes.
///
/// Each counter sums up signs that each item's salted hash gives it ("tug of war", Alon, Matias, Szegedy 1996), modulo
/// 256. What both sets have cancels out in the difference of two counters, whose mean square is the number of items of
/// which that is not true. The standard error with n counters is that number times the square root of 2 / n; beyond some
/// 1,500 differences the counters run over, and all that is told is that there are many.
///
/// Nothing is believed of it but a size to begin with: who knows the salt can prepare items that cancel out.
///
/// ```
/// use chappe_wire::{ItemId, NodeNonce, Outline};
///
/// let salt = Outline::salt(NodeNonce::new([7; 16]));
/// let item = |number: u64| ItemId::of(&number.to_le_bytes());
/// let (mut anna, mut ben) = (Outline::default(), Outline::default());
/// for number in 0..1_000 {
///     anna.insert(&salt, &item(number));
///     ben.insert(&salt, &item(number + 20));
/// }
/// assert!((20..80).contains(&anna.difference(&ben)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    count: u64,
    counters: [u8; Self::MAX_COUNTERS],
    /// How many of them are known.
    known: usize,
}

impl Default for Outline {
    fn default() -> Self {
        Self {
            count: 0,
            counters: [0; Self::MAX_COUNTERS],
            known: Self::MAX_COUNTERS,
        }
    }
}

impl Outline {
    /// The most counters, a byte each.
    pub const MAX_COUNTERS: usize = 32;
    /// The fewest counters that are read.
    pub const MIN_COUNTERS: usize = 8;

    /// The salt of the outlines of the node with this nonce.
    pub fn salt(nonce: NodeNonce) -> LinkSalt {
        let hash = Sha256::new_with_prefix(b"chappe outline v1")
            .chain_update(nonce.as_bytes())
            .finalize();
        LinkSalt::new(hash.first_chunk().copied().unwrap_or_default())
    }

    /// Adds an item that the set did not hold.
    pub fn insert(&mut self, salt: &LinkSalt, item: &ItemId) {
        self.count = self.count.saturating_add(1);
        self.pull(salt, item, 1);
    }

    /// Takes an item out that the set held.
    pub fn remove(&mut self, salt: &LinkSalt, item: &ItemId) {
        self.count = self.count.saturating_sub(1);
        self.pull(salt, item, u8::MAX);
    }

    /// How many items the set holds.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The counters, as they go over the wire.
    pub fn counters(&self) -> &[u8] {
        self.counters.get(..self.known).unwrap_or_default()
    }

    /// The outline with these counters, of which the first [`MAX_COUNTERS`](Self::MAX_COUNTERS) count; `None` if they
    /// are fewer than [`MIN_COUNTERS`](Self::MIN_COUNTERS).
    pub fn new(count: u64, counters: &[u8]) -> Option<Self> {
        if counters.len() < Self::MIN_COUNTERS {
            return None;
        }
        let mut outline = Self {
            count,
            known: counters.len().min(Self::MAX_COUNTERS),
            ..Self::default()
        };
        for (to, from) in outline.counters.iter_mut().zip(counters) {
            *to = *from;
        }
        Some(outline)
    }

    /// The same with so many counters at most; `None` if those are too few to tell anything.
    pub fn truncated(&self, counters: usize) -> Option<Self> {
        let kept = self.known.min(counters);
        Self::new(self.count, self.counters.get(..kept)?)
    }

    /// About how many items only one of two sets holds; no fewer than their counts differ by. Both outlines are under one
    /// salt.
    pub fn difference(&self, other: &Self) -> u64 {
        let known = self.known.min(other.known);
        let both = self.counters.iter().zip(&other.counters).take(known);
        let squares: u64 = both
            .map(|(mine, theirs)| {
                let apart = u64::from(mine.wrapping_sub(*theirs).cast_signed().unsigned_abs());
                apart * apart
            })
            .sum();
        squares
            .div_ceil(known.max(1) as u64)
            .max(self.count.abs_diff(other.count))
    }

    /// The signs are the lowest bits of the salted hash, the first counter's being the lowest: `step` for 1, and its
    /// opposite for 0.
    fn pull(&mut self, salt: &LinkSalt, item: &ItemId, step: u8) {
        let signs = salt.hash(item) as u32;
        for (at, counter) in self.counters.iter_mut().enumerate() {
            let positive = (signs >> at) & 1 == 1;
            let step = if positive { step } else { step.wrapping_neg() };
            *counter = counter.wrapping_add(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: LinkSalt = LinkSalt::new([9; 16]);

    fn outline(numbers: impl Iterator<Item = u64>) -> Outline {
        let mut outline = Outline::default();
        for number in numbers {
            outline.insert(&SALT, &ItemId::of(&number.to_le_bytes()));
        }
        outline
    }

    #[test]
    fn equal_sets_do_not_differ_and_one_item_is_one() {
        assert_eq!(outline(0..5_000).difference(&outline(0..5_000)), 0);
        assert_eq!(outline(0..5_000).difference(&outline(0..5_001)), 1);
    }

    #[test]
    fn what_is_taken_out_was_never_in() {
        let mut one = outline(0..300);
        for number in 100..300u64 {
            one.remove(&SALT, &ItemId::of(&number.to_le_bytes()));
        }
        assert_eq!(one, outline(0..100));
    }

    /// The standard error with 32 counters is a quarter; the mean of many estimates is the difference.
    #[test]
    fn estimates_are_as_good_as_promised() {
        for half in [2u64, 5, 25, 150] {
            let mut sum = 0;
            for run in 0..200u64 {
                let start = run * 100_000;
                let one = outline(start..start + 100 + half);
                let two =
                    outline((start..start + 100).chain(start + 50_000..start + 50_000 + half));
                let estimate = one.difference(&two);
                assert!(
                    (half / 2..=half * 4).contains(&estimate),
                    "{estimate} for {half} and {half}"
                );
                sum += estimate;
            }
            let mean = sum as f64 / 200.0 / (2 * half) as f64;
            assert!((0.9..1.3).contains(&mean), "{mean} times {half} and {half}");
        }
    }

    #[test]
    fn many_differences_are_many() {
        assert!(outline(0..20_000).difference(&outline(30_000..50_000)) > 1_500);
    }

    #[test]
    fn fewer_counters_still_tell_something() {
        let one = outline(0..1_000).truncated(16).unwrap();
        assert_eq!(one.counters().len(), 16);
        let estimate = one.difference(&outline(0..1_016));
        assert!((16..=40).contains(&estimate), "{estimate}");
        assert_eq!(one.truncated(7), None);
        assert_eq!(Outline::new(3, &[0; 7]), None);
    }
}
