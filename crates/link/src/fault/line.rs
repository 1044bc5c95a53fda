//! What happens to packets on a line: pacing, loss, duplication, reordering, latency. No input or output:
//! time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use crate::OutgoingPacket;
use crate::outgoing::Slot;

use super::{Faults, Latency};

/// The most packets, and the most bytes, under way at once, after they have left. Beyond, the line takes no more.
const MAX_UNDER_WAY: usize = 16_384;
const MAX_BYTES_UNDER_WAY: usize = 4 << 20;
/// How much of the time that its driver woke late the line makes up for. It bounds bursts.
const CATCH_UP: Duration = Duration::from_millis(100);
/// How much longer than two packets of its size one is held back when it is reordered.
const HELD_BACK: Duration = Duration::from_millis(5);

/// A line between two nodes, in one direction.
pub(super) struct Line {
    leaving: Option<Leaving>,
    /// When the last packet had left, by the rate, which may be before anyone noticed.
    free_at: Option<Instant>,
    under_way: BTreeMap<(Instant, u64), UnderWay>,
    bytes_under_way: usize,
    next: u64,
    rng: ChaCha8Rng,
}

impl Line {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        let under_way = BTreeMap::new();
        Self {
            leaving: None,
            free_at: None,
            under_way,
            bytes_under_way: 0,
            next: 0,
            rng,
        }
    }

    /// True if the line takes a packet now.
    pub(super) fn is_free(&self) -> bool {
        let room =
            self.under_way.len() < MAX_UNDER_WAY && self.bytes_under_way < MAX_BYTES_UNDER_WAY;
        self.leaving.is_none() && room
    }

    /// True if nothing is on the line.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_none() && self.under_way.is_empty()
    }

    /// Puts a packet on the line. If it `waited` for the one before, it starts when that one had left, however
    /// late that was noticed: what timers round up is not lost.
    pub(super) fn put(&mut self, now: Instant, packet: OutgoingPacket, waited: bool) {
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let since = match self.free_at {
            Some(free_at) if waited => free_at.clamp(earliest, now),
            _ => now,
        };
        let (bytes, slot) = packet.into_parts();
        self.leaving = Some(Leaving { bytes, slot, since });
    }

    /// Lets the packet leave whose time has come. True if one has.
    pub(super) fn leave(&mut self, now: Instant, faults: &Faults) -> bool {
        let Some(leaving) = self.leaving.take_if(|leaving| leaving.until(faults) <= now) else {
            return false;
        };
        let left = leaving.until(faults);
        self.free_at = Some(left);
        // Each packet draws three times, so that a fault more does not change what the others decide.
        let lost = faults.loss.happens(&mut self.rng);
        let twice = faults.duplicate.happens(&mut self.rng);
        let late = faults.reorder.happens(&mut self.rng);
        if lost {
            return true;
        }
        let mut due = left + faults.latency.as_duration();
        if late {
            due += faults.rate.airtime(leaving.bytes.len()).saturating_mul(2) + HELD_BACK;
        }
        // Without latency a packet has left when the link below has taken it.
        let held = faults.latency == Latency::ZERO && !late;
        if twice {
            self.send_off(due, leaving.bytes.clone(), None);
        }
        self.send_off(due, leaving.bytes, held.then_some(leaving.slot));
        true
    }

    /// The next packet that has arrived at the other end, with its slot if it counts as outstanding still.
    pub(super) fn arrive(&mut self, now: Instant) -> Option<UnderWay> {
        let first = self.under_way.first_entry()?;
        let packet = (first.key().0 <= now).then(|| first.remove())?;
        self.bytes_under_way = self.bytes_under_way.saturating_sub(packet.bytes.len());
        Some(packet)
    }

    /// When to come back, if nothing else happens.
    pub(super) fn deadline(&self, faults: &Faults) -> Option<Instant> {
        let leaving = self.leaving.as_ref().map(|leaving| leaving.until(faults));
        let arriving = self.under_way.first_key_value().map(|((due, _), _)| *due);
        leaving.into_iter().chain(arriving).min()
    }

    fn send_off(&mut self, due: Instant, bytes: Vec<u8>, slot: Option<Slot>) {
        self.next = self.next.wrapping_add(1);
        self.bytes_under_way = self.bytes_under_way.saturating_add(bytes.len());
        self.under_way
            .insert((due, self.next), UnderWay { bytes, slot });
    }
}

/// A packet that has left.
pub(super) struct UnderWay {
    pub(super) bytes: Vec<u8>,
    pub(super) slot: Option<Slot>,
}

/// The packet that is leaving.
struct Leaving {
    bytes: Vec<u8>,
    slot: Slot,
    since: Instant,
}

impl Leaving {
    fn until(&self, faults: &Faults) -> Instant {
        let airtime = faults.rate.airtime(self.bytes.len());
        self.since.checked_add(airtime).unwrap_or(self.since + FAR)
    }
}

/// Longer than anyone waits, and short enough to add to any moment.
const FAR: Duration = Duration::from_secs(86_400 * 365);
