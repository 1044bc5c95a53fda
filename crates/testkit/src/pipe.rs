//! A link between two nodes of a world: packets on their way, and what happens to them.

use std::collections::BTreeMap;

use chappe_wire::{Duration, Instant, LinkId};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::world::NodeIndex;

/// What happens to packets.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// How long a packet takes.
    pub latency: Duration,
    /// Packets lost, of 1,000.
    pub loss: u32,
    /// Packets that arrive twice, of 1,000.
    pub duplicates: u32,
    /// Packets that are overtaken by later ones, of 1,000.
    pub reordered: u32,
    /// Packets with a bit flipped, of 1,000.
    pub corrupted: u32,
    /// The longest packet.
    pub mtu: usize,
    /// Whether the link says that it loses nothing.
    pub reliable: bool,
}

impl Default for Weather {
    /// 5 ms, nothing lost, packets of 4,096 bytes.
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(5),
            loss: 0,
            duplicates: 0,
            reordered: 0,
            corrupted: 0,
            mtu: 4_096,
            reliable: false,
        }
    }
}

impl Weather {
    /// A tenth of all packets lost, some twice, some late, some damaged.
    pub fn stormy() -> Self {
        Self {
            loss: 100,
            duplicates: 50,
            reordered: 100,
            corrupted: 20,
            ..Self::default()
        }
    }
}

/// Packets on their way between two nodes.
pub(crate) struct Pipe {
    pub(crate) link: LinkId,
    pub(crate) ends: [NodeIndex; 2],
    pub(crate) weather: Weather,
    under_way: BTreeMap<(Instant, u64), (NodeIndex, Vec<u8>)>,
    sequence: u64,
    /// How many bytes were ever put in, both ways.
    pub(crate) sent: u64,
    /// All bytes that ever passed, if they are recorded.
    pub(crate) recorded: Option<Vec<u8>>,
}

impl Pipe {
    pub(crate) fn new(link: LinkId, ends: [NodeIndex; 2], weather: Weather) -> Self {
        Self {
            link,
            ends,
            weather,
            under_way: BTreeMap::new(),
            sequence: 0,
            sent: 0,
            recorded: None,
        }
    }

    pub(crate) fn other(&self, end: NodeIndex) -> NodeIndex {
        if self.ends[0] == end {
            self.ends[1]
        } else {
            self.ends[0]
        }
    }

    pub(crate) fn next(&self) -> Instant {
        self.under_way
            .first_key_value()
            .map_or(Instant::NEVER, |((at, _), _)| *at)
    }

    pub(crate) fn put(
        &mut self,
        now: Instant,
        from: NodeIndex,
        mut packet: Vec<u8>,
        rng: &mut ChaCha20Rng,
    ) {
        self.sent += packet.len() as u64;
        if let Some(recorded) = &mut self.recorded {
            recorded.extend_from_slice(&packet);
        }
        let mut happens = |of_thousand: u32| rng.next_u32() % 1_000 < of_thousand;
        if happens(self.weather.loss) {
            return;
        }
        let twice = happens(self.weather.duplicates);
        let late = happens(self.weather.reordered);
        if happens(self.weather.corrupted) && !packet.is_empty() {
            let at = rng.next_u32() as usize % packet.len();
            packet[at] ^= 1 << (rng.next_u32() % 8);
        }
        let latency = self
            .weather
            .latency
            .saturating_mul(if late { 4 } else { 1 });
        let to = self.other(from);
        if twice {
            self.push(now.after(latency.saturating_mul(2)), to, packet.clone());
        }
        self.push(now.after(latency), to, packet);
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(NodeIndex, Vec<u8>)> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    fn push(&mut self, at: Instant, to: NodeIndex, packet: Vec<u8>) {
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), (to, packet));
    }
}
