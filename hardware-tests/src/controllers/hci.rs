//! The host controller interface: packets between the kernel and a controller (Bluetooth Core 5.4, volume 4,
//! part E). Only what an LE controller needs that a kernel drives.

/// Kinds of packets on the transport (volume 4, part A, 2).
pub(super) const COMMAND: u8 = 1;
pub(super) const ACL: u8 = 2;
const EVENT: u8 = 4;

/// The longest payload of a packet with data, and how many of them the controller holds.
pub(super) const ACL_LEN: u16 = 251;
pub(super) const ACL_PACKETS: u8 = 8;

const DISCONNECTION_COMPLETE: u8 = 0x05;
const COMMAND_COMPLETE: u8 = 0x0e;
const COMMAND_STATUS: u8 = 0x0f;
const COMPLETED_PACKETS: u8 = 0x13;
const LE_META: u8 = 0x3e;
const LE_ADVERTISING_REPORT: u8 = 0x02;
const LE_UPDATE_COMPLETE: u8 = 0x03;
const LE_REMOTE_FEATURES: u8 = 0x04;
/// The enhanced form: the kernel waits for it where there is extended advertising.
const LE_CONNECTION_COMPLETE: u8 = 0x0a;
const LE_SET_TERMINATED: u8 = 0x12;
const REMOTE_VERSION: u8 = 0x0c;

/// Reasons and errors (volume 1, part F).
pub(super) const SUCCESS: u8 = 0x00;
pub(super) const UNKNOWN_COMMAND: u8 = 0x01;
pub(super) const UNKNOWN_CONNECTION: u8 = 0x02;
pub(super) const SUPERVISION_TIMEOUT: u8 = 0x08;
pub(super) const DISALLOWED: u8 = 0x0c;
pub(super) const BY_THE_HOST: u8 = 0x16;

/// Of a strong signal, in dBm.
const RSSI: u8 = 0xc4;

/// An address on the air: public or random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    pub(super) random: bool,
    /// Lowest byte first.
    pub(super) bytes: [u8; 6],
}

impl Address {
    /// Type and bytes, as commands have them.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        Some(Self {
            random: kind & 1 == 1,
            bytes: *rest.first_chunk()?,
        })
    }

    fn encode(self) -> [u8; 7] {
        let [a, b, c, d, e, f] = self.bytes;
        [u8::from(self.random), a, b, c, d, e, f]
    }
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Central,
    Peripheral,
}

/// A connection as both ends are told of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// In units of 1.25 ms.
    pub(super) interval: u16,
    pub(super) latency: u16,
    /// In units of 10 ms.
    pub(super) timeout: u16,
}

/// A command was done; `answer` begins with its status.
pub(super) fn complete(opcode: u16, answer: &[u8]) -> Vec<u8> {
    let [low, high] = opcode.to_le_bytes();
    event(COMMAND_COMPLETE, &[&[1, low, high], answer])
}

/// A command was begun, or is refused.
pub(super) fn status(opcode: u16, status: u8) -> Vec<u8> {
    let [low, high] = opcode.to_le_bytes();
    event(COMMAND_STATUS, &[&[status, 1, low, high]])
}

/// So many packets of a connection have left the controller.
pub(super) fn completed(handle: u16, packets: u16) -> Vec<u8> {
    let parts: [&[u8]; 3] = [&[1], &handle.to_le_bytes(), &packets.to_le_bytes()];
    event(COMPLETED_PACKETS, &parts)
}

pub(super) fn disconnected(handle: u16, reason: u8) -> Vec<u8> {
    let parts: [&[u8]; 3] = [&[SUCCESS], &handle.to_le_bytes(), &[reason]];
    event(DISCONNECTION_COMPLETE, &parts)
}

/// A connection is there, or connecting was given up: `status`.
pub(super) fn connected(
    status: u8,
    handle: u16,
    role: Role,
    peer: Address,
    parameters: Parameters,
) -> Vec<u8> {
    let role = u8::from(role == Role::Peripheral);
    let parts: [&[u8]; 9] = [
        &[LE_CONNECTION_COMPLETE, status],
        &handle.to_le_bytes(),
        &[role],
        &peer.encode(),
        // Addresses that the controllers themselves resolve or make up: none.
        &[0; 12],
        &parameters.interval.to_le_bytes(),
        &parameters.latency.to_le_bytes(),
        &parameters.timeout.to_le_bytes(),
        &[0],
    ];
    event(LE_META, &parts)
}

/// An advertising set ended in a connection.
pub(super) fn set_terminated(set: u8, handle: u16) -> Vec<u8> {
    let parts: [&[u8]; 3] = [
        &[LE_SET_TERMINATED, SUCCESS, set],
        &handle.to_le_bytes(),
        &[0],
    ];
    event(LE_META, &parts)
}

/// An advertisement was heard. `kind` 0: it can be connected to; 4: an answer to a scan.
pub(super) fn report(kind: u8, from: Address, data: &[u8]) -> Vec<u8> {
    let data = data.get(..data.len().min(31)).unwrap_or_default();
    let length = [data.len() as u8];
    let parts: [&[u8]; 5] = [
        &[LE_ADVERTISING_REPORT, 1, kind],
        &from.encode(),
        &length,
        data,
        &[RSSI],
    ];
    event(LE_META, &parts)
}

pub(super) fn updated(handle: u16, parameters: Parameters) -> Vec<u8> {
    let parts: [&[u8]; 5] = [
        &[LE_UPDATE_COMPLETE, SUCCESS],
        &handle.to_le_bytes(),
        &parameters.interval.to_le_bytes(),
        &parameters.latency.to_le_bytes(),
        &parameters.timeout.to_le_bytes(),
    ];
    event(LE_META, &parts)
}

pub(super) fn remote_features(handle: u16, features: [u8; 8]) -> Vec<u8> {
    let parts: [&[u8]; 3] = [
        &[LE_REMOTE_FEATURES, SUCCESS],
        &handle.to_le_bytes(),
        &features,
    ];
    event(LE_META, &parts)
}

pub(super) fn remote_version(handle: u16, version: u8) -> Vec<u8> {
    let parts: [&[u8]; 3] = [
        &[SUCCESS],
        &handle.to_le_bytes(),
        &[version, 0xff, 0xff, 0, 0],
    ];
    event(REMOTE_VERSION, &parts)
}

/// A packet with data as the receiving host gets it.
pub(super) fn data(handle: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let [low, high] = (handle & 0x0fff | flags).to_le_bytes();
    let [short, long] = (payload.len() as u16).to_le_bytes();
    let mut packet = vec![ACL, low, high, short, long];
    packet.extend_from_slice(payload);
    packet
}

fn event(code: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut packet = vec![EVENT, code, length as u8];
    parts.iter().for_each(|part| packet.extend_from_slice(part));
    packet
}

/// Two bytes, lowest first; zero where there are none.
pub(super) fn word(bytes: &[u8], at: usize) -> u16 {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    u16::from_le_bytes([byte(at), byte(at + 1)])
}
