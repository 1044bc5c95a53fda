//! The powered clock: how long this store has been in use, over all its runs.

use chappe_wire::{Duration, Instant};

/// Translates between the driver's clock, which begins anew at each start, and the powered clock, which goes
/// on where the last commit left it. Time spent switched off does not count: what is stored can live longer
/// than its lifetime, never shorter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoweredClock {
    base: Instant,
    start: Instant,
}

impl PoweredClock {
    /// A clock that reads `base` when the driver's reads `start`.
    pub(crate) fn resume(base: Instant, start: Instant) -> Self {
        Self { base, start }
    }

    /// The powered clock at a moment of the driver's.
    pub(crate) fn read(&self, driver: Instant) -> Instant {
        self.base.after(driver.since(self.start))
    }

    /// The moment of the driver's clock at which the powered clock will read `powered`.
    pub(crate) fn to_driver(self, powered: Instant) -> Instant {
        if powered == Instant::NEVER {
            return powered;
        }
        self.start.after(powered.since(self.base))
    }

    /// Powered time in all.
    pub(crate) fn total(&self, powered: Instant) -> Duration {
        powered.since(Instant::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_where_it_was_left() {
        let clock = PoweredClock::resume(Instant::from_micros(1_000), Instant::from_micros(50));
        assert_eq!(
            clock.read(Instant::from_micros(50)),
            Instant::from_micros(1_000)
        );
        assert_eq!(
            clock.read(Instant::from_micros(60)),
            Instant::from_micros(1_010)
        );
        assert_eq!(
            clock.read(Instant::from_micros(40)),
            Instant::from_micros(1_000)
        );
        assert_eq!(
            clock.to_driver(Instant::from_micros(1_010)),
            Instant::from_micros(60)
        );
        assert_eq!(clock.to_driver(Instant::NEVER), Instant::NEVER);
    }
}
