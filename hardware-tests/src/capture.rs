//! btmon's capture: what adapters showed to everybody, and what they sent over connections.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Before the first record: magic, version, kind.
const HEADER: usize = 16;
/// Before each record: lengths, adapter and kind, drops, time.
const RECORD: usize = 24;
/// Kinds of records (BlueZ, `monitor.h`).
const COMMAND: u16 = 2;
const ACL_SENT: u16 = 4;
const ACL_RECEIVED: u16 = 5;
/// Commands of the host controller interface (Bluetooth Core 5.4, volume 4, part E, 7.8).
const SET_ADVERTISING_ADDRESS: u16 = 0x2035;
const SET_ADVERTISING_DATA: u16 = 0x2037;
const REMOVE_ADVERTISING_SET: u16 = 0x203c;
const CONNECT: u16 = 0x200d;
const SET_RANDOM_ADDRESS: u16 = 0x2005;
const SCAN: u16 = 0x200c;
/// Signalling of L2CAP: counters, and nothing of the node.
const SIGNALLING: u16 = 5;
/// The attribute protocol of GATT: a channel of its own, and more that are opened to this number.
const ATTRIBUTES: u16 = 4;
const ENHANCED_ATTRIBUTES: [u8; 2] = [0x27, 0];
/// Signals that open a credit-based channel (volume 3, part A, 4.22 and 4.23).
const OPEN: u8 = 0x14;
const OPENED: u8 = 0x15;

/// What one adapter sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// What it advertised, in order.
    pub(crate) adverts: Vec<Advert>,
    /// What it sent over connections: payloads of L2CAP packets, without signalling.
    pub(crate) payloads: Vec<Payload>,
    /// All bytes that it sent over connections, with the headers of ACL and L2CAP.
    pub(crate) acl_bytes: usize,
    /// When it was told to connect.
    pub(crate) connects: Vec<u64>,
    /// Scans and attempts to connect, which show the adapter's own address.
    pub(crate) shown: Vec<Shown>,
}

impl Sent {
    /// When the token that it advertises now was shown first; `token` is where it is.
    pub(crate) fn token_at(&self, token: std::ops::Range<usize>) -> Option<u64> {
        let of = |advert: &Advert| advert.data.get(token.clone()).map(<[u8]>::to_vec);
        let now = of(self.adverts.last()?)?;
        let first = self.adverts.iter().find(|it| of(it).as_ref() == Some(&now));
        first.map(|advert| advert.at)
    }
}

/// An address of its own that an adapter showed when it scanned or connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) at: u64,
    pub(crate) address: Vec<u8>,
}

/// Packets that one end sent before the other did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) at: u64,
    /// Of the two adapters, the first.
    pub(crate) of_first: bool,
    /// Lengths, without headers of L2CAP.
    pub(crate) packets: Vec<usize>,
}

/// Who said what to whom on the channels of two adapters, after `since`, without the attribute protocol.
pub(crate) fn flights(first: &Sent, second: &Sent, since: u64) -> Vec<Flight> {
    let of = |sent: &'_ Sent, of_first: bool| -> Vec<(u64, bool, bool, usize)> {
        let payloads = sent.payloads.iter();
        let payloads = payloads.filter(|one| one.at > since && !one.attributes);
        payloads
            .map(|one| (one.at, of_first, one.first, one.bytes.len()))
            .collect()
    };
    let mut all = [of(first, true), of(second, false)].concat();
    all.sort_by_key(|(at, ..)| *at);
    let mut flights: Vec<Flight> = Vec::new();
    for (at, of_first, begins, length) in all {
        match flights.last_mut() {
            Some(flight) if flight.of_first == of_first => match flight.packets.last_mut() {
                Some(packet) if !begins => *packet += length,
                _ => flight.packets.push(length),
            },
            _ => flights.push(Flight {
                at,
                of_first,
                packets: vec![length],
            }),
        }
    }
    flights
}

/// An advertisement as strangers hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advert {
    /// Microseconds.
    pub(crate) at: u64,
    /// When it ended.
    pub(crate) until: Option<u64>,
    pub(crate) address: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// What a fragment on a connection held.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) at: u64,
    /// It begins a packet of L2CAP.
    pub(crate) first: bool,
    /// It is BlueZ's own, of the attribute protocol.
    pub(crate) attributes: bool,
    pub(crate) bytes: Vec<u8>,
}

/// What each adapter sent, by its number.
///
/// # Errors
/// When the capture cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<BTreeMap<u16, Sent>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let mut adapters: BTreeMap<u16, Reader> = BTreeMap::new();
    let mut rest = bytes.get(HEADER..).context("the capture is empty")?;
    // A record that is cut off ends the capture: btmon was stopped.
    while let Some((record, packet, after)) = split(rest) {
        rest = after;
        let reader = adapters.entry(record.adapter).or_default();
        match record.kind {
            COMMAND => reader.command(record.at, packet),
            ACL_SENT => reader.acl(record.at, packet),
            ACL_RECEIVED => reader.received(packet),
            _ => {}
        }
    }
    let sent = |(adapter, reader): (u16, Reader)| (adapter, reader.sent);
    Ok(adapters.into_iter().map(sent).collect())
}

struct Record {
    adapter: u16,
    kind: u16,
    at: u64,
}

fn split(bytes: &[u8]) -> Option<(Record, &[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(RECORD)?;
    let word = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let length = usize::try_from(word(4)?).ok()?;
    let flags = word(8)?;
    let at = u64::from_be_bytes(header.get(16..24)?.try_into().ok()?);
    let (packet, after) = rest.split_at_checked(length)?;
    let record = Record {
        adapter: (flags >> 16) as u16,
        kind: (flags & 0xffff) as u16,
        at,
    };
    Some((record, packet, after))
}

#[derive(Default)]
struct Reader {
    sent: Sent,
    /// For scans and connections.
    address: Vec<u8>,
    /// By the number of the advertising set.
    addresses: BTreeMap<u8, Vec<u8>>,
    /// Which advertisement a set has now.
    sets: BTreeMap<u8, usize>,
    /// The channel of the packet that is being sent, by connection.
    channels: BTreeMap<u16, u16>,
    /// Requests for channels of the attribute protocol, by connection and number.
    asked: BTreeSet<(u16, u8)>,
    /// Channels of the attribute protocol, by connection and the number that the other end gave them.
    enhanced: BTreeSet<(u16, u16)>,
}

impl Reader {
    fn command(&mut self, at: u64, packet: &[u8]) {
        let Some((head, body)) = packet.split_first_chunk::<3>() else {
            return;
        };
        let (Some(&set), [low, high, _]) = (body.first(), head) else {
            return;
        };
        match u16::from_le_bytes([*low, *high]) {
            CONNECT => {
                self.sent.connects.push(at);
                self.show(at);
            }
            SCAN if set == 1 => self.show(at),
            SET_RANDOM_ADDRESS => self.address = body.get(..6).unwrap_or_default().to_vec(),
            SET_ADVERTISING_ADDRESS => {
                let address = body.get(1..7).unwrap_or_default().to_vec();
                self.addresses.insert(set, address);
            }
            SET_ADVERTISING_DATA => {
                let data = body.get(4..).unwrap_or_default().to_vec();
                let address = self.addresses.get(&set).cloned().unwrap_or_default();
                let advert = Advert {
                    at,
                    until: None,
                    address,
                    data,
                };
                if !advert.data.is_empty() {
                    self.sets.insert(set, self.sent.adverts.len());
                    self.sent.adverts.push(advert);
                }
            }
            REMOVE_ADVERTISING_SET => {
                let ended = self.sets.remove(&set);
                if let Some(advert) = ended.and_then(|it| self.sent.adverts.get_mut(it)) {
                    advert.until = Some(at);
                }
            }
            _ => {}
        }
    }

    fn show(&mut self, at: u64) {
        let address = self.address.clone();
        self.sent.shown.push(Shown { at, address });
    }

    fn acl(&mut self, at: u64, packet: &[u8]) {
        self.sent.acl_bytes += packet.len();
        let Some((head, body)) = packet.split_first_chunk::<4>() else {
            return;
        };
        // Bits 12 and 13 tell the first fragment of an L2CAP packet.
        let [low, high, ..] = head;
        let first = high & 0x30 != 0x10;
        let connection = u16::from_le_bytes([*low, high & 0x0f]);
        let bytes = match (first, body) {
            (true, [_, _, low, high, bytes @ ..]) => {
                let channel = u16::from_le_bytes([*low, *high]);
                self.channels.insert(connection, channel);
                bytes
            }
            _ => body,
        };
        let channel = self.channels.get(&connection).copied().unwrap_or_default();
        if channel == SIGNALLING {
            if let [OPEN, number, _, _, low, high, ..] = bytes
                && [*low, *high] == ENHANCED_ATTRIBUTES
            {
                self.asked.insert((connection, *number));
            }
            return;
        }
        let enhanced = self.enhanced.contains(&(connection, channel));
        // On these channels a length comes first.
        let skipped = if enhanced && first { 2 } else { 0 };
        self.sent.payloads.push(Payload {
            at,
            first,
            attributes: channel == ATTRIBUTES || enhanced,
            bytes: bytes.get(skipped..).unwrap_or_default().to_vec(),
        });
    }

    /// Learns which channels carry the attribute protocol.
    fn received(&mut self, packet: &[u8]) {
        let Some(([low, high, ..], body)) = packet.split_first_chunk::<4>() else {
            return;
        };
        let connection = u16::from_le_bytes([*low, high & 0x0f]);
        let [_, _, channel_low, channel_high, signal @ ..] = body else {
            return;
        };
        if high & 0x30 == 0x10 || u16::from_le_bytes([*channel_low, *channel_high]) != SIGNALLING {
            return;
        }
        match signal {
            [OPEN, _, _, _, psm_low, psm_high, low, high, ..]
                if [*psm_low, *psm_high] == ENHANCED_ATTRIBUTES =>
            {
                let theirs = u16::from_le_bytes([*low, *high]);
                self.enhanced.insert((connection, theirs));
            }
            [OPENED, number, _, _, low, high, ..] if self.asked.remove(&(connection, *number)) => {
                let theirs = u16::from_le_bytes([*low, *high]);
                self.enhanced.insert((connection, theirs));
            }
            _ => {}
        }
    }
}
