//! A node's private lot for each item that it is shown.

use core::hash::Hasher as _;

use chappe_wire::Tag;
use siphasher::sip::SipHasher24;

/// A probability, from 0 to 1 in steps of 2^-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// Never.
    pub const NONE: Self = Self(0);
    /// Always.
    pub const ALL: Self = Self(1 << 32);

    /// So many in a thousand; a thousand or more is [`Share::ALL`].
    pub const fn per_mille(per_mille: u32) -> Self {
        let share = ((per_mille as u64) << 32) / 1_000;
        if share < Self::ALL.0 {
            Self(share)
        } else {
            Self::ALL
        }
    }

    /// One part in so many, `parts` times; [`Share::ALL`] where that is one or more.
    pub const fn ratio(parts: u32, whole: u32) -> Self {
        if parts >= whole {
            Self::ALL
        } else {
            Self(((parts as u64) << 32) / whole as u64)
        }
    }

    /// The larger of the two.
    #[must_use]
    pub const fn at_least(self, other: Self) -> Self {
        if self.0 < other.0 { other } else { self }
    }

    /// As a number.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::ALL.0 as f64
    }

    /// This share after it has doubled so many times, the last doubling being done to `part` in `whole`; at most
    /// [`Share::ALL`]. Between two doublings it grows evenly.
    #[must_use]
    pub const fn doubled(self, times: u64, part: u64, whole: u64) -> Self {
        if times >= 32 {
            return if self.0 == 0 { Self::NONE } else { Self::ALL };
        }
        let grown = (self.0 as u128) << times;
        let more = if whole == 0 {
            0
        } else {
            grown * part as u128 / whole as u128
        };
        let share = grown + more;
        if share < Self::ALL.0 as u128 {
            Self(share as u64)
        } else {
            Self::ALL
        }
    }
}

/// The lot that a node draws for an item: the same whenever and by whomever it is shown, and known to nobody else. So
/// showing an item again, or from two sides, tells no more than showing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw(u32);

impl Draw {
    /// True with this probability, over all items.
    pub const fn is_within(self, share: Share) -> bool {
        (self.0 as u64) < share.0
    }
}

/// What a node draws by.
#[derive(Clone, Debug)]
pub(crate) struct Urn(SipHasher24);

impl Urn {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let mut hasher = SipHasher24::new();
        hasher.write(b"chappe draw");
        hasher.write(seed);
        Self(hasher)
    }

    pub(crate) fn draw(&self, tag: &Tag) -> Draw {
        let mut hasher = self.0;
        hasher.write(tag.as_bytes());
        Draw(hasher.finish() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_doubles_and_ends_at_all() {
        let share = Share::per_mille(50);
        let at = |times, part| share.doubled(times, part, 4).as_f64();
        assert!((at(0, 0) - 0.05).abs() < 1e-9);
        assert!((at(0, 2) - 0.075).abs() < 1e-9);
        assert!((at(1, 0) - 0.1).abs() < 1e-9);
        assert_eq!(share.doubled(5, 0, 4), Share::ALL);
        assert_eq!(share.doubled(u64::MAX, 0, 0), Share::ALL);
        assert_eq!(Share::NONE.doubled(u64::MAX, 1, 1), Share::NONE);
    }

    #[test]
    fn lots_are_even_and_lasting() {
        let urn = Urn::new(&[7; 32]);
        let tag = |n: u32| {
            let mut tag = [0; 16];
            tag[..4].copy_from_slice(&n.to_le_bytes());
            Tag::new(tag)
        };
        let drawn = |share| {
            let lots = (0..10_000).map(|n| urn.draw(&tag(n)));
            lots.filter(|lot| lot.is_within(share)).count()
        };
        assert!((400..600).contains(&drawn(Share::per_mille(50))));
        assert_eq!(drawn(Share::ALL), 10_000);
        assert_eq!(drawn(Share::NONE), 0);
        assert_eq!(urn.draw(&tag(1)), Urn::new(&[7; 32]).draw(&tag(1)));
        assert_ne!(urn.draw(&tag(1)), Urn::new(&[8; 32]).draw(&tag(1)));
    }
}
