//! The records of an established hop, in both directions.

use alloc::vec::Vec;
use core::ops::Range;

use chappe_wire::{Duration, Instant};

use crate::{
    HopError, HopStats,
    cipher::{NoiseKey, OpeningKeys, SealingKey, TAG_LEN},
    inbound::{Inbound, RECEIVE_WINDOW, Received},
    outbound::Outbound,
    packet::{Header, Kind, MAX_RECORD_LEN},
    packet_number::{PacketNumber, ReplayWindow},
    record::{AckBlock, CREDIT_LEN, FLAGS_LEN, NUMBER_LEN, Record, STREAM_OFFSET_LEN, StreamBlock},
    recovery::{Fate, Recovery, Sent},
};

/// Bytes of a record in front of the sealed part.
const SEALED_START: usize = Header::LEN + NUMBER_LEN;
/// Bytes of a record around its blocks.
const RECORD_OVERHEAD: usize = SEALED_START + FLAGS_LEN + TAG_LEN;
/// An acknowledgement is sent after this time at the latest,
pub const MAX_ACK_DELAY: Duration = Duration::from_millis(25);
/// or after this many records,
const ACK_AFTER_RECORDS: u32 = 8;
/// or after this many bytes.
const ACK_AFTER_BYTES: usize = 16 * 1024;
/// An idle end is heard this often.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The hop is dead after this time without an authentic record.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);

/// Keys, streams and timers of an established hop.
pub(crate) struct Session {
    sealing: SealingKey,
    opening: OpeningKeys,
    next_number: Option<PacketNumber>,
    window: ReplayWindow,
    plaintext: Vec<u8>,
    recovery: Recovery,
    outbound: Outbound,
    inbound: Inbound,
    owed: OwedAck,
    ping_due: bool,
    record_len: usize,
    last_sent: Instant,
    last_heard: Instant,
}

/// What is to be acknowledged.
#[derive(Debug, Default)]
struct OwedAck {
    records: u32,
    bytes: usize,
    /// When it has to go out; `None` if nothing is owed.
    at: Option<Instant>,
    /// It has to go out now, and waits for the link only.
    due: bool,
}

impl Session {
    /// A session whose packet numbers begin at `first` in both directions.
    pub(crate) fn new(
        now: Instant,
        sending: NoiseKey,
        receiving: NoiseKey,
        record_len: usize,
        reliable: bool,
        first: PacketNumber,
    ) -> Self {
        Self {
            sealing: SealingKey::new(sending, first),
            opening: OpeningKeys::new(receiving, first),
            next_number: Some(first),
            window: ReplayWindow::new(first),
            plaintext: Vec::new(),
            recovery: Recovery::new(reliable),
            outbound: Outbound::new(
                RECEIVE_WINDOW as u64,
                record_len.saturating_sub(RECORD_OVERHEAD + STREAM_OFFSET_LEN),
            ),
            inbound: Inbound::default(),
            owed: OwedAck::default(),
            ping_due: false,
            record_len,
            last_sent: now,
            last_heard: now,
        }
    }

    /// Takes a record without its packet header; returns its number. `None`, and nothing has changed, if it is
    /// not to be believed.
    pub(crate) fn handle_record(
        &mut self,
        now: Instant,
        record: &[u8],
    ) -> Result<Option<PacketNumber>, HopError> {
        let Some((number, sealed)) = record.split_first_chunk::<NUMBER_LEN>() else {
            return Ok(None);
        };
        let truncated = u16::from_be_bytes(*number);
        let number = PacketNumber::expand(truncated, self.window.expected());
        let Some(number) = number.filter(|number| self.window.is_fresh(*number)) else {
            return Ok(None);
        };
        if sealed.len() > MAX_RECORD_LEN {
            return Ok(None);
        }
        // Taken out so that the record can borrow it; put back below.
        let mut space = core::mem::take(&mut self.plaintext);
        if space.len() < sealed.len() {
            space.resize(sealed.len(), 0);
        }
        let outcome = match self.opening.open(number, sealed, &mut space) {
            Some(plaintext) => self.handle_plaintext(now, number, plaintext),
            None => Ok(None),
        };
        self.plaintext = space;
        outcome
    }

    fn handle_plaintext(
        &mut self,
        now: Instant,
        number: PacketNumber,
        plaintext: &[u8],
    ) -> Result<Option<PacketNumber>, HopError> {
        let record = Record::decode(plaintext)?;
        if let Some(stream) = record.stream
            && self.inbound.receive(stream.offset, stream.data)? == Received::NoRoom
        {
            return Ok(None);
        }
        let in_order = number.get() == self.window.expected();
        self.window.accept(number);
        self.opening.advance(number);
        self.last_heard = now;
        if let Some(credit) = record.credit {
            self.outbound.on_credit(credit);
        }
        if let Some(ack) = record.ack {
            let next = self.next_number.map_or(u64::MAX, PacketNumber::get);
            let fate = fate_handler(&mut self.outbound, &mut self.inbound, &mut self.ping_due);
            self.recovery.on_ack(now, &ack, next, fate)?;
        }
        if record.is_ack_eliciting() {
            self.owed.add(now, plaintext.len(), in_order);
        }
        Ok(Some(number))
    }

    /// Does what the time demands.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), HopError> {
        if now >= self.silent_at() {
            return Err(HopError::Silent);
        }
        let fate = fate_handler(&mut self.outbound, &mut self.inbound, &mut self.ping_due);
        self.recovery.on_timeout(now, fate)?;
        if now >= self.keep_alive_at() {
            self.ping_due = true;
        }
        self.owed.due |= self.owed.is_due(now);
        Ok(())
    }

    /// When the next call of [`Session::handle_timeout`] is due.
    pub(crate) fn deadline(&self) -> Instant {
        let keep_alive = if self.ping_due {
            Instant::NEVER
        } else {
            self.keep_alive_at()
        };
        self.recovery
            .deadline()
            .min(keep_alive)
            .min(self.silent_at())
            .min(self.owed.deadline())
    }

    /// The next record, with a packet header in front, if there is something to say.
    pub(crate) fn poll_record(
        &mut self,
        now: Instant,
        stats: &mut HopStats,
    ) -> Result<Option<Vec<u8>>, HopError> {
        let may_elicit = self.recovery.has_room();
        let credit_due = may_elicit && self.inbound.credit_due();
        let data_due = may_elicit && self.outbound.has_data();
        let ping_due = may_elicit && (self.ping_due || self.recovery.probe_due());
        if !(credit_due || data_due || ping_due || self.owed.is_due(now)) {
            return Ok(None);
        }
        let number = self.next_number.ok_or(HopError::Exhausted)?;
        let mut room = self.record_len.saturating_sub(RECORD_OVERHEAD);
        let mut record = Record::default();
        if self.owed.at.is_some() {
            record.ack = AckBlock::of(&self.window);
            room = room.saturating_sub(record.ack.map_or(0, |ack| ack.encoded_len()));
        }
        if credit_due {
            record.credit = Some(self.inbound.grant_credit());
            room = room.saturating_sub(CREDIT_LEN);
        }
        let mut stream = 0..0;
        if data_due
            && let Some((range, again)) = self
                .outbound
                .next_range(room.saturating_sub(STREAM_OFFSET_LEN))
        {
            record.stream = Some(StreamBlock {
                offset: range.start as u32,
                data: &[],
            });
            stats.retransmitted = stats.retransmitted.saturating_add(u64::from(again));
            stream = range;
        }
        // A ping asks for an acknowledgement where nothing else does.
        record.ping = ping_due && !record.is_ack_eliciting();
        self.ping_due = false;
        self.owed = OwedAck::default();
        self.next_number = number.next();
        self.last_sent = now;
        if record.is_ack_eliciting() {
            self.recovery.on_sent(Sent {
                number,
                at: now,
                stream: stream.clone(),
                credit: record.credit.is_some(),
            });
        }
        self.seal(number, &record, &stream).map(Some)
    }

    fn seal(
        &mut self,
        number: PacketNumber,
        record: &Record<'_>,
        stream: &Range<u64>,
    ) -> Result<Vec<u8>, HopError> {
        let truncated = number.truncate();
        let length = usize::try_from(stream.end - stream.start).unwrap_or(0);
        let blocks = AckBlock::MAX_LEN + CREDIT_LEN + STREAM_OFFSET_LEN;
        let mut packet = Vec::with_capacity(RECORD_OVERHEAD + blocks + length);
        packet.push(Header::whole(Kind::Record, truncated as u8).encode());
        packet.extend_from_slice(&truncated.to_be_bytes());
        record.encode_head(&mut packet);
        self.outbound.copy(stream, &mut packet);
        self.sealing
            .seal(number, &mut packet, SEALED_START)
            .ok_or(HopError::Exhausted)?;
        Ok(packet)
    }

    /// The frames that are whole.
    pub(crate) fn pop_frame(&mut self) -> Option<Vec<u8>> {
        self.inbound.pop_frame()
    }

    /// The longest frame that may be queued now.
    pub(crate) fn frame_space(&self) -> usize {
        self.outbound.frame_space()
    }

    /// Queues a frame if it fits.
    pub(crate) fn push_frame(&mut self, frame: &[u8]) -> bool {
        self.outbound.push_frame(frame)
    }

    /// Asks for a record even if there is nothing else to say.
    pub(crate) fn ping(&mut self) {
        self.ping_due = true;
    }

    /// Takes the round-trip time of the handshake.
    pub(crate) fn sample_rtt(&mut self, rtt: Duration) {
        self.recovery.sample_rtt(rtt);
    }

    /// The smoothed round-trip time, once known.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.recovery.rtt()
    }

    fn keep_alive_at(&self) -> Instant {
        self.last_sent.after(KEEP_ALIVE)
    }

    fn silent_at(&self) -> Instant {
        self.last_heard.after(SILENCE_TIMEOUT)
    }
}

impl OwedAck {
    fn add(&mut self, now: Instant, bytes: usize, in_order: bool) {
        self.records += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.at = self.at.or(Some(now.after(MAX_ACK_DELAY)));
        self.due |= !in_order || self.records >= ACK_AFTER_RECORDS || self.bytes >= ACK_AFTER_BYTES;
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due || self.at.is_some_and(|at| now >= at)
    }

    fn deadline(&self) -> Instant {
        self.at.filter(|_| !self.due).unwrap_or(Instant::NEVER)
    }
}

/// Gives the contents of records back to where they came from.
fn fate_handler<'a>(
    outbound: &'a mut Outbound,
    inbound: &'a mut Inbound,
    ping_due: &'a mut bool,
) -> impl FnMut(Fate) + 'a {
    move |fate| match fate {
        Fate::Acknowledged(sent) => outbound.on_acknowledged(sent.stream),
        Fate::Lost(sent) => {
            if sent.credit {
                inbound.on_credit_lost();
            } else if sent.stream.is_empty() {
                *ping_due = true;
            }
            outbound.on_lost(sent.stream);
        }
    }
}
