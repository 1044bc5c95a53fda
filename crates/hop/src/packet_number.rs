//! Packet numbers: never used twice in one direction, sent as their last 16 bits, accepted once.

/// The number of a record in its direction; the nonce of its encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PacketNumber(u64);

impl PacketNumber {
    /// The number with this value.
    pub(crate) const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one. 2^64 - 1 is never a packet number: Noise keeps that nonce for rekeying.
    pub(crate) fn next(self) -> Option<Self> {
        let next = self.0.checked_add(1)?;
        (next < u64::MAX).then_some(Self(next))
    }

    /// The last 16 bits, as they are sent.
    pub(crate) const fn truncate(self) -> u16 {
        self.0 as u16
    }

    /// The number with these last 16 bits that lies nearest to `expected` (RFC 9000, appendix A.3).
    pub(crate) fn expand(truncated: u16, expected: u64) -> Option<Self> {
        const SPAN: u64 = 1 << 16;
        const HALF: u64 = SPAN / 2;
        let near = (expected & !(SPAN - 1)) | u64::from(truncated);
        let value = if expected
            .checked_sub(near)
            .is_some_and(|behind| behind >= HALF)
        {
            near.checked_add(SPAN)?
        } else if near.checked_sub(expected).is_some_and(|ahead| ahead > HALF) {
            near.checked_sub(SPAN).unwrap_or(near)
        } else {
            near
        };
        (value < u64::MAX).then_some(Self(value))
    }
}

/// How many packet numbers below the largest one are remembered; older ones are refused.
pub(crate) const REPLAY_WINDOW: u64 = 1024;

/// Which packet numbers have been accepted (the sliding window of RFC 4303, section 3.4.3).
#[derive(Debug)]
pub(crate) struct ReplayWindow {
    /// One bit a number, at the number modulo the window.
    bits: [u64; (REPLAY_WINDOW / 64) as usize],
    first: u64,
    largest: Option<u64>,
}

impl ReplayWindow {
    /// A window in which `first` is the first number to come.
    pub(crate) const fn new(first: PacketNumber) -> Self {
        Self {
            bits: [0; (REPLAY_WINDOW / 64) as usize],
            first: first.0,
            largest: None,
        }
    }

    /// The largest number accepted so far.
    pub(crate) fn largest(&self) -> Option<PacketNumber> {
        self.largest.map(PacketNumber)
    }

    /// The number that comes next if nothing is lost.
    pub(crate) fn expected(&self) -> u64 {
        self.largest
            .map_or(self.first, |largest| largest.saturating_add(1))
    }

    /// True if the number was not accepted before and is not too old to know.
    pub(crate) fn is_fresh(&self, number: PacketNumber) -> bool {
        match self.largest {
            None => number.0 >= self.first,
            Some(largest) if number.0 > largest => true,
            Some(largest) => {
                number.0 >= self.first && largest - number.0 < REPLAY_WINDOW && !self.bit(number.0)
            }
        }
    }

    /// True if the number was accepted and is still remembered.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.largest
            .and_then(|largest| largest.checked_sub(number))
            .is_some_and(|behind| behind < REPLAY_WINDOW)
            && number >= self.first
            && self.bit(number)
    }

    /// Accepts a fresh number whose record has been authenticated.
    pub(crate) fn accept(&mut self, number: PacketNumber) {
        let next = self.expected();
        if number.0 >= next {
            if number.0 - next >= REPLAY_WINDOW {
                self.bits = [0; _];
            } else {
                (next..number.0).for_each(|skipped| self.set_bit(skipped, false));
            }
            self.largest = Some(number.0);
        }
        self.set_bit(number.0, true);
    }

    fn bit(&self, number: u64) -> bool {
        let (word, mask) = position(number);
        self.bits.get(word).is_some_and(|bits| bits & mask != 0)
    }

    fn set_bit(&mut self, number: u64, on: bool) {
        let (word, mask) = position(number);
        if let Some(bits) = self.bits.get_mut(word) {
            *bits = if on { *bits | mask } else { *bits & !mask };
        }
    }
}

fn position(number: u64) -> (usize, u64) {
    let index = number % REPLAY_WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_nonce_is_never_a_packet_number() {
        assert_eq!(
            PacketNumber(u64::MAX - 2).next(),
            Some(PacketNumber(u64::MAX - 1))
        );
        assert_eq!(PacketNumber(u64::MAX - 1).next(), None);
        assert_eq!(PacketNumber(u64::MAX).next(), None);
        assert_eq!(PacketNumber::expand(0xffff, u64::MAX - 1), None);
    }

    proptest! {
        #[test]
        fn a_number_near_the_expected_one_survives_truncation(
            expected in prop_oneof![
                any::<u64>(), 0u64..70_000, Just(1 << 32), u64::MAX - 70_000..u64::MAX
            ],
            distance in -32_000i64..=32_000,
        ) {
            if let Some(value) = expected.checked_add_signed(distance)
                && value < u64::MAX
            {
                let number = PacketNumber(value);
                prop_assert_eq!(PacketNumber::expand(number.truncate(), expected), Some(number));
            }
        }

        #[test]
        fn every_number_is_accepted_once(
            first in prop_oneof![Just(0), any::<u64>().prop_map(|n| n.min(u64::MAX - 9_000))],
            offsets in prop::collection::vec(
                prop_oneof![0u64..50, 0u64..3_000, Just(1_023), Just(1_024), Just(1_025)], 1..200
            ),
        ) {
            let mut window = ReplayWindow::new(PacketNumber(first));
            let mut accepted = BTreeSet::new();
            for offset in offsets {
                let number = PacketNumber(first + offset);
                let too_old = accepted.last().is_some_and(|last| last - number.0.min(*last) >= 1024);
                prop_assert_eq!(
                    window.is_fresh(number),
                    !too_old && !accepted.contains(&number.0)
                );
                if window.is_fresh(number) {
                    window.accept(number);
                    accepted.insert(number.0);
                }
                let last = accepted.last().copied().unwrap_or(0);
                for back in [0, 1, 2, 3, 50, 63, 64, 65, 1_022, 1_023, 1_024, 1_025] {
                    let remembered = last.saturating_sub(back);
                    let inside = last - remembered < 1024;
                    prop_assert_eq!(
                        window.contains(remembered),
                        inside && accepted.contains(&remembered)
                    );
                }
            }
        }
    }
}
