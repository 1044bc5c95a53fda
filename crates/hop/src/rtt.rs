//! The round-trip time, estimated as RFC 9002, section 5 does.

use chappe_wire::Duration;

/// Assumed before the first sample (RFC 9002, section 6.2.2).
const INITIAL_RTT: Duration = Duration::from_millis(333);
/// The shortest wait for an acknowledgement. Covers the other end's acknowledgement delay and a few BLE
/// connection intervals.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
/// The longest wait for an acknowledgement.
const MAX_TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest time after which an overtaken record is lost.
const MIN_LOSS_DELAY: Duration = Duration::from_millis(10);

/// A smoothed round-trip time and its variation.
#[derive(Debug, Default)]
pub(crate) struct RttEstimator {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: u64,
    variation: u64,
    latest: u64,
}

impl RttEstimator {
    /// Takes a sample: the time from a record to its acknowledgement.
    pub(crate) fn sample(&mut self, rtt: Duration) {
        let latest = rtt.as_micros();
        let estimate = match self.estimate {
            None => Estimate {
                smoothed: latest,
                variation: latest / 2,
                latest,
            },
            Some(old) => Estimate {
                smoothed: weighted(old.smoothed, latest, 8),
                variation: weighted(old.variation, old.smoothed.abs_diff(latest), 4),
                latest,
            },
        };
        self.estimate = Some(estimate);
    }

    /// The smoothed round-trip time, once there is a sample.
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.estimate
            .map(|estimate| Duration::from_micros(estimate.smoothed))
    }

    /// How long to wait for an acknowledgement after `timeouts` timeouts in a row.
    pub(crate) fn timeout(&self, timeouts: u32) -> Duration {
        let base = match self.estimate {
            None => INITIAL_RTT.saturating_mul(3),
            Some(Estimate {
                smoothed,
                variation,
                ..
            }) => Duration::from_micros(smoothed.saturating_add(variation.saturating_mul(4))),
        };
        base.max(MIN_TIMEOUT)
            .saturating_mul(1 << timeouts.min(16))
            .min(MAX_TIMEOUT)
    }

    /// How long after its sending an overtaken record is taken for lost (RFC 9002, section 6.1.2).
    pub(crate) fn loss_delay(&self) -> Duration {
        let rtt = match self.estimate {
            None => INITIAL_RTT.as_micros(),
            Some(Estimate {
                smoothed, latest, ..
            }) => smoothed.max(latest),
        };
        Duration::from_micros(rtt.saturating_mul(9) / 8).max(MIN_LOSS_DELAY)
    }
}

fn weighted(old: u64, new: u64, weight: u64) -> u64 {
    old.saturating_mul(weight - 1).saturating_add(new) / weight
}
