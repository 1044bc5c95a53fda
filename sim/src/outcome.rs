//! What came out of a run, in the words of The ONE's message statistics.

use std::time::Duration;

use serde::Serialize;

use crate::event::{MessageIndex, NodeIndex, SimTime};
use crate::log::{Air, Happening, Keep, Log, What};

/// What came out of a run. Times are in seconds, sizes in bytes. What has no value (a mean of nothing) is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Messages written.
    pub created: u64,
    /// Transfers begun.
    pub started: u64,
    /// Transfers completed, deliveries included.
    pub relayed: u64,
    /// Transfers cut off.
    pub aborted: u64,
    /// Copies evicted or expired.
    pub dropped: u64,
    /// Copies given up for another reason: handed on, or known to be delivered.
    pub removed: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// `delivered` by `created`.
    pub delivery_prob: f64,
    /// `relayed` less `delivered`, by `delivered`.
    pub overhead_ratio: Option<f64>,
    /// Mean time from writing to first delivery.
    pub latency_avg: Option<f64>,
    /// The upper median of it: element n/2 of the sorted list, counted from 0.
    pub latency_med: Option<f64>,
    /// Mean number of transfers on the way of what arrived.
    pub hopcount_avg: Option<f64>,
    /// Mean time that a dropped or removed copy was held.
    pub buffertime_avg: Option<f64>,
    /// Bytes on the air that are no message; 0 where The ONE is followed, which has none.
    pub control_bytes: u64,
    /// Bytes of messages on the air, cut transfers included.
    pub data_bytes: u64,
    /// Contacts.
    pub contacts: u64,
    /// Contacts begun and ended, messages written, transfers completed.
    pub events: u64,
}

/// How a run went: the figures, and what led to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The figures.
    pub outcome: Outcome,
    /// What led to them, if it was kept.
    pub log: Log,
}

/// Counts while a run goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) created: u64,
    pub(crate) started: u64,
    pub(crate) relayed: u64,
    pub(crate) aborted: u64,
    pub(crate) dropped: u64,
    pub(crate) removed: u64,
    pub(crate) control_bytes: u64,
    pub(crate) data_bytes: u64,
    pub(crate) contacts: u64,
    pub(crate) links_down: u64,
    hops: u64,
    latencies: Vec<Duration>,
    held: Duration,
    /// Where everything is kept.
    log: Option<Log>,
}

/// A copy that is held no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    pub(crate) node: NodeIndex,
    pub(crate) message: Option<MessageIndex>,
    pub(crate) size: u64,
    /// Since when it was held.
    pub(crate) received: SimTime,
    /// Evicted or expired.
    pub(crate) dropped: bool,
}

impl Tally {
    pub(crate) fn new(keep: Keep, nodes: u32) -> Self {
        let air = || vec![Air::default(); nodes as usize];
        Self {
            log: (keep == Keep::Everything).then(|| Log {
                happenings: Vec::new(),
                air: air(),
            }),
            ..Self::default()
        }
    }

    /// A message arrived for the first time.
    pub(crate) fn deliver(
        &mut self,
        message: MessageIndex,
        written: SimTime,
        now: SimTime,
        hops: u32,
    ) {
        self.latencies.push(now.since(written));
        self.hops += u64::from(hops);
        self.note(now, What::Delivered { message, hops });
    }

    /// A copy is held no longer.
    pub(crate) fn release(&mut self, now: SimTime, release: Release) {
        let Release {
            node,
            message,
            size,
            received,
            dropped,
        } = release;
        if dropped {
            self.dropped += 1;
        } else {
            self.removed += 1;
        }
        self.held += now.since(received);
        let what = What::Released {
            node,
            message,
            size,
            dropped,
        };
        self.note(now, what);
    }

    /// Something happens that counts elsewhere.
    pub(crate) fn note(&mut self, at: SimTime, what: What) {
        if let Some(log) = &mut self.log {
            log.happenings.push(Happening { at, what });
        }
    }

    /// Two nodes were on the air for so long, with so many bytes.
    pub(crate) fn on_air(&mut self, from: NodeIndex, to: NodeIndex, time: Duration, bytes: u64) {
        let Some(log) = &mut self.log else {
            return;
        };
        let micros = time.as_micros() as u64;
        if let Some(air) = log.air.get_mut(from.as_usize()) {
            air.sends += micros;
            air.sent += bytes;
        }
        if let Some(air) = log.air.get_mut(to.as_usize()) {
            air.receives += micros;
            air.received += bytes;
        }
    }

    /// The figures, and what led to them.
    pub(crate) fn course(mut self) -> Course {
        Course {
            log: self.log.take().unwrap_or_default(),
            outcome: self.outcome(),
        }
    }

    /// The figures.
    fn outcome(mut self) -> Outcome {
        self.latencies.sort_unstable();
        let delivered = self.latencies.len() as u64;
        let total: Duration = self.latencies.iter().sum();
        let mean = |total: f64, count: u64| (count > 0).then(|| total / count as f64);
        Outcome {
            created: self.created,
            started: self.started,
            relayed: self.relayed,
            aborted: self.aborted,
            dropped: self.dropped,
            removed: self.removed,
            delivered,
            delivery_prob: mean(delivered as f64, self.created).unwrap_or(0.0),
            overhead_ratio: mean(self.relayed.saturating_sub(delivered) as f64, delivered),
            latency_avg: mean(total.as_secs_f64(), delivered),
            latency_med: self
                .latencies
                .get(self.latencies.len() / 2)
                .map(Duration::as_secs_f64),
            hopcount_avg: mean(self.hops as f64, delivered),
            buffertime_avg: mean(self.held.as_secs_f64(), self.dropped + self.removed),
            control_bytes: self.control_bytes,
            data_bytes: self.data_bytes,
            contacts: self.contacts,
            events: self.contacts + self.links_down + self.created + self.relayed,
        }
    }
}
