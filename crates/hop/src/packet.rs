//! Packets: what the link carries. A message is cut into at most eight of them and put together again.

use alloc::{collections::VecDeque, vec::Vec};

use chappe_wire::{Duration, Instant};

use crate::{Mtu, packet_number::PacketNumber};

/// The most packets that one message is cut into.
pub const MAX_FRAGMENTS: usize = 8;
/// The longest record, and so the longest packet that is sent, whatever the MTU.
pub const MAX_RECORD_LEN: usize = 16 * 1024;
/// Records are cut only as far as they must be to reach this length: each fragment that is lost costs the
/// whole record.
pub(crate) const CUT_RECORD_LEN: usize = 480;
/// The longest message that is put together from fragments.
pub(crate) const MAX_REASSEMBLED_LEN: usize = 1024;
/// A message is put together within this time of its first fragment, or not at all.
pub(crate) const REASSEMBLY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a packet carries (a part of).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Message1,
    Message2,
    Message3,
    Record,
}

/// The first byte of a packet:
///
/// ```text
///   7   6   5   4   3   2   1   0
/// +---+---+---+---+---+---+---+---+
/// | kind  |   index   |end|  tag  |
/// +---+---+---+---+---+---+---+---+
/// kind    0, 1, 2: handshake message 1, 2, 3;  3: record
/// index   place of this fragment in its message, from 0
/// end     1 in the last fragment of the message
/// tag     last two bits of the packet number; 0 in a handshake
/// ```
///
/// Nothing in it is believed: it only says which bytes to try to authenticate together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) index: u8,
    pub(crate) end: bool,
    pub(crate) tag: u8,
}

impl Header {
    /// Length of the header.
    pub(crate) const LEN: usize = 1;

    /// The header of a message in one packet.
    pub(crate) const fn whole(kind: Kind, tag: u8) -> Self {
        Self {
            kind,
            index: 0,
            end: true,
            tag: tag & 0b11,
        }
    }

    /// The byte on the wire.
    pub(crate) const fn encode(self) -> u8 {
        let kind = match self.kind {
            Kind::Message1 => 0,
            Kind::Message2 => 1,
            Kind::Message3 => 2,
            Kind::Record => 3,
        };
        kind << 6 | (self.index & 0b111) << 3 | (self.end as u8) << 2 | self.tag & 0b11
    }

    /// Reads the byte; every byte is a header.
    pub(crate) const fn decode(byte: u8) -> Self {
        Self {
            kind: match byte >> 6 {
                0 => Kind::Message1,
                1 => Kind::Message2,
                2 => Kind::Message3,
                _ => Kind::Record,
            },
            index: byte >> 3 & 0b111,
            end: byte & 0b100 != 0,
            tag: byte & 0b11,
        }
    }
}

/// The longest record on a link of this MTU, with one header byte: one packet, or up to eight small ones.
pub(crate) fn record_len(mtu: Mtu) -> usize {
    let body = mtu.bytes() - Header::LEN;
    let fragments = CUT_RECORD_LEN.div_ceil(body).clamp(1, MAX_FRAGMENTS);
    (body * fragments + Header::LEN).min(MAX_RECORD_LEN)
}

/// Cuts one message at a time into packets.
#[derive(Debug)]
pub(crate) struct Fragmenter {
    mtu: Mtu,
    packets: VecDeque<Vec<u8>>,
}

impl Fragmenter {
    /// Nothing to send yet.
    pub(crate) const fn new(mtu: Mtu) -> Self {
        Self {
            mtu,
            packets: VecDeque::new(),
        }
    }

    /// The next packet of the message in hand.
    pub(crate) fn next_packet(&mut self) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    /// Takes the next message, which begins with a whole header; returns its first packet. Messages of more
    /// than eight packets do not occur and are dropped.
    pub(crate) fn cut(&mut self, message: Vec<u8>) -> Option<Vec<u8>> {
        if message.len() <= self.mtu.bytes() {
            return Some(message);
        }
        let (first, body) = message.split_first()?;
        let header = Header::decode(*first);
        let bodies = body.chunks(self.mtu.bytes() - Header::LEN);
        let count = bodies.len();
        if count > MAX_FRAGMENTS {
            return None;
        }
        self.packets = (0..)
            .zip(bodies)
            .map(|(index, body)| {
                let end = usize::from(index) + 1 == count;
                let mut packet = Vec::with_capacity(Header::LEN + body.len());
                packet.push(
                    Header {
                        index,
                        end,
                        ..header
                    }
                    .encode(),
                );
                packet.extend_from_slice(body);
                packet
            })
            .collect();
        self.packets.pop_front()
    }
}

/// Puts fragments together: at most four messages at a time, one for each tag, so that a link may deliver the
/// packets of neighbouring records in any order.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    assemblies: [Assembly; 4],
}

impl Reassembly {
    /// Takes a fragment; returns the body of the message (without header) once it is whole.
    pub(crate) fn insert(&mut self, now: Instant, header: Header, body: &[u8]) -> Option<Vec<u8>> {
        if body.is_empty() || body.len() > MAX_REASSEMBLED_LEN {
            return None;
        }
        let assembly = self.assemblies.get_mut(usize::from(header.tag))?;
        if !assembly.fits(now, header, body) {
            *assembly = Assembly::default();
        }
        assembly.insert(now, header, body);
        assembly.take_whole()
    }

    /// An authentic record came: what is left of the one two numbers away is stale. Without this, the remains of a
    /// record that garbage has spoilt would spoil a later one of the same tag.
    pub(crate) fn on_record(&mut self, number: PacketNumber) {
        let stale = usize::from(number.truncate().wrapping_add(2) % 4);
        if let Some(assembly) = self.assemblies.get_mut(stale) {
            *assembly = Assembly::default();
        }
    }

    /// Forgets what is there.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The parts of one message.
///
/// The fragments that came first fix it: one that contradicts them starts anew. So garbage costs at most the
/// message in hand, which is then sent again.
#[derive(Debug, Default)]
struct Assembly {
    parts: [Option<Vec<u8>>; MAX_FRAGMENTS],
    kind: Option<Kind>,
    /// Known once the last fragment came.
    count: Option<usize>,
    started: Instant,
}

impl Assembly {
    fn fits(&self, now: Instant, header: Header, body: &[u8]) -> bool {
        let index = usize::from(header.index);
        let known = self.parts.get(index).and_then(Option::as_deref);
        let held: usize = self.parts.iter().flatten().map(Vec::len).sum();
        let place_agrees = match self.count {
            Some(count) => index < count && header.end == (index + 1 == count),
            None => !header.end || self.parts.iter().skip(index + 1).all(Option::is_none),
        };
        self.kind == Some(header.kind)
            && now.since(self.started) <= REASSEMBLY_TIMEOUT
            && known.map_or(held + body.len() <= MAX_REASSEMBLED_LEN, |known| {
                known == body
            })
            && place_agrees
            && self.lengths_agree(index, header.end, body.len())
    }

    /// All fragments but the last are of one length, and the last is not longer.
    fn lengths_agree(&self, index: usize, end: bool, length: usize) -> bool {
        let is_last = |at: usize| self.count == Some(at + 1) || end && at == index;
        self.parts.iter().enumerate().all(|(at, part)| {
            let Some(part) = part else { return true };
            match (is_last(index), is_last(at)) {
                (true, false) => length <= part.len(),
                (false, true) => part.len() <= length,
                _ => part.len() == length,
            }
        })
    }

    fn insert(&mut self, now: Instant, header: Header, body: &[u8]) {
        let index = usize::from(header.index);
        if self.kind.is_none() {
            self.kind = Some(header.kind);
            self.started = now;
        }
        if header.end {
            self.count = Some(index + 1);
        }
        if let Some(part @ None) = self.parts.get_mut(index) {
            *part = Some(body.to_vec());
        }
    }

    fn take_whole(&mut self) -> Option<Vec<u8>> {
        let parts = self.parts.get(..self.count?)?;
        if parts.iter().any(Option::is_none) {
            return None;
        }
        let message = parts.iter().flatten().flatten().copied().collect();
        *self = Self::default();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_header_and_comes_back() {
        for byte in 0..=u8::MAX {
            assert_eq!(Header::decode(byte).encode(), byte);
        }
    }

    #[test]
    fn a_record_is_cut_into_eight_packets_at_most() {
        for bytes in Mtu::MIN.bytes()..=Mtu::MAX.bytes() {
            let mtu = Mtu::new(bytes).unwrap();
            let body = record_len(mtu) - Header::LEN;
            let fragments = body.div_ceil(bytes - Header::LEN);
            assert!(fragments <= MAX_FRAGMENTS, "{fragments} at {bytes}");
            assert!(body >= 152, "{body} at {bytes}");
            if fragments > 1 {
                assert!(body <= MAX_REASSEMBLED_LEN);
            }
        }
    }
}
