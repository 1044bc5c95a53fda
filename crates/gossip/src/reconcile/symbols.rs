//! Coded symbols, and which of them an item is in.

use chappe_wire::{LinkSalt, ShortId};

/// Symbols beyond this index are never sent: a list of all short ids is cheaper by then.
pub const MAX_SYMBOLS: u32 = 1 << 16;

/// The exclusive or of the items that are mapped to one index.
///
/// ```text
///  0                        8            12
///  +------------------------+------------+
///  | xor of short ids       | of checks  |
///  | u64, little-endian     | u32, l.-e. |
///  +------------------------+------------+
/// ```
///
/// The check of an item is [`ShortId::check`]. There is no count: a symbol that holds one item is known by its
/// check, and whose the item is by looking whether one has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    ids: u64,
    checks: u32,
}

impl Symbol {
    /// Length in bytes.
    pub const LEN: usize = 12;

    /// Adds an item, or takes it out again.
    pub const fn toggle(&mut self, id: ShortId, check: u32) {
        self.ids ^= id.get();
        self.checks ^= check;
    }

    /// What remains when the items of `other` are toggled too.
    pub const fn combined(self, other: Self) -> Self {
        Self {
            ids: self.ids ^ other.ids,
            checks: self.checks ^ other.checks,
        }
    }

    /// True if no item is left in it.
    pub const fn is_zero(&self) -> bool {
        self.ids == 0 && self.checks == 0
    }

    /// The item, if it is the only one in the symbol (but for chance of 2^-32).
    pub fn lone(&self, salt: &LinkSalt) -> Option<ShortId> {
        let id = ShortId::new(self.ids);
        (!self.is_zero() && id.check(salt) == self.checks).then_some(id)
    }

    /// The bytes on the wire.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let fields = self.ids.to_le_bytes().into_iter();
        let fields = fields.chain(self.checks.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Reads symbols one after another; `None` unless `bytes` are a whole number of them.
    pub fn parse_all(bytes: &[u8]) -> Option<impl ExactSizeIterator<Item = Self>> {
        let (symbols, rest) = bytes.as_chunks::<{ Self::LEN }>();
        rest.is_empty()
            .then(|| symbols.iter().map(Self::from_bytes))
    }

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, checks @ ..] = *bytes;
        Self {
            ids: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            checks: u32::from_le_bytes(checks),
        }
    }
}

/// The indices of the symbols that an item is in, in ascending order.
///
/// Every item is in symbol 0, and in symbol k with probability 2 / (k + 2), so that an item which is in symbol i
/// is in none of the symbols i + 1 to j with probability (i + 1)(i + 2) / ((j + 1)(j + 2)). Each step draws a
/// number r of 30 bits (at least 1) from SplitMix64 seeded with the short id, and goes to the smallest j with
/// (j + 1)(j + 2) r >= (i + 1)(i + 2) 2^30. All arithmetic is on integers.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    state: u64,
    index: u32,
}

impl Mapping {
    /// The mapping of `id`, at symbol 0.
    pub const fn new(id: ShortId) -> Self {
        Self {
            state: id.get(),
            index: 0,
        }
    }

    /// The index of the current symbol; [`MAX_SYMBOLS`] once there are no more.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Goes to the next symbol.
    pub fn advance(&mut self) {
        let draw = (self.random() >> 34).max(1);
        let index = u64::from(self.index);
        // Below 2^63, for the index is at most 2^16.
        let target = (((index + 1) * (index + 2)) << 30).div_ceil(draw);
        let near = usize::try_from(target).ok().and_then(|at| NEAR.get(at));
        self.index = match near {
            Some(next) => u32::from(*next),
            None => reach(target).min(u64::from(MAX_SYMBOLS)) as u32,
        };
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The smallest j with (j + 1)(j + 2) >= `target`, which is more than 2.
const fn reach(target: u64) -> u64 {
    let root = target.isqrt();
    if root * (root + 1) >= target {
        root - 1
    } else {
        root
    }
}

/// [`reach`] of small targets, for most steps are short and roots take a while.
#[expect(
    clippy::indexing_slicing,
    reason = "while compiling, where a place that is not there is an error"
)]
const NEAR: [u8; 4_096] = {
    let mut near = [0; 4_096];
    let mut target = 3;
    while target < near.len() {
        near[target] = reach(target as u64) as u8;
        target += 1;
    }
    near
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_goes_to_the_first_symbol_that_is_far_enough() {
        for target in (3..10_000).chain((1 << 40)..(1 << 40) + 100) {
            let found = reach(target);
            assert!((found + 1) * (found + 2) >= target);
            assert!(found * (found + 1) < target);
            if let Some(near) = NEAR.get(target as usize) {
                assert_eq!(u64::from(*near), found);
            }
        }
    }
}
