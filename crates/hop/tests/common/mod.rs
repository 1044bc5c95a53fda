//! Two hops and a link between them in virtual time.
#![allow(dead_code)] // Each test file uses a part of this.

pub(crate) mod neighbour;

use std::{cmp::Reverse, collections::BinaryHeap};

use chappe_hop::{Hop, HopConfig, HopError, HopEvent, Mtu, Role, StaticKey, hazmat};
use chappe_wire::{Duration, Hello, Instant, NodeNonce};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn key(seed: u64) -> StaticKey {
    StaticKey::generate(&mut rng(seed))
}

pub(crate) fn hello(number: u8) -> Hello {
    Hello::new(NodeNonce::new([number; 16]))
}

/// An end with a key and a hello that follow from its role.
pub(crate) fn end(now: Instant, role: Role, mtu: usize, seed: u64) -> Hop {
    end_starting_at(now, role, mtu, seed, 0)
}

pub(crate) fn end_starting_at(now: Instant, role: Role, mtu: usize, seed: u64, first: u64) -> Hop {
    end_on(now, role, (mtu, false), seed, first)
}

/// The same on a link of this MTU that says that it is reliable, or not.
fn end_on(now: Instant, role: Role, link: (usize, bool), seed: u64, first: u64) -> Hop {
    let number = number(role);
    let (mtu, reliable) = link;
    let config = HopConfig {
        mtu: Mtu::new(mtu).unwrap(),
        reliable,
        role,
        static_key: &key(u64::from(number)),
        hello: hello(number),
    };
    let mut rng = rng(seed * 2 + u64::from(number));
    hazmat::hop_starting_at(now, &config, &mut rng, first).unwrap()
}

pub(crate) fn number(role: Role) -> u8 {
    match role {
        Role::Initiator => 0,
        Role::Responder => 1,
    }
}

/// What a link does to packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Chances in 1,000.
    pub(crate) loss: u32,
    pub(crate) duplication: u32,
    pub(crate) corruption: u32,
    /// Packets take between these times.
    pub(crate) delay: (Duration, Duration),
    /// Packets that a link holds in one direction before it has no room.
    pub(crate) queue: usize,
}

impl Weather {
    pub(crate) const CALM: Self = Self {
        loss: 0,
        duplication: 0,
        corruption: 0,
        delay: (Duration::from_millis(5), Duration::from_millis(5)),
        queue: 64,
    };
}

/// Gets each packet and its sender; false loses it.
type Filter = Box<dyn FnMut(usize, &[u8]) -> bool>;
/// When a packet arrives, its place among all packets, its sender, and the packet.
type UnderWay = (Instant, u64, usize, Vec<u8>);

/// Two ends, `0` the initiator and `1` the responder, and what is under way between them.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) ends: [Hop; 2],
    pub(crate) events: [Vec<HopEvent>; 2],
    /// Frames that an end sends as soon as there is room, last first.
    pub(crate) backlog: [Vec<Vec<u8>>; 2],
    /// Takes no frames out of the hop while set, as a node does that is busy.
    pub(crate) deaf: [bool; 2],
    pub(crate) errors: [Option<HopError>; 2],
    pub(crate) weather: Weather,
    /// Every packet that was sent, by its sender.
    pub(crate) captured: [Vec<Vec<u8>>; 2],
    pub(crate) capture: bool,
    /// Sees each packet before the weather does.
    pub(crate) filter: Filter,
    air: BinaryHeap<Reverse<UnderWay>>,
    in_air: [usize; 2],
    sequence: u64,
    rng: ChaCha20Rng,
}

impl Pair {
    pub(crate) fn new(mtu: usize, seed: u64) -> Self {
        Self::of(
            [Role::Initiator, Role::Responder].map(|role| end(Instant::ZERO, role, mtu, seed)),
            seed,
        )
    }

    pub(crate) fn of(ends: [Hop; 2], seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            ends,
            events: Default::default(),
            backlog: Default::default(),
            deaf: [false; 2],
            errors: [None; 2],
            weather: Weather::CALM,
            captured: Default::default(),
            capture: false,
            filter: Box::new(|_, _| true),
            air: BinaryHeap::new(),
            in_air: [0; 2],
            sequence: 0,
            rng: rng(seed ^ 0x5eed),
        }
    }

    /// A pair on a link that says that it is reliable; the handshake is done and acknowledged.
    pub(crate) fn established_reliable(mtu: usize, seed: u64) -> Self {
        let end = |role| end_on(Instant::ZERO, role, (mtu, true), seed, 0);
        let mut pair = Self::of([Role::Initiator, Role::Responder].map(end), seed);
        pair.run_for(Duration::from_secs(1));
        assert!(pair.is_established(0) && pair.is_established(1));
        pair
    }

    /// A pair whose handshake is done and acknowledged.
    pub(crate) fn established(mtu: usize, seed: u64) -> Self {
        let mut pair = Self::new(mtu, seed);
        pair.run_for(Duration::from_secs(1));
        assert!(pair.is_established(0) && pair.is_established(1));
        pair
    }

    pub(crate) fn is_established(&self, end: usize) -> bool {
        matches!(self.events[end].first(), Some(HopEvent::Established { .. }))
    }

    pub(crate) fn frames(&self, end: usize) -> Vec<&[u8]> {
        self.events[end]
            .iter()
            .filter_map(|event| match event {
                HopEvent::Frame(frame) => Some(&frame[..]),
                _ => None,
            })
            .collect()
    }

    /// How many frames an end has taken; the first event is not one.
    pub(crate) fn frame_count(&self, end: usize) -> usize {
        self.events[end].len().saturating_sub(1)
    }

    /// Queues frames at an end, in this order.
    pub(crate) fn send(&mut self, end: usize, frames: impl IntoIterator<Item = Vec<u8>>) {
        let mut frames: Vec<_> = frames.into_iter().collect();
        frames.reverse();
        frames.append(&mut self.backlog[end]);
        self.backlog[end] = frames;
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now.after(time);
        self.run_until(end, |_| false);
    }

    /// Lets time pass until `done` or `end`; returns true if done.
    pub(crate) fn run_until(&mut self, end: Instant, mut done: impl FnMut(&Self) -> bool) -> bool {
        loop {
            self.drive();
            if done(self) {
                return true;
            }
            let arrival = self
                .air
                .peek()
                .map_or(Instant::NEVER, |Reverse((at, ..))| *at);
            let due = (0..2)
                .filter(|end| self.errors[*end].is_none())
                .map(|end| self.ends[end].poll_timeout())
                .min()
                .unwrap_or(Instant::NEVER);
            let next = arrival.min(due).max(self.now);
            if next > end {
                self.now = end.max(self.now);
                return done(self);
            }
            self.now = next;
            while let Some(Reverse((at, ..))) = self.air.peek()
                && *at <= self.now
            {
                let Some(Reverse((_, _, from, packet))) = self.air.pop() else {
                    break;
                };
                self.in_air[from] -= 1;
                self.deliver(1 - from, &packet);
            }
            for end in 0..2 {
                if self.errors[end].is_none() && self.ends[end].poll_timeout() <= self.now {
                    let result = self.ends[end].handle_timeout(self.now);
                    self.errors[end] = result.err();
                    assert!(
                        self.errors[end].is_some() || self.ends[end].poll_timeout() > self.now,
                        "a timeout that has been handled is not due again"
                    );
                }
            }
        }
    }

    /// Hands a packet to an end now.
    pub(crate) fn deliver(&mut self, to: usize, packet: &[u8]) {
        if self.errors[to].is_none() {
            self.errors[to] = self.ends[to].handle_packet(self.now, packet).err();
        }
    }

    /// Lets both ends take events, send what they have, and fill the link.
    pub(crate) fn drive(&mut self) {
        for end in 0..2 {
            if self.errors[end].is_some() {
                continue;
            }
            while !self.deaf[end]
                && let Some(event) = self.ends[end].poll_event()
            {
                self.events[end].push(event);
            }
            loop {
                while let Some(frame) = self.backlog[end].pop() {
                    if let Err(full) = self.ends[end].send_frame(frame) {
                        self.backlog[end].push(full.0);
                        break;
                    }
                }
                if self.in_air[end] >= self.weather.queue {
                    break;
                }
                let Some(packet) = self.ends[end].poll_transmit(self.now) else {
                    break;
                };
                self.transmit(end, packet);
            }
        }
    }

    fn transmit(&mut self, from: usize, mut packet: Vec<u8>) {
        if self.capture {
            self.captured[from].push(packet.clone());
        }
        if !(self.filter)(from, &packet) || self.chance(self.weather.loss) {
            return;
        }
        if self.chance(self.weather.corruption) {
            let at = self.rng.next_u32() as usize % packet.len();
            packet[at] ^= 1 << (self.rng.next_u32() % 8);
        }
        if self.chance(self.weather.duplication) {
            self.put(from, packet.clone());
        }
        self.put(from, packet);
    }

    fn put(&mut self, from: usize, packet: Vec<u8>) {
        let (least, most) = self.weather.delay;
        let spread = most.saturating_sub(least).as_micros() + 1;
        let delay = least.as_micros() + self.rng.next_u64() % spread;
        let at = self.now.after(Duration::from_micros(delay));
        self.sequence += 1;
        self.in_air[from] += 1;
        self.air.push(Reverse((at, self.sequence, from, packet)));
    }

    fn chance(&mut self, in_thousand: u32) -> bool {
        in_thousand > 0 && self.rng.next_u32() % 1000 < in_thousand
    }
}

/// `count` frames of different lengths that name their place.
pub(crate) fn numbered_frames(count: u32, max_len: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = rng(seed);
    (0..count)
        .map(|place| {
            let length = 4 + rng.next_u32() as usize % (max_len - 3);
            let mut frame = vec![0; length];
            rng.fill_bytes(&mut frame);
            frame[..4].copy_from_slice(&place.to_be_bytes());
            frame
        })
        .collect()
}
