//! What one controller knows: what the kernel told it to do.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use super::hci::{Address, Parameters};
use super::vhci::Vhci;

/// One controller.
pub(super) struct Controller {
    pub(super) vhci: Vhci,
    /// Of the factory: what the kernel calls its identity.
    pub(super) public: [u8; 6],
    /// For scanning and connecting.
    pub(super) random: [u8; 6],
    pub(super) sets: BTreeMap<u8, AdvertisingSet>,
    /// How many sets there may be.
    pub(super) room: u8,
    pub(super) scan: Scan,
    pub(super) accept: BTreeSet<Address>,
    pub(super) initiating: Option<Initiating>,
    pub(super) links: BTreeMap<u16, End>,
    pub(super) next_handle: u16,
    /// The radio is in use until then.
    pub(super) busy: Instant,
}

impl Controller {
    pub(super) fn new(vhci: Vhci, room: u8) -> Self {
        let [low, high] = vhci.number.to_le_bytes();
        Self {
            public: [low, high, 0, 0x01, 0xaa, 0x00],
            // Different from its neighbours', as handles are on air.
            next_handle: 0x0010 + 0x0100 * (vhci.number % 8),
            random: [0; 6],
            sets: BTreeMap::new(),
            room,
            scan: Scan::default(),
            accept: BTreeSet::new(),
            initiating: None,
            links: BTreeMap::new(),
            busy: Instant::now(),
            vhci,
        }
    }

    /// The address that it shows.
    pub(super) const fn address(&self, random: bool) -> Address {
        let bytes = if random { self.random } else { self.public };
        Address { random, bytes }
    }

    pub(super) fn fresh_handle(&mut self) -> u16 {
        loop {
            self.next_handle = self.next_handle % 0x0eff + 1;
            if !self.links.contains_key(&self.next_handle) {
                return self.next_handle;
            }
        }
    }

    /// Whether it listens now.
    pub(super) fn hears(&self, now: Instant) -> bool {
        self.scan.on && self.scan.turn.open(now)
    }
}

/// What is advertised.
pub(super) struct AdvertisingSet {
    pub(super) on: bool,
    pub(super) connectable: bool,
    pub(super) scannable: bool,
    pub(super) interval: Duration,
    pub(super) next: Instant,
    pub(super) own_random: bool,
    /// Of this set alone.
    pub(super) random: [u8; 6],
    pub(super) data: Vec<u8>,
    pub(super) answer: Vec<u8>,
}

impl AdvertisingSet {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            on: false,
            connectable: false,
            scannable: false,
            interval: Duration::from_millis(1_280),
            next: now,
            own_random: false,
            random: [0; 6],
            data: Vec::new(),
            answer: Vec::new(),
        }
    }
}

/// How it scans.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) on: bool,
    pub(super) active: bool,
    pub(super) accept_only: bool,
    pub(super) once: bool,
    /// What was reported already.
    pub(super) seen: HashSet<(Address, Vec<u8>)>,
    pub(super) turn: Turn,
}

/// When the receiver is open: a window in every interval.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) began: Instant,
    pub(super) interval: Duration,
    pub(super) window: Duration,
}

impl Default for Turn {
    fn default() -> Self {
        Self::new(0x10, 0x10)
    }
}

impl Turn {
    /// In units of 625 µs.
    pub(super) fn new(interval: u16, window: u16) -> Self {
        let unit = Duration::from_micros(625);
        Self {
            began: Instant::now(),
            interval: unit * u32::from(interval.max(4)),
            window: unit * u32::from(window.max(4)),
        }
    }

    pub(super) fn open(&self, now: Instant) -> bool {
        let passed = now.duration_since(self.began).as_micros();
        passed % self.interval.as_micros().max(1) < self.window.as_micros()
    }
}

/// Somebody is to be connected to.
pub(super) struct Initiating {
    /// `None`: anybody of the accept list.
    pub(super) peer: Option<Address>,
    pub(super) own_random: bool,
    pub(super) turn: Turn,
    pub(super) parameters: Parameters,
}

/// One end of a connection.
pub(super) struct End {
    /// Which controller, and its handle.
    pub(super) peer: (usize, u16),
    pub(super) parameters: Parameters,
    /// From the host, not yet on the air: flags of the fragment, and payload.
    pub(super) waiting: std::collections::VecDeque<(u16, Vec<u8>)>,
    /// The next time that both ends listen.
    pub(super) meets: Instant,
    /// Since when the other end was not heard.
    pub(super) silent: Option<Instant>,
}

impl End {
    pub(super) fn interval(&self) -> Duration {
        Duration::from_micros(1_250) * u32::from(self.parameters.interval.max(6))
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(10) * u32::from(self.parameters.timeout.max(10))
    }
}
