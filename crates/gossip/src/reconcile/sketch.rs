//! The difference of two sets out of a few power sums.

use alloc::vec;
use alloc::vec::Vec;

use chappe_wire::ShortId;

use super::field::{Element, Factor};
use super::polynomial::all_roots;

/// A sketch of a set of short ids: its sums of odd powers in the field of 2^64 elements, as in PinSketch (Dodis,
/// Ostrovsky, Reyzin, Smith: "Fuzzy Extractors", 2004).
///
/// The sketches of two sets add up to the sketch of their difference, since what both have cancels out; and a set of as
/// many items as a sketch has sums can be read out of it. So it takes 8 bytes for each difference, and work of sums times
/// items to make: the choice for few differences. What is read from a sketch that is too small may be wrong: compare
/// with the digests.
///
/// ```
/// use chappe_gossip::reconcile::Sketch;
/// use chappe_wire::ShortId;
///
/// let theirs = Sketch::of((1..1_000).map(ShortId::new), 4);
/// let mine = Sketch::of((3..1_001).map(ShortId::new), 4);
/// let difference = theirs.combined(&mine).and_then(|both| both.items(7));
/// assert_eq!(difference, Some([1, 2, 1_000].map(ShortId::new).to_vec()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// Of the powers 1, 3, 5, ...
    sums: Vec<Element>,
}

impl Sketch {
    /// Bytes on the wire for each item of a difference that can be read.
    pub const BYTES_PER_ITEM: usize = 8;

    /// The sketch of `ids`, which are all different, from which `capacity` differences can be read. The short id 0 is
    /// in no sketch.
    pub fn of(ids: impl IntoIterator<Item = ShortId>, capacity: usize) -> Self {
        let mut sums = vec![Element::ZERO; capacity];
        for id in ids {
            let mut power = Element(id.get());
            let square = Factor::new(power.squared());
            for sum in &mut sums {
                *sum = sum.plus(power);
                power = square.times(power);
            }
        }
        Self { sums }
    }

    /// How many differences can be read from it.
    pub fn capacity(&self) -> usize {
        self.sums.len()
    }

    /// The sketch of the items that only one of two sets has; `None` unless both have one capacity.
    pub fn combined(mut self, other: &Self) -> Option<Self> {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.plus(*other);
        }
        (self.sums.len() == other.sums.len()).then_some(self)
    }

    /// The items of the set behind the sketch, in ascending order; `None` if they are more than its capacity (or it is the
    /// sketch of no set). The work grows with the square of the capacity. `chance` is best unknown to whoever made the
    /// sketch.
    pub fn items(&self, chance: u64) -> Option<Vec<ShortId>> {
        let locator = self.locator()?;
        let roots = all_roots(locator, chance)?;
        let mut items: Vec<ShortId> = roots.iter().map(|root| ShortId::new(root.0)).collect();
        items.sort_unstable();
        Some(items)
    }

    /// The bytes on the wire: the sums one after another, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.sums
            .iter()
            .flat_map(|sum| sum.0.to_le_bytes())
            .collect()
    }

    /// Reads a sketch; `None` unless `bytes` are a whole number of sums.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (sums, rest) = bytes.as_chunks::<{ Self::BYTES_PER_ITEM }>();
        let sums = sums.iter().map(|sum| Element(u64::from_le_bytes(*sum)));
        rest.is_empty().then(|| Self {
            sums: sums.collect(),
        })
    }

    /// The polynomial whose roots are the items, lowest coefficient first: the shortest recurrence of all power sums,
    /// turned round (Massey 1969).
    fn locator(&self) -> Option<Vec<Element>> {
        let sums = self.all_sums();
        let mut current = vec![Element::ONE];
        let mut previous = vec![Element::ONE];
        let mut previous_discrepancy = Element::ONE;
        let mut since = 1;
        let mut length = 0;
        for at in 0..sums.len() {
            let recent = sums.get(..=at).unwrap_or_default().iter().rev();
            let discrepancy = current
                .iter()
                .zip(recent)
                .fold(Element::ZERO, |sum, (c, s)| sum.plus(c.times(*s)));
            if discrepancy.is_zero() {
                since += 1;
                continue;
            }
            let factor = Factor::new(discrepancy.times(previous_discrepancy.inverse()));
            let before = current.clone();
            if current.len() < previous.len() + since {
                current.resize(previous.len() + since, Element::ZERO);
            }
            for (c, p) in current.iter_mut().skip(since).zip(&previous) {
                *c = c.plus(factor.times(*p));
            }
            if 2 * length <= at {
                length = at + 1 - length;
                (previous, previous_discrepancy, since) = (before, discrepancy, 1);
            } else {
                since += 1;
            }
        }
        if length > self.capacity() {
            return None;
        }
        current.resize(length + 1, Element::ZERO);
        // A root of zero would be an item that is in no sketch.
        current.last().filter(|last| !last.is_zero())?;
        current.reverse();
        Some(current)
    }

    /// The sums of the powers 1 to twice the capacity: squaring is additive in this field.
    fn all_sums(&self) -> Vec<Element> {
        let mut sums: Vec<Element> = Vec::with_capacity(2 * self.sums.len());
        for odd in &self.sums {
            sums.push(*odd);
            // The sum of power 2k is the square of that of power k, which stands at k - 1.
            let half = sums.get(sums.len() / 2).copied().unwrap_or_default();
            sums.push(half.squared());
        }
        sums
    }
}
