//! Patience after failures.

use std::time::Duration;

/// Pauses that double from the first to the longest, each a quarter shorter or longer at random: so that two who
/// fail with each other do not do so again at the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
    /// State of the generator, never zero.
    seed: u64,
}

impl Pauses {
    /// `seed` is to differ from the neighbours'.
    pub(crate) fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self {
            first,
            longest,
            seed: seed | 1,
        }
    }

    /// The pause after this many failures in a row.
    pub(crate) fn after(&mut self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let pause = self.first.saturating_mul(1 << doublings).min(self.longest);
        // Three quarters, and up to one half.
        pause * 3 / 4 + pause / 512 * u32::from(self.random())
    }

    /// Xorshift (Marsaglia 2003): nothing depends on its quality.
    fn random(&mut self) -> u8 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed.to_be_bytes().first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_spread_by_a_quarter_both_ways() {
        let mut pauses = Pauses::new(Duration::from_secs(4), Duration::from_secs(60), 7);
        let all: Vec<_> = (0..200).map(|_| pauses.after(2).as_millis()).collect();
        let (least, most) = (all.iter().min(), all.iter().max());
        assert!(least < Some(&6_500) && least >= Some(&6_000), "{least:?}");
        assert!(most > Some(&9_500) && most <= Some(&10_000), "{most:?}");
    }
}
