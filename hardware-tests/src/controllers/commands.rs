//! What the kernel tells a controller to do.

use std::time::{Duration, Instant};

use super::air::{Air, next_meeting};
use super::controller::{AdvertisingSet, Initiating, Turn};
use super::hci::{self, ACL_LEN, ACL_PACKETS, Address, DISALLOWED, Parameters, SUCCESS, word};

/// Bluetooth 5.0.
const VERSION: u8 = 0x09;
const ACCEPT_LIST: u8 = 32;
/// LE only: no BR/EDR (bit 37), LE (bit 38).
const FEATURES: [u8; 8] = [0, 0, 0, 0, 0x60, 0, 0, 0];
/// Encryption, which is never asked for; features exchanged by the peripheral too; extended advertising.
const LE_FEATURES: [u8; 8] = [0x09, 0x10, 0, 0, 0, 0, 0, 0];
/// Which commands there are: octet and bits (volume 4, part E, 6.27).
const COMMANDS: [(usize, u8); 13] = [
    (0, 0x20),
    (2, 0x80),
    (5, 0xc0),
    (10, 0x04),
    (14, 0xa8),
    (15, 0x22),
    (25, 0xf7),
    (26, 0xff),
    (27, 0xe7),
    (28, 0x08),
    (33, 0x00),
    (36, 0xfe),
    (37, 0x03),
];

impl Air {
    /// Takes a packet of a host.
    pub(super) fn packet(&mut self, who: usize, packet: &[u8]) {
        match packet.split_first() {
            Some((&hci::COMMAND, [low, high, _, parameters @ ..])) => {
                self.command(who, u16::from_le_bytes([*low, *high]), parameters);
            }
            Some((&hci::ACL, [low, high, _, _, payload @ ..])) => {
                let word = u16::from_le_bytes([*low, *high]);
                self.data(who, word & 0x0fff, word & 0x3000, payload);
            }
            _ => {}
        }
    }

    fn data(&mut self, who: usize, handle: u16, flags: u16, payload: &[u8]) {
        let now = Instant::now();
        let end = self
            .controller(who)
            .and_then(|it| it.links.get_mut(&handle));
        if let Some(end) = end {
            end.waiting.push_back((flags, payload.to_vec()));
            if end.meets <= now {
                end.meets = next_meeting(end.meets, end.interval(), now);
            }
        }
    }

    fn command(&mut self, who: usize, opcode: u16, given: &[u8]) {
        match opcode {
            0x0406 | 0x200d | 0x2013 | 0x2016 | 0x041d => self.begin(who, opcode, given),
            _ => {
                let answer = self.answer(who, opcode, given);
                self.tell(who, &hci::complete(opcode, &answer));
                self.afterwards(who, opcode);
            }
        }
    }

    /// Commands that take their time: a status now, an event later.
    fn begin(&mut self, who: usize, opcode: u16, given: &[u8]) {
        let handle = word(given, 0) & 0x0fff;
        let known = self
            .controller(who)
            .is_some_and(|it| it.links.contains_key(&handle));
        let status = match opcode {
            0x200d => self.initiate(who, given),
            _ if known => SUCCESS,
            _ => hci::UNKNOWN_CONNECTION,
        };
        self.tell(who, &hci::status(opcode, status));
        if status != SUCCESS {
            return;
        }
        match opcode {
            0x0406 => {
                let reason = given.get(2).copied().unwrap_or_default();
                self.disconnect(who, handle, reason);
            }
            0x2013 => {
                self.update(who, handle, parameters(given, 2));
            }
            0x2016 => self.tell(who, &hci::remote_features(handle, LE_FEATURES)),
            0x041d => self.tell(who, &hci::remote_version(handle, VERSION)),
            _ => {}
        }
    }

    fn initiate(&mut self, who: usize, given: &[u8]) -> u8 {
        let Some(controller) = self.controller(who) else {
            return DISALLOWED;
        };
        if controller.initiating.is_some() {
            return DISALLOWED;
        }
        let by_list = given.get(4) == Some(&1);
        let peer = given.get(5..).and_then(Address::parse);
        controller.initiating = Some(Initiating {
            peer: peer.filter(|_| !by_list),
            own_random: given.get(12).is_some_and(|kind| kind & 1 == 1),
            turn: Turn::new(word(given, 0), word(given, 2)),
            parameters: parameters(given, 13),
        });
        SUCCESS
    }

    /// Commands that are done at once: what they answer, status first.
    fn answer(&mut self, who: usize, opcode: u16, given: &[u8]) -> Vec<u8> {
        let now = Instant::now();
        let first = given.first().copied().unwrap_or_default();
        if opcode == 0x0c03 {
            return self.reset(who);
        }
        let Some(it) = self.controller(who) else {
            return vec![DISALLOWED];
        };
        let mut good = vec![SUCCESS];
        match opcode {
            // Event masks, sizes for data: as they are.
            0x0c01 | 0x2001 => {}
            0x1001 => good.extend([VERSION, 0, 0, VERSION, 0xff, 0xff, 0, 0]),
            0x1002 => {
                let mut commands = [0; 64];
                for (octet, bits) in COMMANDS {
                    if let Some(byte) = commands.get_mut(octet) {
                        *byte = bits;
                    }
                }
                good.extend(commands);
            }
            0x1003 => good.extend(FEATURES),
            0x1005 => good.extend([0; 7]),
            0x1009 => good.extend(it.public),
            // Transmit power of a connection, signal strength: as of a good one.
            0x0c2d => good.extend(
                [given.to_vec(), vec![0]]
                    .concat()
                    .get(..3)
                    .unwrap_or(&[0; 3]),
            ),
            0x1405 => good.extend([first, given.get(1).copied().unwrap_or_default(), 0xc4]),
            0x2002 => {
                good.extend(ACL_LEN.to_le_bytes());
                good.push(ACL_PACKETS);
            }
            0x2003 => good.extend(LE_FEATURES),
            0x2005 => it.random = six(given, 0),
            0x2007 => good.push(0),
            0x200b => {
                it.scan.active = first == 1;
                it.scan.turn = Turn::new(word(given, 1), word(given, 3));
                it.scan.accept_only = given.get(6) == Some(&1);
            }
            0x200c => {
                it.scan.on = first == 1;
                it.scan.once = given.get(1) == Some(&1);
                it.scan.turn.began = now;
                it.scan.seen.clear();
            }
            0x200e if it.initiating.is_none() => return vec![DISALLOWED],
            0x200e => {}
            0x200f => good.push(ACCEPT_LIST),
            0x2010 => it.accept.clear(),
            0x2011 => it.accept.extend(Address::parse(given)),
            0x2012 => {
                if let Some(address) = Address::parse(given) {
                    it.accept.remove(&address);
                }
            }
            0x2017 => good.extend([0; 16]),
            0x2018 => good.extend(random()),
            0x201c => good.extend([0xff; 8]),
            0x2035..=0x203d => {
                let answer = advertising((&mut it.sets, it.room), opcode, given, now);
                return answer.unwrap_or_else(|| vec![DISALLOWED]);
            }
            _ => {
                eprintln!("controller {who}: the kernel wants {opcode:#06x}, which is not there");
                return vec![hci::UNKNOWN_COMMAND];
            }
        }
        good
    }

    /// What follows the answer.
    fn afterwards(&mut self, who: usize, opcode: u16) {
        if opcode != 0x200e {
            return;
        }
        let gave_up = self.controller(who).and_then(|it| it.initiating.take());
        if let Some(gave_up) = gave_up {
            let peer = gave_up.peer.unwrap_or_default();
            let role = hci::Role::Central;
            let told = hci::connected(hci::UNKNOWN_CONNECTION, 0, role, peer, gave_up.parameters);
            self.tell(who, &told);
        }
    }

    fn reset(&mut self, who: usize) -> Vec<u8> {
        if let Some(it) = self.controller(who) {
            it.sets.clear();
            it.scan = super::controller::Scan::default();
            it.accept.clear();
            it.initiating = None;
            it.links.clear();
        }
        self.look_for_silence(Instant::now());
        vec![SUCCESS]
    }
}

/// Sets of extended advertising (volume 4, part E, 7.8.52 to 7.8.60).
fn advertising(
    (sets, room): (&mut std::collections::BTreeMap<u8, AdvertisingSet>, u8),
    opcode: u16,
    given: &[u8],
    now: Instant,
) -> Option<Vec<u8>> {
    let number = given.first().copied();
    match opcode {
        0x2035 => {
            let set = sets
                .entry(number?)
                .or_insert_with(|| AdvertisingSet::new(now));
            set.random = six(given, 1);
        }
        0x2036 => {
            let set = sets
                .entry(number?)
                .or_insert_with(|| AdvertisingSet::new(now));
            let properties = word(given, 1);
            (set.connectable, set.scannable) = (properties & 1 != 0, properties & 2 != 0);
            let units = u32::from(word(given, 3)).max(0x20);
            set.interval = Duration::from_micros(625) * units;
            set.own_random = given.get(10).is_some_and(|kind| kind & 1 == 1);
            // The power that is used.
            return Some(vec![SUCCESS, 0]);
        }
        0x2037 => sets.get_mut(&number?)?.data = given.get(4..)?.to_vec(),
        0x2038 => sets.get_mut(&number?)?.answer = given.get(4..)?.to_vec(),
        0x2039 => {
            let on = number? == 1;
            let chosen: Vec<u8> = match given.get(1)? {
                0 => sets.keys().copied().collect(),
                _ => given
                    .get(2..)?
                    .chunks(4)
                    .filter_map(|it| it.first().copied())
                    .collect(),
            };
            for number in chosen {
                let set = sets.get_mut(&number)?;
                set.next = if set.on { set.next } else { now };
                set.on = on;
            }
        }
        // Legacy lengths.
        0x203a => return Some(vec![SUCCESS, 31, 0]),
        0x203b => return Some(vec![SUCCESS, room]),
        0x203c => drop(sets.remove(&number?)),
        0x203d => sets.clear(),
        _ => return None,
    }
    Some(vec![SUCCESS])
}

/// The shortest interval of those that the host allows, latency and timeout, from `at`.
fn parameters(given: &[u8], at: usize) -> Parameters {
    Parameters {
        interval: word(given, at),
        latency: word(given, at + 4),
        timeout: word(given, at + 6),
    }
}

fn six(bytes: &[u8], at: usize) -> [u8; 6] {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    found.copied().unwrap_or_default()
}

fn random() -> [u8; 8] {
    use std::hash::BuildHasher as _;
    let state = std::collections::hash_map::RandomState::new();
    state.hash_one(0_u8).to_le_bytes()
}
