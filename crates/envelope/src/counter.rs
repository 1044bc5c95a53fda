//! The place of an envelope in its chain.

use core::fmt;

/// How many envelopes one epoch key serves.
pub(crate) const EPOCH_LEN: u64 = 64;

/// The place of an envelope in its chain: 0, 1, 2 and so on, less than [`Counter::LIMIT`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter(u64);

impl Counter {
    /// The first counter of every chain.
    pub const FIRST: Self = Self(0);
    /// The number that no counter reaches: 2^48, a million envelopes a second for nine years.
    pub const LIMIT: u64 = 1 << 48;

    /// The counter with this number, if it is less than [`Counter::LIMIT`].
    pub const fn new(number: u64) -> Option<Self> {
        if number < Self::LIMIT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn at(epoch: u64, slot: Slot) -> Self {
        Self(
            epoch
                .saturating_mul(EPOCH_LEN)
                .saturating_add(slot.0 as u64),
        )
    }

    pub(crate) const fn epoch(self) -> u64 {
        self.0 / EPOCH_LEN
    }

    pub(crate) const fn slot(self) -> Slot {
        Slot::of(self.0)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The place of a counter in its epoch, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u8);

impl Slot {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(63);

    /// The slot of the counter with this number.
    pub(crate) const fn of(number: u64) -> Self {
        Self((number % EPOCH_LEN) as u8)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 1] {
        [self.0]
    }
}

/// Some slots of one epoch, as the bits of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots(pub(crate) u64);

impl Slots {
    pub(crate) const NONE: Self = Self(0);
    /// The slot whose tags are expected from far away.
    pub(crate) const COARSE: Self = Self(1);

    pub(crate) const fn only(slot: Slot) -> Self {
        Self(1 << slot.0)
    }

    pub(crate) const fn before(slot: Slot) -> Self {
        Self((1 << slot.0) - 1)
    }

    pub(crate) const fn from(slot: Slot) -> Self {
        Self(!Self::before(slot).0)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn has(self, slot: Slot) -> bool {
        self.0 & (1 << slot.0) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The slots, lowest first.
    pub(crate) fn iter(self) -> impl Iterator<Item = Slot> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let slot = u8::try_from(left.trailing_zeros())
                .ok()
                .filter(|&slot| slot < 64)?;
            left &= left.wrapping_sub(1);
            Some(Slot(slot))
        })
    }
}
