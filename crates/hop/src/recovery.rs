//! Which records are under way, which are lost, and when to try again (after RFC 9002, without congestion
//! control).

use alloc::collections::VecDeque;
use core::ops::Range;

use chappe_wire::{Duration, Instant};

use crate::{
    HopError, Violation, packet_number::PacketNumber, record::AckBlock, rtt::RttEstimator,
};

/// The most records under way that wait for an acknowledgement.
pub(crate) const MAX_IN_FLIGHT: usize = 256;
/// A record is lost once one that was sent this many numbers later is acknowledged.
const PACKET_THRESHOLD: u64 = 3;
/// The hop is dead after this many timeouts in a row.
pub const MAX_TIMEOUTS: u32 = 10;
/// How many of the oldest records are sent again at a timeout.
const RECORDS_PER_TIMEOUT: usize = 2;

/// A record under way and what of it has to arrive.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) number: PacketNumber,
    pub(crate) at: Instant,
    pub(crate) stream: Range<u64>,
    pub(crate) credit: bool,
}

/// What became of a record.
pub(crate) enum Fate {
    Acknowledged(Sent),
    Lost(Sent),
}

/// The records under way, oldest first.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// The link loses nothing, as far as it knows.
    reliable: bool,
    in_flight: VecDeque<Sent>,
    rtt: RttEstimator,
    largest_acknowledged: Option<PacketNumber>,
    timeouts: u32,
    /// The last timeout has not been answered by a transmission yet.
    probe_due: bool,
}

impl Recovery {
    /// Nothing is under way.
    pub(crate) fn new(reliable: bool) -> Self {
        Self {
            reliable,
            in_flight: VecDeque::new(),
            rtt: RttEstimator::default(),
            largest_acknowledged: None,
            timeouts: 0,
            probe_due: false,
        }
    }

    /// True if one more record may be sent that waits for an acknowledgement.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight.len() < MAX_IN_FLIGHT
    }

    /// True if a timeout demands that something be sent.
    pub(crate) fn probe_due(&self) -> bool {
        self.probe_due
    }

    /// The smoothed round-trip time, once known.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt.smoothed()
    }

    /// Takes a round-trip time that was measured elsewhere.
    pub(crate) fn sample_rtt(&mut self, rtt: Duration) {
        self.rtt.sample(rtt);
    }

    /// Remembers a record that waits for an acknowledgement.
    pub(crate) fn on_sent(&mut self, sent: Sent) {
        self.probe_due = false;
        self.in_flight.push_back(sent);
    }

    /// Takes an acknowledgement; `next` is the number that is sent next.
    pub(crate) fn on_ack(
        &mut self,
        now: Instant,
        ack: &AckBlock,
        next: u64,
        mut on_fate: impl FnMut(Fate),
    ) -> Result<(), Violation> {
        let largest = ack
            .largest(next)
            .filter(|largest| largest.get() < next)
            .ok_or(Violation::UnsentAcknowledged)?;
        let before = self.in_flight.len();
        let rtt = &mut self.rtt;
        self.in_flight.retain(|sent| {
            let covered = ack.covers(largest, sent.number);
            if covered {
                if sent.number == largest {
                    rtt.sample(now.since(sent.at));
                }
                on_fate(Fate::Acknowledged(sent.clone()));
            }
            !covered
        });
        if self.in_flight.len() < before {
            self.timeouts = 0;
            self.probe_due = false;
        }
        self.largest_acknowledged = self.largest_acknowledged.max(Some(largest));
        self.drop_overtaken(now, on_fate);
        Ok(())
    }

    /// When something is to be done if nothing comes until then.
    pub(crate) fn deadline(&self) -> Instant {
        if self.probe_due {
            return Instant::NEVER;
        }
        self.loss_deadline().unwrap_or_else(|| self.timeout_at())
    }

    /// Does what the time demands; early calls do nothing.
    pub(crate) fn on_timeout(
        &mut self,
        now: Instant,
        mut on_fate: impl FnMut(Fate),
    ) -> Result<(), HopError> {
        if now < self.deadline() {
            return Ok(());
        }
        if self.loss_deadline().is_some() {
            self.drop_overtaken(now, on_fate);
            return Ok(());
        }
        self.timeouts += 1;
        if self.timeouts > MAX_TIMEOUTS {
            return Err(HopError::Unresponsive);
        }
        self.probe_due = true;
        // Where nothing is lost the other end is busy. It is asked by a ping; its answer tells if something is missing after all.
        if self.reliable && self.has_room() {
            return Ok(());
        }
        let oldest = RECORDS_PER_TIMEOUT.min(self.in_flight.len());
        self.in_flight
            .drain(..oldest)
            .for_each(|sent| on_fate(Fate::Lost(sent)));
        Ok(())
    }

    /// Gives up records that were overtaken by three others, or for too long.
    fn drop_overtaken(&mut self, now: Instant, mut on_fate: impl FnMut(Fate)) {
        let Some(largest) = self.largest_acknowledged else {
            return;
        };
        let loss_delay = self.rtt.loss_delay();
        self.in_flight.retain(|sent| {
            let ahead = largest.get().saturating_sub(sent.number.get());
            let lost = ahead >= PACKET_THRESHOLD || ahead > 0 && now.since(sent.at) >= loss_delay;
            if lost {
                on_fate(Fate::Lost(sent.clone()));
            }
            !lost
        });
    }

    /// When the oldest record that was overtaken is given up.
    fn loss_deadline(&self) -> Option<Instant> {
        let oldest = self.in_flight.front()?;
        (Some(oldest.number) < self.largest_acknowledged)
            .then(|| oldest.at.after(self.rtt.loss_delay()))
    }

    fn timeout_at(&self) -> Instant {
        self.in_flight.back().map_or(Instant::NEVER, |newest| {
            newest.at.after(self.rtt.timeout(self.timeouts))
        })
    }
}
