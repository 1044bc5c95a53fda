//! One end of one hop.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use chappe_wire::{Duration, Instant};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    HopConfig, HopError, HopEvent, HopFull, HopStats, Role,
    handshake::{Agreement, Initiator, Responder},
    packet::{Fragmenter, Header, Kind, Reassembly, record_len},
    packet_number::PacketNumber,
    session::Session,
};

/// The handshake is done within this time, or the hop is over.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The initiator repeats its message after this time at first, then after twice the time, and so on,
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// up to this.
const MAX_RETRY: Duration = Duration::from_secs(2);

/// One end of one hop: an encrypted, reliable, ordered exchange of frames over a link that gives packets.
///
/// # Calling contract
///
/// A hop does no I/O: whoever drives it (the node) brings packets and time, and takes packets, events and a
/// deadline.
///
/// - When the link delivers a packet: [`Hop::handle_packet`].
/// - When the moment of [`Hop::poll_timeout`] has come: [`Hop::handle_timeout`]. Calls before it are harmless.
/// - After each of these, and after [`Hop::send_frame`]: [`Hop::poll_event`] until it gives `None` (or fewer:
///   frames that are not taken hold the other end back), then, **only while the link has room**,
///   [`Hop::poll_transmit`] until it gives `None`, then [`Hop::poll_timeout`] once.
/// - When the link has room again: [`Hop::poll_transmit`] again.
///
/// `now` never goes back. An error is final: the hop sends nothing more, each later call returns the same
/// error; drop it and close the link. Frames that had come may still be taken. What the link delivers wrongly
/// (lost, doubled, in another order, altered, forged) is repaired or dropped and counted, never an error.
///
/// A hop holds [`MAX_HOP_MEMORY`](crate::MAX_HOP_MEMORY) bytes at most, whatever the other end does.
///
/// ```
/// use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, Role, StaticKey};
/// use chappe_wire::{Hello, Instant, NodeNonce};
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::from_seed([1; 32]);
/// let now = Instant::ZERO;
/// let mut end = |role| {
///     let config = HopConfig {
///         mtu: Mtu::new(185)?,
///         reliable: false,
///         role,
///         static_key: &StaticKey::generate(&mut rng),
///         hello: Hello::new(NodeNonce::new([7; 16])),
///     };
///     Ok::<_, Box<dyn std::error::Error>>(Hop::new(now, &config, &mut rng)?)
/// };
/// let (mut anna, mut ben) = (end(Role::Initiator)?, end(Role::Responder)?);
///
/// let mut received = None;
/// let mut to_send = Some(b"a frame".to_vec());
/// while received.is_none() {
///     while let Some(packet) = anna.poll_transmit(now) {
///         ben.handle_packet(now, &packet)?;
///     }
///     while let Some(packet) = ben.poll_transmit(now) {
///         anna.handle_packet(now, &packet)?;
///     }
///     if anna.frame_space() > 0 && let Some(frame) = to_send.take() {
///         anna.send_frame(frame)?;
///     }
///     while let Some(event) = ben.poll_event() {
///         if let HopEvent::Frame(frame) = event {
///             received = Some(frame);
///         }
///     }
/// }
/// assert_eq!(received.as_deref(), Some(&b"a frame"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Hop {
    phase: Phase,
    deadline: Instant,
    /// The handshake message to repeat until the other end answers.
    repeated: Option<Repeated>,
    /// A handshake message that waits for the link.
    outgoing: Option<Vec<u8>>,
    fragmenter: Fragmenter,
    reassembly: Reassembly,
    established: Option<HopEvent>,
    record_len: usize,
    reliable: bool,
    first_number: PacketNumber,
    handshake_sent: HandshakeSent,
    /// The error of a hop that is over has been returned.
    reported: bool,
    stats: HopStats,
}

enum Phase {
    Initiator(Box<Initiator>),
    Responder(Box<Responder>),
    Established(Box<Session>),
    Over(HopError, Option<Box<Session>>),
}

/// A message of the initiator and when it is sent again.
struct Repeated {
    message: Vec<u8>,
    at: Instant,
    delay: Duration,
}

/// How often this end sent its first handshake message; once gives a round-trip time.
enum HandshakeSent {
    Never,
    Once(Instant),
    Often,
}

impl Hop {
    /// One end of a link that has just come up. 32 bytes are drawn from `rng`, all that this hop will need.
    ///
    /// # Errors
    /// [`HopError::Setup`] if the cryptography refuses its inputs; does not happen with keys that
    /// [`StaticKey`](crate::StaticKey) made.
    pub fn new(
        now: Instant,
        config: &HopConfig<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, HopError> {
        Self::starting_at(now, config, rng, PacketNumber::new(0))
    }

    /// [`Hop::new`] with another first packet number, so that tests reach the ends of the counters.
    pub(crate) fn starting_at(
        now: Instant,
        config: &HopConfig<'_>,
        rng: &mut impl CryptoRng,
        first_number: PacketNumber,
    ) -> Result<Self, HopError> {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        let (key, hello) = (config.static_key, config.hello);
        let (phase, message_1) = match config.role {
            Role::Initiator => {
                let (initiator, message) = Initiator::new(key, hello, seed)?;
                (Phase::Initiator(Box::new(initiator)), Some(message))
            }
            Role::Responder => {
                let responder = Responder::new(key, hello, seed);
                (Phase::Responder(Box::new(responder)), None)
            }
        };
        let mut hop = Self {
            phase,
            deadline: now.after(HANDSHAKE_TIMEOUT),
            repeated: None,
            outgoing: None,
            fragmenter: Fragmenter::new(config.mtu),
            reassembly: Reassembly::default(),
            established: None,
            record_len: record_len(config.mtu),
            reliable: config.reliable,
            first_number,
            handshake_sent: HandshakeSent::Never,
            reported: false,
            stats: HopStats::default(),
        };
        if let Some(message) = message_1 {
            hop.repeat(now, with_header(Kind::Message1, &message));
        }
        Ok(hop)
    }

    /// Takes a packet from the link.
    ///
    /// # Errors
    /// The hop is over, see [`HopError`]. A packet that is not authentic is dropped without an error.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), HopError> {
        count(&mut self.stats.packets_in, 1);
        count(&mut self.stats.bytes_in, packet.len());
        let result = self.try_packet(now, packet);
        self.end_on_error(result)
    }

    /// Does what the time demands. Calls before the deadline are harmless.
    ///
    /// # Errors
    /// The hop is over: [`HopError::HandshakeTimeout`], [`HopError::Silent`], [`HopError::Unresponsive`], or
    /// the error with which it ended before.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), HopError> {
        let result = self.try_timeout(now);
        self.end_on_error(result)
    }

    /// The next packet for the link, if there is one. To be called only while the link has room.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Phase::Over(..) = self.phase {
            return None;
        }
        let packet = match self.fragmenter.next_packet() {
            Some(packet) => packet,
            None => {
                let message = self.next_message(now)?;
                self.fragmenter.cut(message)?
            }
        };
        count(&mut self.stats.packets_out, 1);
        count(&mut self.stats.bytes_out, packet.len());
        Some(packet)
    }

    /// When [`Hop::handle_timeout`] is to be called next; [`Instant::NEVER`] once the hop is over.
    pub fn poll_timeout(&self) -> Instant {
        let repeat = self
            .repeated
            .as_ref()
            .filter(|_| self.outgoing.is_none())
            .map_or(Instant::NEVER, |repeated| repeated.at);
        match &self.phase {
            Phase::Initiator(_) | Phase::Responder(_) => repeat.min(self.deadline),
            Phase::Established(session) => repeat.min(self.deadline).min(session.deadline()),
            // An error that came up while sending is told at once.
            Phase::Over(..) if !self.reported => Instant::ZERO,
            Phase::Over(..) => Instant::NEVER,
        }
    }

    /// The next event, if there is one.
    pub fn poll_event(&mut self) -> Option<HopEvent> {
        if let Some(event) = self.established.take() {
            return Some(event);
        }
        match &mut self.phase {
            Phase::Established(session) | Phase::Over(_, Some(session)) => {
                session.pop_frame().map(HopEvent::Frame)
            }
            _ => None,
        }
    }

    /// The longest frame that [`Hop::send_frame`] takes now, in bytes; 0 before the handshake is done. Little is
    /// queued here, so that the node decides late what goes next.
    pub fn frame_space(&self) -> usize {
        match &self.phase {
            Phase::Established(session) => session.frame_space(),
            _ => 0,
        }
    }

    /// Queues a frame for the other end.
    ///
    /// # Errors
    /// [`HopFull`] hands the frame back if it is longer than [`Hop::frame_space`], empty, or longer than
    /// [`MAX_FRAME_LEN`](chappe_wire::MAX_FRAME_LEN).
    pub fn send_frame(&mut self, frame: Vec<u8>) -> Result<(), HopFull> {
        if let Phase::Established(session) = &mut self.phase
            && session.push_frame(&frame)
        {
            return Ok(());
        }
        Err(HopFull(frame))
    }

    /// What this hop has done so far.
    pub fn stats(&self) -> &HopStats {
        &self.stats
    }

    fn try_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), HopError> {
        if let Phase::Over(error, _) = self.phase {
            return Err(error);
        }
        let Some((first, body)) = packet.split_first() else {
            return self.drop_packet();
        };
        let header = Header::decode(*first);
        if !self.expects(header.kind) {
            return self.drop_packet();
        }
        if header.index == 0 && header.end {
            return self.handle_message(now, header.kind, body);
        }
        match self.reassembly.insert(now, header, body) {
            Some(message) => self.handle_message(now, header.kind, &message),
            None => Ok(()),
        }
    }

    /// Other kinds of packets mean nothing in this phase; they do not even disturb the reassembly.
    fn expects(&self, kind: Kind) -> bool {
        match self.phase {
            Phase::Initiator(_) => kind == Kind::Message2,
            Phase::Responder(_) => matches!(kind, Kind::Message1 | Kind::Message3),
            Phase::Established(_) => kind == Kind::Record,
            Phase::Over(..) => false,
        }
    }

    fn handle_message(&mut self, now: Instant, kind: Kind, message: &[u8]) -> Result<(), HopError> {
        match &mut self.phase {
            Phase::Initiator(initiator) => {
                let Some((agreement, message_3)) = initiator.read_message_2(message)? else {
                    return self.drop_packet();
                };
                self.phase = Phase::Established(self.establish(now, agreement));
                self.repeat(now, with_header(Kind::Message3, &message_3));
            }
            Phase::Responder(responder) if kind == Kind::Message1 => {
                let Some(message_2) = responder.read_message_1(message) else {
                    return self.drop_packet();
                };
                self.outgoing = Some(with_header(Kind::Message2, &message_2));
            }
            Phase::Responder(responder) => {
                let Some(agreement) = responder.read_message_3(message)? else {
                    return self.drop_packet();
                };
                let mut session = self.establish(now, agreement);
                // Tells the initiator that message 3 came, again and again until it acknowledges.
                session.ping();
                self.phase = Phase::Established(session);
                self.deadline = Instant::NEVER;
            }
            Phase::Established(session) => {
                let Some(number) = session.handle_record(now, message)? else {
                    return self.drop_packet();
                };
                self.stats.rtt = session.rtt();
                self.reassembly.on_record(number);
                // The first record proves to the initiator that message 3 came.
                self.repeated = None;
                self.deadline = Instant::NEVER;
            }
            Phase::Over(error, _) => return Err(*error),
        }
        Ok(())
    }

    fn establish(&mut self, now: Instant, agreement: Agreement) -> Box<Session> {
        self.reassembly.clear();
        self.established = Some(HopEvent::Established {
            peer: agreement.peer,
            hello: agreement.hello,
            version: agreement.version,
            salt: agreement.salt,
        });
        let mut session = Box::new(Session::new(
            now,
            agreement.sending,
            agreement.receiving,
            self.record_len,
            self.reliable,
            self.first_number,
        ));
        if let HandshakeSent::Once(at) = self.handshake_sent {
            session.sample_rtt(now.since(at));
        }
        session
    }

    fn repeat(&mut self, now: Instant, message: Vec<u8>) {
        self.outgoing = Some(message.clone());
        self.repeated = Some(Repeated {
            message,
            at: now.after(FIRST_RETRY),
            delay: FIRST_RETRY,
        });
    }

    fn try_timeout(&mut self, now: Instant) -> Result<(), HopError> {
        if let Phase::Over(error, _) = self.phase {
            return Err(error);
        }
        if now >= self.deadline {
            return Err(HopError::HandshakeTimeout);
        }
        if let Some(repeated) = &mut self.repeated
            && self.outgoing.is_none()
            && now >= repeated.at
        {
            repeated.delay = repeated.delay.saturating_mul(2).min(MAX_RETRY);
            self.outgoing = Some(repeated.message.clone());
            count(&mut self.stats.retransmitted, 1);
        }
        match &mut self.phase {
            Phase::Established(session) => session.handle_timeout(now),
            _ => Ok(()),
        }
    }

    /// The next message with a whole header in front.
    fn next_message(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some(message) = self.outgoing.take() {
            if let Some(repeated) = &mut self.repeated {
                repeated.at = now.after(repeated.delay);
            }
            self.handshake_sent = match self.handshake_sent {
                HandshakeSent::Never => HandshakeSent::Once(now),
                _ => HandshakeSent::Often,
            };
            return Some(message);
        }
        let Phase::Established(session) = &mut self.phase else {
            return None;
        };
        match session.poll_record(now, &mut self.stats) {
            Ok(record) => record,
            Err(error) => {
                self.end(error);
                None
            }
        }
    }

    fn drop_packet(&mut self) -> Result<(), HopError> {
        count(&mut self.stats.dropped, 1);
        Ok(())
    }

    fn end_on_error(&mut self, result: Result<(), HopError>) -> Result<(), HopError> {
        if let Err(error) = result {
            self.end(error);
            self.reported = true;
        }
        result
    }

    /// Nothing more is sent; what came may still be taken.
    fn end(&mut self, error: HopError) {
        let session = match mem::replace(&mut self.phase, Phase::Over(error, None)) {
            Phase::Established(session) | Phase::Over(_, Some(session)) => Some(session),
            _ => None,
        };
        self.phase = Phase::Over(error, session);
        self.repeated = None;
        self.outgoing = None;
        self.reassembly.clear();
    }
}

fn with_header(kind: Kind, message: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(Header::LEN + message.len());
    packet.push(Header::whole(kind, 0).encode());
    packet.extend_from_slice(message);
    packet
}

fn count(counter: &mut u64, amount: usize) {
    *counter = counter.saturating_add(amount as u64);
}
