//! One reconciliation, as each of its two ends sees it. Both ends work on snapshots.

use alloc::collections::BTreeSet;
use alloc::vec::{IntoIter, Vec};
use core::iter::Peekable;

use chappe_wire::proto::{Cells, List, More, frame::Body};
use chappe_wire::{Digest, LinkSalt, ShortId};

use super::{Decoder, Encoder, MAX_SYMBOLS, Symbol};

/// Symbols in the first flight: enough for 10 differences in all but about one case in a thousand.
pub(crate) const FIRST_FLIGHT: u32 = 48;
/// The most symbols in one frame.
pub(crate) const MAX_SYMBOLS_PER_FRAME: u32 = 512;
/// The most short ids in one frame.
pub(crate) const MAX_IDS_PER_FRAME: usize = 1_000;
/// The most items of a neighbour that a link keeps in mind as lacking here. More are found the next time.
pub(crate) const MAX_LACKING: usize = 65_536;

/// Bytes of a short id in a list.
const ID_LEN: u64 = 8;

/// What is known when a reconciliation has settled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Items that the neighbour lacks.
    pub(crate) mine: Vec<ShortId>,
    /// Items that are lacking here; at most [`MAX_LACKING`].
    pub(crate) theirs: Vec<ShortId>,
}

/// How far the opener has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More of the answer is to come.
    Waiting,
    /// The answer did not suffice: send this.
    Ask(More),
    /// Both sets are known.
    Settled(Difference),
    /// The answer is none that an honest neighbour gives. Nothing was changed.
    Nonsense,
}

/// The end that sent the first digest.
pub(crate) struct Opening {
    mine: Digest,
    answer: Answer,
}

enum Answer {
    /// `until`: symbols that come before the next [`More`].
    Cells {
        decoder: Decoder,
        until: u32,
    },
    Lists(Listed),
}

/// A list that is being read: ascending, so that one pass over both sets suffices.
struct Listed {
    unlisted: Peekable<IntoIter<ShortId>>,
    last: Option<ShortId>,
    difference: Difference,
}

impl Opening {
    /// Opens with a snapshot in ascending order.
    pub(crate) fn new(salt: &LinkSalt, mine: Digest, snapshot: Vec<ShortId>) -> Self {
        let decoder = Decoder::new(salt, snapshot);
        let until = MAX_SYMBOLS_PER_FRAME;
        Self {
            mine,
            answer: Answer::Cells { decoder, until },
        }
    }

    /// The frame that opens.
    pub(crate) fn digest(&self) -> Body {
        encode_digest(&self.mine)
    }

    /// The neighbour's digest: it has the same, or one of the two has nothing.
    pub(crate) fn on_digest(&mut self, theirs: &Digest) -> Progress {
        let Answer::Cells { decoder, .. } = &self.answer else {
            return Progress::Nonsense;
        };
        let mut difference = Difference::default();
        if theirs.count == 0 {
            difference.mine = decoder.local_ids().collect();
        } else if *theirs != self.mine && self.mine.count != 0 {
            return Progress::Nonsense;
        }
        Progress::Settled(difference)
    }

    /// A frame of coded symbols.
    pub(crate) fn on_cells(&mut self, cells: &Cells) -> Progress {
        let Answer::Cells { decoder, until } = &mut self.answer else {
            return Progress::Nonsense;
        };
        let Some(symbols) = Symbol::parse_all(&cells.symbols) else {
            return Progress::Nonsense;
        };
        let count = u32::try_from(symbols.len()).unwrap_or(u32::MAX);
        let fits = (1..=MAX_SYMBOLS_PER_FRAME).contains(&count)
            && cells.start == decoder.received()
            && cells.start.saturating_add(count) <= MAX_SYMBOLS.min(*until);
        if !fits {
            return Progress::Nonsense;
        }
        let first = cells.start == 0;
        decoder.push(&symbols.collect::<Vec<_>>());
        let received = decoder.received();
        if decoder.is_complete() {
            return Progress::Settled(split(decoder));
        }
        if !first && received < *until {
            return Progress::Waiting;
        }
        *until = received.saturating_mul(2);
        Progress::Ask(More { start: received })
    }

    /// A frame of short ids.
    pub(crate) fn on_list(&mut self, list: &List) -> Progress {
        let ascending = list.ids.is_sorted_by(|a, b| a < b);
        let follows = match &self.answer {
            Answer::Lists(listed) => match (listed.last, list.ids.first()) {
                (Some(last), Some(first)) => last.get() < *first,
                _ => true,
            },
            Answer::Cells { .. } => true,
        };
        if !ascending || !follows {
            return Progress::Nonsense;
        }
        if let Answer::Cells { decoder, .. } = &self.answer {
            self.answer = Answer::Lists(Listed {
                unlisted: decoder
                    .local_ids()
                    .collect::<Vec<_>>()
                    .into_iter()
                    .peekable(),
                last: None,
                difference: Difference::default(),
            });
        }
        let Answer::Lists(listed) = &mut self.answer else {
            return Progress::Nonsense;
        };
        listed.read(list.ids.iter().copied().map(ShortId::new));
        if !list.last {
            return Progress::Waiting;
        }
        listed.difference.mine.extend(listed.unlisted.by_ref());
        Progress::Settled(core::mem::take(&mut listed.difference))
    }
}

impl Listed {
    fn read(&mut self, ids: impl Iterator<Item = ShortId>) {
        for id in ids {
            while let Some(mine) = self.unlisted.next_if(|mine| *mine < id) {
                self.difference.mine.push(mine);
            }
            let common = self.unlisted.next_if_eq(&id).is_some();
            if !common && self.difference.theirs.len() < MAX_LACKING {
                self.difference.theirs.push(id);
            }
            self.last = Some(id);
        }
    }
}

fn split(decoder: &Decoder) -> Difference {
    let found: Vec<ShortId> = decoder.difference().collect();
    let held: BTreeSet<ShortId> = {
        // Only what was found matters: the snapshot may be large.
        let is_found = |id: &ShortId| found.binary_search(id).is_ok();
        decoder.local_ids().filter(is_found).collect()
    };
    let (mine, theirs) = found.into_iter().partition(|id| held.contains(id));
    Difference { mine, theirs }
}

/// The end that answers a digest.
pub(crate) enum Answering {
    /// Sends its own digest: the same store, or one of the two is empty.
    Digest(Digest),
    /// Sends symbols up to `until`.
    Cells { encoder: Encoder, until: u32 },
    /// Sends the rest of its list.
    Lists(Vec<ShortId>),
    /// Has said all.
    Done,
}

impl Answering {
    /// Answers `theirs` from a snapshot in ascending order.
    pub(crate) fn new(
        salt: &LinkSalt,
        mine: Digest,
        snapshot: Vec<ShortId>,
        theirs: &Digest,
    ) -> Self {
        if mine == *theirs || mine.count == 0 || theirs.count == 0 {
            return Self::Digest(mine);
        }
        let at_least = mine.count.abs_diff(theirs.count);
        let flight = at_least
            .saturating_mul(2)
            .clamp(FIRST_FLIGHT.into(), MAX_SYMBOLS_PER_FRAME.into());
        let cost = flight.max(at_least.saturating_mul(3) / 2) * Symbol::LEN as u64;
        if cost >= mine.count.saturating_mul(ID_LEN) {
            return Self::Lists(snapshot);
        }
        Self::Cells {
            encoder: Encoder::new(salt, snapshot),
            until: flight as u32,
        }
    }

    /// The opener asks for more; false if it has no reason to.
    pub(crate) fn on_more(&mut self, more: &More) -> bool {
        let Self::Cells { encoder, until } = self else {
            return false;
        };
        if more.start != *until || encoder.next_index() != *until {
            return false;
        }
        let doubled = until.saturating_mul(2);
        let cost = u64::from(doubled) * Symbol::LEN as u64;
        if doubled > MAX_SYMBOLS || cost > encoder.ids().len() as u64 * ID_LEN {
            *self = Self::Lists(encoder.ids().collect());
        } else {
            *until = doubled;
        }
        true
    }

    /// The next frame of the answer.
    pub(crate) fn poll(&mut self) -> Option<Body> {
        match self {
            Self::Digest(mine) => {
                let frame = encode_digest(mine);
                *self = Self::Done;
                Some(frame)
            }
            Self::Cells { encoder, until } => {
                let start = encoder.next_index();
                let count = until.saturating_sub(start).min(MAX_SYMBOLS_PER_FRAME);
                (count > 0).then(|| {
                    let symbols = encoder.produce(count);
                    let symbols = symbols.into_iter().flat_map(Symbol::to_bytes).collect();
                    Body::Cells(Cells { start, symbols })
                })
            }
            Self::Lists(rest) => {
                let later = rest.split_off(rest.len().min(MAX_IDS_PER_FRAME));
                let ids = core::mem::replace(rest, later);
                let last = rest.is_empty();
                if last {
                    *self = Self::Done;
                }
                let ids = ids.into_iter().map(ShortId::get).collect();
                Some(Body::List(List { ids, last }))
            }
            Self::Done => None,
        }
    }
}

fn encode_digest(digest: &Digest) -> Body {
    Body::Digest(chappe_wire::proto::Digest {
        count: digest.count,
        fingerprint: digest.fingerprint.to_le_bytes().to_vec(),
    })
}

/// Reads a digest off the wire.
pub(crate) fn decode_digest(digest: &chappe_wire::proto::Digest) -> Option<Digest> {
    Some(Digest {
        count: digest.count,
        fingerprint: u128::from_le_bytes(digest.fingerprint.as_slice().try_into().ok()?),
    })
}
