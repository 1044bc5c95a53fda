//! The air between virtual controllers: advertisements, connections, and the time that packets take.
//!
//! Modelled: advertising intervals and scan windows, connection intervals, airtime of data packets at 1 Mbit/s, one
//! radio per controller, supervision timeouts, and who is out of whose range. Not modelled: losses by noise,
//! channels, encryption by the controller (nodes do not pair), clock drift.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::controller::{Controller, End};
use super::hci::{self, Address, Parameters, Role};

/// An advertisement is late by up to so much, at random (volume 6, part B, 4.4.2.2).
const ADVERTISING_DELAY: u64 = 10_000;
/// Between two packets of a connection.
const FRAME_SPACE: Duration = Duration::from_micros(150);
/// Bits of a data packet beside its payload: preamble, access address, header, check sum.
const PACKET_BITS: u64 = 80;
/// A packet that begins an L2CAP packet, as the receiving host is told.
const FIRST: u16 = 0x2000;
const MORE: u16 = 0x1000;

/// Somebody without an adapter who advertises.
#[derive(Clone, Debug)]
pub(crate) struct Ghost {
    /// A random address.
    pub(crate) address: [u8; 6],
    pub(crate) data: Vec<u8>,
}

/// All controllers and what is between them.
pub(super) struct Air {
    pub(super) controllers: Vec<Option<Controller>>,
    /// Pairs that are out of each other's range.
    pub(super) apart: BTreeSet<(usize, usize)>,
    /// Said once each to whoever listens.
    pub(super) ghosts: Vec<Ghost>,
    /// Payload of a data packet on the air: 27 without the data length extension, 251 with it.
    pub(super) octets: u64,
    /// For delays; the same in every run.
    seed: u64,
}

impl Air {
    pub(super) fn new(octets: u64) -> Self {
        Self {
            controllers: Vec::new(),
            apart: BTreeSet::new(),
            ghosts: Vec::new(),
            octets,
            seed: 0x2545_f491_4f6c_dd1d,
        }
    }

    pub(super) fn controller(&mut self, who: usize) -> Option<&mut Controller> {
        self.controllers.get_mut(who)?.as_mut()
    }

    /// Gives a packet to a controller's host. One that is gone takes none.
    pub(super) fn tell(&mut self, who: usize, packet: &[u8]) {
        if let Some(controller) = self.controller(who) {
            // It is found out when reading.
            let _ = controller.vhci.write(packet);
        }
    }

    /// Does what is due. When something is due next.
    pub(super) fn pass(&mut self, now: Instant) -> Option<Instant> {
        for who in 0..self.controllers.len() {
            self.advertise(who, now);
            self.exchange(who, now);
        }
        self.haunt(now);
        let next = |controller: &Controller| {
            let sets = controller.sets.values().filter(|set| set.on);
            let links = controller.links.values();
            let links = links.filter_map(|end| match end.silent {
                Some(since) => Some(since + end.patience()),
                None => (!end.waiting.is_empty()).then_some(end.meets),
            });
            sets.map(|set| set.next).chain(links).min()
        };
        self.controllers.iter().flatten().filter_map(next).min()
    }

    /// Out of range both ways, or back.
    pub(super) fn part(&mut self, one: usize, other: usize, apart: bool) {
        let pair = (one.min(other), one.max(other));
        if apart {
            self.apart.insert(pair);
        } else {
            self.apart.remove(&pair);
        }
        self.look_for_silence(Instant::now());
    }

    fn in_range(&self, one: usize, other: usize) -> bool {
        !self.apart.contains(&(one.min(other), one.max(other)))
    }

    /// Ends that hear nothing any more notice it after the supervision timeout.
    pub(super) fn look_for_silence(&mut self, now: Instant) {
        for who in 0..self.controllers.len() {
            let ends: Vec<(u16, (usize, u16))> = match self.controller(who) {
                Some(controller) => controller.links.iter().map(|(h, e)| (*h, e.peer)).collect(),
                None => continue,
            };
            for (handle, (peer, peer_handle)) in ends {
                let there = self.in_range(who, peer)
                    && self
                        .controller(peer)
                        .and_then(|peer| peer.links.get(&peer_handle))
                        .is_some_and(|end| end.peer == (who, handle));
                let end = self
                    .controller(who)
                    .and_then(|it| it.links.get_mut(&handle));
                if let Some(end) = end {
                    end.silent = match (there, end.silent) {
                        (true, _) => None,
                        (false, since) => since.or(Some(now)),
                    };
                }
            }
        }
    }

    fn advertise(&mut self, who: usize, now: Instant) {
        let delay = Duration::from_micros(self.random() % ADVERTISING_DELAY);
        let Some(controller) = self.controller(who) else {
            return;
        };
        let due = controller.sets.iter_mut();
        let due: Vec<_> = due
            .filter(|(_, set)| set.on && set.next <= now)
            .map(|(number, set)| {
                set.next = now + set.interval + delay;
                (*number, set.connectable, set.scannable, set.data.clone())
            })
            .collect();
        for (number, connectable, scannable, data) in due {
            let Some((address, answer)) = self.controller(who).and_then(|it| {
                let set = it.sets.get(&number)?;
                let random = set.own_random;
                let bytes = if random { set.random } else { it.public };
                Some((Address { random, bytes }, set.answer.clone()))
            }) else {
                continue;
            };
            let kind = match (connectable, scannable) {
                (true, _) => 0,
                (false, true) => 2,
                (false, false) => 3,
            };
            let answer = scannable.then_some(answer.as_slice());
            for listener in (0..self.controllers.len()).filter(|it| *it != who) {
                if !self.in_range(who, listener) {
                    continue;
                }
                self.report(listener, now, kind, address, &data, answer);
                if connectable && self.connect(listener, who, number, address, now) {
                    break;
                }
            }
        }
    }

    /// Whoever has no adapter is heard once, by those who scan now.
    fn haunt(&mut self, now: Instant) {
        for ghost in std::mem::take(&mut self.ghosts) {
            let address = Address {
                random: true,
                bytes: ghost.address,
            };
            for listener in 0..self.controllers.len() {
                self.report(listener, now, 0, address, &ghost.data, Some(&[]));
            }
        }
    }

    fn report(
        &mut self,
        listener: usize,
        now: Instant,
        kind: u8,
        from: Address,
        data: &[u8],
        answer: Option<&[u8]>,
    ) {
        let Some(controller) = self.controller(listener) else {
            return;
        };
        if !controller.hears(now) {
            return;
        }
        let accepted = !controller.scan.accept_only || controller.accept.contains(&from);
        let seen = controller.scan.once && !controller.scan.seen.insert((from, data.to_vec()));
        if !accepted || seen {
            return;
        }
        let active = controller.scan.active;
        self.tell(listener, &hci::report(kind, from, data));
        if let Some(answer) = answer.filter(|_| active) {
            self.tell(listener, &hci::report(4, from, answer));
        }
    }

    /// Connects `listener` to a set of `who`, if it waits for that.
    fn connect(
        &mut self,
        listener: usize,
        who: usize,
        set: u8,
        address: Address,
        now: Instant,
    ) -> bool {
        let Some(central) = self.controller(listener) else {
            return false;
        };
        let Some(waits) = &central.initiating else {
            return false;
        };
        let wanted = match waits.peer {
            Some(peer) => peer == address,
            None => central.accept.contains(&address),
        };
        if !wanted || !waits.turn.open(now) {
            return false;
        }
        let (parameters, own) = (waits.parameters, central.address(waits.own_random));
        central.initiating = None;
        let central_handle = central.fresh_handle();
        let Some(peripheral) = self.controller(who) else {
            return false;
        };
        let peripheral_handle = peripheral.fresh_handle();
        if let Some(set) = peripheral.sets.get_mut(&set) {
            set.on = false;
        }
        let ends = [
            (
                listener,
                central_handle,
                Role::Central,
                (who, peripheral_handle),
                address,
            ),
            (
                who,
                peripheral_handle,
                Role::Peripheral,
                (listener, central_handle),
                own,
            ),
        ];
        for (at, handle, role, peer, peer_address) in ends {
            if let Some(controller) = self.controller(at) {
                let end = End {
                    peer,
                    parameters,
                    waiting: std::collections::VecDeque::new(),
                    meets: now,
                    silent: None,
                };
                controller.links.insert(handle, end);
            }
            let told = hci::connected(hci::SUCCESS, handle, role, peer_address, parameters);
            self.tell(at, &told);
        }
        self.tell(who, &hci::set_terminated(set, peripheral_handle));
        true
    }

    /// Moves what waits on the connections of `who`, as far as their time allows.
    fn exchange(&mut self, who: usize, now: Instant) {
        let Some(controller) = self.controller(who) else {
            return;
        };
        let due: Vec<u16> = controller
            .links
            .iter()
            .filter(|(_, end)| match end.silent {
                Some(since) => since + end.patience() <= now,
                None => !end.waiting.is_empty() && end.meets <= now,
            })
            .map(|(handle, _)| *handle)
            .collect();
        for handle in due {
            self.meet(who, handle, now);
        }
    }

    /// One connection event, in both directions.
    fn meet(&mut self, who: usize, handle: u16, now: Instant) {
        let Some(end) = self.controller(who).and_then(|it| it.links.get(&handle)) else {
            return;
        };
        let ((peer, peer_handle), interval) = (end.peer, end.interval());
        if end.silent.is_some() {
            return self.lose(who, handle);
        }
        let busy = |air: &mut Self, who| air.controller(who).map_or(now, |it| it.busy);
        let begins = now.max(busy(self, who)).max(busy(self, peer));
        let ends = now + interval;
        let mut at = begins;
        let (mut here, mut there) = (0, 0);
        while at < ends {
            let sent = self.carry((who, handle), (peer, peer_handle), &mut here);
            let answered = self.carry((peer, peer_handle), (who, handle), &mut there);
            if sent.is_zero() && answered.is_zero() {
                break;
            }
            // An end without data acknowledges with an empty packet.
            let empty = Duration::from_micros(PACKET_BITS);
            at += sent.max(empty) + answered.max(empty) + FRAME_SPACE * 2;
        }
        for (who, handle, packets) in [(who, handle, here), (peer, peer_handle, there)] {
            if packets > 0 {
                self.tell(who, &hci::completed(handle, packets));
            }
            if let Some(controller) = self.controller(who) {
                controller.busy = at;
                if let Some(end) = controller.links.get_mut(&handle) {
                    end.meets = next_meeting(end.meets, interval, at.max(now));
                }
            }
        }
    }

    /// Moves one packet. How long it is on the air.
    fn carry(&mut self, from: (usize, u16), to: (usize, u16), count: &mut u16) -> Duration {
        let end = self
            .controller(from.0)
            .and_then(|it| it.links.get_mut(&from.1));
        let Some((flags, payload)) = end.and_then(|end| end.waiting.pop_front()) else {
            return Duration::ZERO;
        };
        *count += 1;
        let length = payload.len() as u64;
        let pieces = length.div_ceil(self.octets).max(1);
        let air = Duration::from_micros(pieces * PACKET_BITS + length * 8);
        // Each further piece waits for the acknowledgement of the one before.
        let acknowledged = FRAME_SPACE * 2 + Duration::from_micros(PACKET_BITS);
        let flags = if flags == MORE { MORE } else { FIRST };
        self.tell(to.0, &hci::data(to.1, flags, &payload));
        air + acknowledged * (pieces - 1) as u32
    }

    /// The other end was not heard for too long.
    fn lose(&mut self, who: usize, handle: u16) {
        if let Some(controller) = self.controller(who) {
            controller.links.remove(&handle);
        }
        self.tell(who, &hci::disconnected(handle, hci::SUPERVISION_TIMEOUT));
    }

    /// A host ends a connection.
    pub(super) fn disconnect(&mut self, who: usize, handle: u16, reason: u8) -> bool {
        let Some(end) = self.controller(who).and_then(|it| it.links.remove(&handle)) else {
            return false;
        };
        self.tell(who, &hci::disconnected(handle, hci::BY_THE_HOST));
        let (peer, peer_handle) = end.peer;
        let there = self
            .controller(peer)
            .and_then(|it| it.links.get(&peer_handle));
        if there.is_some() && self.in_range(who, peer) {
            if let Some(peer) = self.controller(peer) {
                peer.links.remove(&peer_handle);
            }
            self.tell(peer, &hci::disconnected(peer_handle, reason));
        }
        self.look_for_silence(Instant::now());
        true
    }

    /// Both ends use other parameters from now on.
    pub(super) fn update(&mut self, who: usize, handle: u16, parameters: Parameters) -> bool {
        let Some(peer) = self
            .controller(who)
            .and_then(|it| it.links.get(&handle))
            .map(|end| end.peer)
        else {
            return false;
        };
        for (who, handle) in [(who, handle), peer] {
            let end = self
                .controller(who)
                .and_then(|it| it.links.get_mut(&handle));
            if let Some(end) = end {
                end.parameters = parameters;
                self.tell(who, &hci::updated(handle, parameters));
            }
        }
        true
    }

    fn random(&mut self) -> u64 {
        // Xorshift (Marsaglia 2003).
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }
}

/// Both ends listen at fixed times.
pub(super) fn next_meeting(last: Instant, interval: Duration, after: Instant) -> Instant {
    let passed = after.duration_since(last).as_micros();
    let turns = passed / interval.as_micros().max(1) + 1;
    last + interval * u32::try_from(turns).unwrap_or(u32::MAX)
}
