//! Who writes to whom, when, and how much.

use chappe_wire::ByteCount;
use serde::Deserialize;

use crate::draws::{Draws, Purpose};
use crate::event::{MessageEvent, MessageIndex, MessageName, NodeIndex, SimTime};
use crate::scenario::quantity::{Seconds, Size, SizeSpan};

/// One kind of traffic of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Traffic {
    /// When.
    pub when: When,
    /// Groups that write; all if empty.
    #[serde(default)]
    pub from: Vec<String>,
    /// Groups that are written to; all if empty.
    #[serde(default)]
    pub to: Vec<String>,
    /// To how many at once: 1, or the members of a room.
    #[serde(default = "one")]
    pub recipients: u32,
    /// How large.
    pub size: SizeSpan,
    /// Larger content goes in pieces of this size, each a message of its own: a blob.
    #[serde(default)]
    pub pieces: Option<Size>,
    /// From when on.
    #[serde(default = "beginning")]
    pub starts: Seconds,
    /// Until when; the end of the run if missing.
    #[serde(default)]
    pub ends: Option<Seconds>,
}

const fn one() -> u32 {
    1
}

const fn beginning() -> Seconds {
    Seconds(0.0)
}

/// When something is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum When {
    /// Now and then several at once.
    Bursts {
        /// Between the beginnings of two bursts, on average (exponential).
        every: Seconds,
        /// How many in one.
        messages: u32,
        /// Within which time.
        within: Seconds,
    },
    /// At even distances.
    Periodic {
        /// Between two.
        every: Seconds,
    },
    /// Independently (exponential distances).
    Poisson {
        /// Between two, on average.
        every: Seconds,
    },
}

/// The nodes that a kind of traffic is between, each list in ascending order.
pub struct Parties {
    /// Who writes.
    pub from: Vec<NodeIndex>,
    /// Who is written to.
    pub to: Vec<NodeIndex>,
}

/// No scenario has more messages: one that would have is refused before.
pub(crate) const MAX_MESSAGES: usize = 50_000_000;

/// The messages of all kinds of traffic, in order of time.
pub fn messages(traffic: &[(Traffic, Parties)], seed: u64, end: SimTime) -> Vec<MessageEvent> {
    let mut written: Vec<MessageEvent> = Vec::new();
    for (part, (kind, parties)) in (0..).zip(traffic) {
        let mut draws = Draws::shared(seed, Purpose::Traffic, part);
        let until = kind
            .ends
            .map_or(end, |ends| ends.as_time().min(end))
            .as_secs_f64();
        let mut now = kind.starts.0;
        while written.len() < 2 * MAX_MESSAGES {
            let (gap, at_once, within) = kind.when.next(&mut draws);
            now += gap;
            if now >= until {
                break;
            }
            for _ in 0..at_once {
                let at = now + draws.between(0.0, within);
                if at < until {
                    kind.write(at, parties, &mut draws, &mut written);
                }
            }
        }
    }
    written.sort_by_key(|message| message.at);
    for (index, message) in (0..).zip(&mut written) {
        message.index = MessageIndex::new(index);
        message.name = MessageName::new(&format!("M{}", index + 1));
    }
    written
}

impl When {
    /// Seconds to the next writing, how many messages it is, and within how many seconds.
    fn next(&self, draws: &mut Draws) -> (f64, u32, f64) {
        match self {
            Self::Bursts {
                every,
                messages,
                within,
            } => (draws.exponential(every.0), *messages, within.0),
            Self::Periodic { every } => (every.0, 1, 0.0),
            Self::Poisson { every } => (draws.exponential(every.0), 1, 0.0),
        }
    }
}

impl Traffic {
    /// Somebody writes to one or several others, in one piece or in many.
    fn write(&self, at: f64, parties: &Parties, draws: &mut Draws, out: &mut Vec<MessageEvent>) {
        let any =
            |nodes: &[NodeIndex], draws: &mut Draws| nodes.get(draws.below(nodes.len())).copied();
        let Some(from) = any(&parties.from, draws) else {
            return;
        };
        let size = self.size.any(draws);
        let mut members: Vec<NodeIndex> = Vec::new();
        let writes_to_its_own = parties.to.binary_search(&from).is_ok();
        let others = parties.to.len() - usize::from(writes_to_its_own);
        while members.len() < others.min(self.recipients as usize) {
            match any(&parties.to, draws) {
                Some(to) if to != from && !members.contains(&to) => members.push(to),
                _ => {}
            }
        }
        let piece = self.pieces.map_or(size, |piece| piece.0).max(1);
        for to in members {
            let mut left = size;
            while left > 0 {
                let part = left.min(piece);
                left -= part;
                out.push(MessageEvent {
                    at: SimTime::from_micros((at * 1e6) as u64),
                    index: MessageIndex::new(0),
                    name: MessageName::new(""),
                    from,
                    to,
                    size: ByteCount::new(part),
                });
            }
        }
    }
}
