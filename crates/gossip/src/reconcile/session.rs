//! One reconciliation, as each of its two ends sees it. Both ends work on snapshots.

use alloc::collections::BTreeSet;
use alloc::vec::{IntoIter, Vec};
use core::iter::Peekable;

use chappe_wire::proto::{self, Cells, List, More, frame::Body};
use chappe_wire::{Digest, LinkSalt, ShortId};

use super::sizing;
use super::{Decoder, Encoder, MAX_SYMBOLS, Sketch, Symbol};

/// The most symbols in one frame.
pub(crate) const MAX_SYMBOLS_PER_FRAME: u32 = 512;
/// The most short ids in one frame.
pub(crate) const MAX_IDS_PER_FRAME: usize = 1_000;
/// The most items of a neighbour that a link keeps in mind as lacking here. More are found the next time.
pub(crate) const MAX_LACKING: usize = 65_536;

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

/// What the opener knows of the other end before it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// How many items the two ends may differ by; 0 if there is no telling.
    pub(crate) difference: u64,
    /// How many items the other end may have.
    pub(crate) count: u64,
}

/// The end that sent the first digest.
pub(crate) struct Opening {
    salt: LinkSalt,
    mine: Digest,
    /// `None` towards a neighbour who has not said that it takes more than a bare digest.
    expected: Option<Expected>,
    answer: Answer,
}

enum Answer {
    /// Nothing came yet. The snapshot.
    None(Vec<ShortId>),
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
    pub(crate) const fn new(
        salt: LinkSalt,
        mine: Digest,
        snapshot: Vec<ShortId>,
        expected: Option<Expected>,
    ) -> Self {
        Self {
            salt,
            mine,
            expected,
            answer: Answer::None(snapshot),
        }
    }

    /// The frame that opens.
    pub(crate) fn digest(&self) -> Body {
        let mut digest = encode_digest(&self.mine);
        let Some(expected) = self.expected else {
            return Body::Digest(digest);
        };
        digest.expected = Some(u32::try_from(expected.difference).unwrap_or(u32::MAX));
        if let Answer::None(snapshot) = &self.answer
            && let Some(capacity) = sizing::sketch(expected, self.mine.count)
        {
            digest.sketch = Sketch::of(snapshot.iter().copied(), capacity).to_bytes();
        }
        Body::Digest(digest)
    }

    /// The neighbour's digest: it has the same, or one of the two has nothing.
    pub(crate) fn on_digest(&mut self, theirs: &Digest) -> Progress {
        let Answer::None(snapshot) = &mut self.answer else {
            return Progress::Nonsense;
        };
        let mut difference = Difference::default();
        if theirs.count == 0 {
            difference.mine = core::mem::take(snapshot);
        } else if *theirs != self.mine && self.mine.count != 0 {
            return Progress::Nonsense;
        }
        Progress::Settled(difference)
    }

    /// A frame of coded symbols.
    pub(crate) fn on_cells(&mut self, cells: &Cells) -> Progress {
        let Some(symbols) = Symbol::parse_all(&cells.symbols) else {
            return Progress::Nonsense;
        };
        let count = u32::try_from(symbols.len()).unwrap_or(u32::MAX);
        let end = cells.start.saturating_add(count);
        let (received, until) = match &self.answer {
            Answer::None(_) if cells.until == 0 => (0, end),
            Answer::None(_) => (0, cells.until),
            Answer::Cells { decoder, until } => (decoder.received(), *until),
            Answer::Lists(_) => return Progress::Nonsense,
        };
        let fits = (1..=MAX_SYMBOLS_PER_FRAME).contains(&count)
            && cells.start == received
            && end <= until
            && until <= MAX_SYMBOLS;
        if !fits {
            return Progress::Nonsense;
        }
        if let Answer::None(snapshot) = &mut self.answer {
            let snapshot = core::mem::take(snapshot);
            let decoder = Decoder::new(&self.salt, snapshot);
            self.answer = Answer::Cells { decoder, until };
        }
        let Answer::Cells { decoder, until } = &mut self.answer else {
            return Progress::Nonsense;
        };
        decoder.push(&symbols.collect::<Vec<_>>());
        if decoder.is_complete() {
            let found = decoder.difference().collect();
            return Progress::Settled(split(found, decoder.local_ids()));
        }
        if end < *until {
            return Progress::Waiting;
        }
        let count = match self.expected {
            Some(_) => sizing::next_flight(end),
            None => 0,
        };
        *until = end.saturating_add(if count == 0 { end } else { count });
        Progress::Ask(More { start: end, count })
    }

    /// A frame of short ids.
    pub(crate) fn on_list(&mut self, list: &List) -> Progress {
        let ascending = list.ids.is_sorted_by(|a, b| a < b);
        let follows = match &self.answer {
            Answer::Lists(listed) => match (listed.last, list.ids.first()) {
                (Some(last), Some(first)) => last.get() < *first,
                _ => true,
            },
            Answer::None(_) | Answer::Cells { .. } => true,
        };
        if !ascending || !follows {
            return Progress::Nonsense;
        }
        let snapshot = match &mut self.answer {
            Answer::None(snapshot) => Some(core::mem::take(snapshot)),
            Answer::Cells { decoder, .. } => Some(decoder.local_ids().collect()),
            Answer::Lists(_) => None,
        };
        if let Some(snapshot) = snapshot {
            self.answer = Answer::Lists(Listed {
                unlisted: snapshot.into_iter().peekable(),
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

/// Whose the items are that only one end has. `found` ascends.
fn split(found: Vec<ShortId>, snapshot: impl Iterator<Item = ShortId>) -> Difference {
    // Only what was found matters: the snapshot may be large.
    let is_found = |id: &ShortId| found.binary_search(id).is_ok();
    let held: BTreeSet<ShortId> = snapshot.filter(is_found).collect();
    let (mine, theirs) = found.into_iter().partition(|id| held.contains(id));
    Difference { mine, theirs }
}

/// What becomes of an opener's digest.
pub(crate) enum Answered {
    /// The difference is known.
    Settled(Difference),
    /// There is something to be said before it is.
    Answering(Answering),
}

/// Answers the opener's digest from a snapshot in ascending order. `chance` is not known to the opener.
pub(crate) fn answer(
    salt: &LinkSalt,
    mine: Digest,
    snapshot: Vec<ShortId>,
    theirs: &Digest,
    frame: &proto::Digest,
    chance: u64,
) -> Answered {
    if mine == *theirs && frame.expected.is_some() {
        return Answered::Settled(Difference::default());
    }
    if mine == *theirs || theirs.count == 0 {
        return Answered::Answering(Answering::Digest(mine));
    }
    let sketch = Sketch::parse(&frame.sketch)
        .filter(|sketch| sizing::is_affordable(sketch.capacity(), mine.count));
    let capacity = sketch.as_ref().map_or(0, Sketch::capacity);
    if let Some(difference) = sketch
        .and_then(|theirs| theirs.combined(&Sketch::of(snapshot.iter().copied(), capacity)))
        .and_then(|both| both.items(chance))
        .map(|found| split(found, snapshot.iter().copied()))
        .filter(|difference| explains(difference, &mine, theirs))
    {
        return Answered::Settled(difference);
    }
    if mine.count == 0 {
        return Answered::Answering(Answering::Digest(mine));
    }
    let flight = sizing::first_flight(frame.expected, capacity, mine.count, theirs.count);
    Answered::Answering(if sizing::is_list_shorter(flight, mine.count) {
        Answering::Lists(snapshot)
    } else {
        Answering::Cells {
            encoder: Encoder::new(salt, snapshot),
            until: flight,
        }
    })
}

/// Whether this difference makes one digest of the other: else it was read from a sketch that was too small. A
/// fingerprint's lower half is the sum of the short ids.
fn explains(difference: &Difference, mine: &Digest, theirs: &Digest) -> bool {
    let sum = |ids: &[ShortId]| {
        let add = |sum: u64, id: &ShortId| sum.wrapping_add(id.get());
        ids.iter().fold(0, add)
    };
    let counts = mine.count.checked_add(difference.theirs.len() as u64)
        == theirs.count.checked_add(difference.mine.len() as u64);
    let sums = (mine.fingerprint as u64).wrapping_add(sum(&difference.theirs))
        == (theirs.fingerprint as u64).wrapping_add(sum(&difference.mine));
    counts && sums
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
    /// The opener asks for more; false if it has no reason to.
    pub(crate) fn on_more(&mut self, more: &More) -> bool {
        let Self::Cells { encoder, until } = self else {
            return false;
        };
        if more.start != *until || encoder.next_index() != *until {
            return false;
        }
        let again = if more.count == 0 {
            *until
        } else {
            more.count.min(*until)
        };
        let longer = until.saturating_add(again);
        if longer > MAX_SYMBOLS || sizing::is_list_shorter(longer, encoder.ids().len() as u64) {
            *self = Self::Lists(encoder.ids().collect());
        } else {
            *until = longer;
        }
        true
    }

    /// The next frame of the answer.
    pub(crate) fn poll(&mut self) -> Option<Body> {
        match self {
            Self::Digest(mine) => {
                let frame = encode_digest(mine);
                *self = Self::Done;
                Some(Body::Digest(frame))
            }
            Self::Cells { encoder, until } => {
                let start = encoder.next_index();
                let count = until.saturating_sub(start).min(MAX_SYMBOLS_PER_FRAME);
                let until = *until;
                (count > 0).then(|| {
                    let symbols = encoder.produce(count);
                    let symbols = symbols.into_iter().flat_map(Symbol::to_bytes).collect();
                    Body::Cells(Cells {
                        start,
                        symbols,
                        until,
                    })
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

fn encode_digest(digest: &Digest) -> proto::Digest {
    proto::Digest {
        count: digest.count,
        fingerprint: digest.fingerprint.to_le_bytes().to_vec(),
        expected: None,
        sketch: Vec::new(),
    }
}

/// Reads a digest off the wire.
pub(crate) fn decode_digest(digest: &proto::Digest) -> Option<Digest> {
    Some(Digest {
        count: digest.count,
        fingerprint: u128::from_le_bytes(digest.fingerprint.as_slice().try_into().ok()?),
    })
}
