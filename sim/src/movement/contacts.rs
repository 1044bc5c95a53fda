//! The contacts of nodes that move, exactly and in order of time.

use super::crossing::{Crossing, crossing, in_range};
use super::fleet::Fleet;
use super::grid::{Grid, Passage, STRAIGHT};
use super::space::{Leg, Point};
use crate::event::{ContactEvent, NodeIndex, SimTime};

/// The first window, in microseconds.
const FIRST_WINDOW: u64 = 5_000_000;
/// Windows adapt to how fast nodes are and how dense, within these bounds.
const SHORTEST_WINDOW: u64 = 50_000;
const LONGEST_WINDOW: u64 = 300_000_000;
/// A window is as long as makes this many pairs a node to look at. Measured: longer windows look at more pairs, shorter
/// ones sort all nodes more often.
const PAIRS_PER_NODE: std::ops::RangeInclusive<u64> = 4..=8;

/// The contacts of a fleet as a stream: what is ahead is computed when it is asked for.
///
/// Time goes on in windows. In each, nodes are sorted into a grid whose cells are as large as a radio reaches plus what two
/// nodes can walk. For each pair of neighbours the instants at which their distance equals the range follow from a
/// quadratic equation for each piece on which both walk straight. No state is kept for pairs: whether two nodes are in
/// contact at the border of two windows follows from where they are, by the same arithmetic on both sides.
///
/// Events of one instant come as `down` before `up`, then in order of the pair, the lower node first. A contact that is
/// shorter than the microsecond is left out. Contacts that are open at the end have no `down`.
///
/// ```
/// use chappe_sim::SimTime;
/// use chappe_sim::movement::{Area, Contacts, Fleet, Group, RandomWaypoint, Span};
///
/// let walkers = Group {
///     count: 50,
///     model: Box::new(RandomWaypoint {
///         area: Area::sized(500.0, 500.0),
///         speed: Span::new(0.5, 1.5),
///         pause: Span::new(0.0, 120.0),
///     }),
///     range: 30.0,
///     radio: 0,
/// };
/// let end = SimTime::from_secs(3600);
/// let contacts: Vec<_> = Contacts::new(Fleet::new(1, vec![walkers]), end).collect();
/// assert!(contacts.len() > 100);
/// assert!(contacts.is_sorted_by_key(|event| event.at));
/// ```
pub struct Contacts {
    fleet: Fleet,
    end: SimTime,
    now: SimTime,
    window: u64,
    grid: Grid,
    /// Nodes of one kind of radio in this window.
    passages: Vec<Passage>,
    /// The legs of nodes that turn in this window, and where those of each begin.
    turns: Vec<Leg>,
    spans: Vec<(u32, u32)>,
    found: Found,
    next: usize,
}

/// The events of a window.
#[derive(Default)]
struct Found {
    events: Vec<ContactEvent>,
}

impl Contacts {
    /// Of these nodes, from the beginning to the end (excluded).
    pub fn new(fleet: Fleet, end: SimTime) -> Self {
        Self {
            fleet,
            end,
            now: SimTime::ZERO,
            window: FIRST_WINDOW,
            grid: Grid::default(),
            passages: Vec::new(),
            turns: Vec::new(),
            spans: Vec::new(),
            found: Found::default(),
            next: 0,
        }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.fleet.nodes()
    }

    /// Finds all events of the next window.
    fn advance(&mut self) {
        let from = self.now;
        let length = self.window.min(self.end.as_micros() - from.as_micros());
        let to = SimTime::from_micros(from.as_micros() + length);
        self.found.events.clear();
        self.next = 0;
        self.turns.clear();
        self.spans.clear();
        let kinds: std::collections::BTreeSet<u8> =
            self.fleet.groups.iter().map(|group| group.radio).collect();
        let (mut pairs, mut first_node) = (0, 0);
        // All nodes walk on, kind by kind; nodes of one group are neighbours in the list.
        for kind in kinds {
            self.passages.clear();
            first_node = 0;
            for group in 0..self.fleet.groups.len() {
                let Some((count, radio, range)) = self
                    .fleet
                    .groups
                    .get(group)
                    .map(|group| (group.count, group.radio, group.range as f32))
                else {
                    continue;
                };
                if radio == kind {
                    for node in first_node..first_node + count {
                        self.pass(NodeIndex::new(node), range, from, to);
                    }
                }
                first_node += count;
            }
            pairs += self.find(from, to);
        }
        self.found.sort();
        self.now = to;
        self.adapt(pairs, u64::from(first_node));
    }

    /// Walks one node through the window.
    fn pass(&mut self, node: NodeIndex, range: f32, from: SimTime, to: SimTime) {
        let Some(leg) = self.fleet.leg(node) else {
            return;
        };
        let start = leg.at(from);
        if leg.end >= to {
            let end = leg.at(to);
            self.passages.push(Passage {
                from: start,
                to: end,
                reach: above(start.distance(end)),
                range,
                node: node.get(),
                turns: STRAIGHT,
            });
            return;
        }
        let first = self.turns.len() as u32;
        let (mut last, mut walked) = (leg, start.distance(leg.to));
        self.turns.push(leg);
        while last.end < to {
            let Some(leg) = self.fleet.step(node) else {
                break;
            };
            walked += leg.from.distance(leg.at(to));
            self.turns.push(leg);
            last = leg;
        }
        self.passages.push(Passage {
            from: start,
            to: last.at(to),
            reach: above(walked),
            range,
            node: node.get(),
            turns: self.spans.len() as u32,
        });
        self.spans.push((first, self.turns.len() as u32));
    }

    /// Finds the contacts among the passages. Returns how many pairs were looked at.
    fn find(&mut self, from: SimTime, to: SimTime) -> u64 {
        let widest = self
            .passages
            .iter()
            .map(|passage| passage.range)
            .fold(0.0, f32::max);
        let farthest = self
            .passages
            .iter()
            .map(|passage| passage.reach)
            .fold(0.0, f32::max);
        let cell = f64::from(widest) + 2.0 * f64::from(farthest);
        self.grid.fill(&self.passages, cell.max(1e-3));
        let (turns, spans, found) = (&self.turns, &self.spans, &mut self.found);
        let first = from == SimTime::ZERO;
        self.grid.for_each_pair(|a, b| {
            let range = f64::from(a.range.min(b.range));
            let start = a.from.minus(b.from);
            let reach = range + f64::from(a.reach) + f64::from(b.reach);
            if start.dot(start) > reach * reach {
                return;
            }
            let pair = Pair::new(a.node, b.node);
            if first && in_range(start, range) {
                found.push(pair, true, SimTime::ZERO);
            }
            if a.turns == STRAIGHT && b.turns == STRAIGHT {
                let end = a.to.minus(b.to);
                found.cross(pair, crossing(start, end, range), from, to);
            } else {
                let (a, b) = (Way::of(a, turns, spans), Way::of(b, turns, spans));
                piecewise(&a, &b, from, to, |start, end, from, to| {
                    found.cross(pair, crossing(start, end, range), from, to);
                });
            }
        })
    }

    /// Windows that look at few pairs become longer, others shorter.
    fn adapt(&mut self, pairs: u64, nodes: u64) {
        let target = PAIRS_PER_NODE;
        if pairs < target.start() * nodes {
            self.window = (self.window / 4 * 5).min(LONGEST_WINDOW);
        } else if pairs > target.end() * nodes {
            self.window = (self.window / 5 * 4).max(SHORTEST_WINDOW);
        }
    }
}

impl Iterator for Contacts {
    type Item = ContactEvent;

    fn next(&mut self) -> Option<ContactEvent> {
        loop {
            if let Some(event) = self.found.events.get(self.next) {
                self.next += 1;
                return Some(*event);
            }
            if self.now >= self.end {
                return None;
            }
            self.advance();
        }
    }
}

/// Two nodes, the lower first.
#[derive(Clone, Copy, PartialEq)]
struct Pair(NodeIndex, NodeIndex);

impl Pair {
    fn new(a: u32, b: u32) -> Self {
        Self(NodeIndex::new(a.min(b)), NodeIndex::new(a.max(b)))
    }
}

impl Found {
    /// What a crossing between two instants means. Events lie before `to`, which belongs to the next piece.
    fn cross(&mut self, pair: Pair, crossing: Crossing, from: SimTime, to: SimTime) {
        let (from, length) = (from.as_micros(), to.as_micros() - from.as_micros());
        let at = |fraction: f64| {
            let passed = (fraction * length as f64) as u64;
            SimTime::from_micros(from + passed.min(length - 1))
        };
        match crossing {
            Crossing::None => {}
            Crossing::In(enter) => self.push(pair, true, at(enter)),
            Crossing::Out(leave) => self.push(pair, false, at(leave)),
            Crossing::Through(enter, leave) => {
                self.push(pair, true, at(enter));
                self.push(pair, false, at(leave));
            }
        }
    }

    /// One more event of this pair, in its order of time. Two in the same microsecond cancel out.
    fn push(&mut self, pair: Pair, up: bool, at: SimTime) {
        let same = |last: &ContactEvent| Pair(last.a, last.b) == pair && last.at == at;
        if self.events.last().is_some_and(same) {
            self.events.pop();
            return;
        }
        self.events.push(ContactEvent {
            at,
            a: pair.0,
            b: pair.1,
            up,
            rate: None,
        });
    }

    fn sort(&mut self) {
        self.events
            .sort_unstable_by_key(|event| (event.at, event.up, event.a, event.b));
    }
}

/// A node's way through a window.
enum Way<'a> {
    Straight(Point, Point),
    Turning(&'a [Leg]),
}

impl<'a> Way<'a> {
    fn of(passage: &Passage, turns: &'a [Leg], spans: &[(u32, u32)]) -> Self {
        spans
            .get(passage.turns as usize)
            .and_then(|(begin, end)| turns.get(*begin as usize..*end as usize))
            .map_or(Self::Straight(passage.from, passage.to), Self::Turning)
    }

    /// When it turns next after this.
    fn turn_after(&self, now: SimTime) -> SimTime {
        match self {
            Self::Straight(..) => SimTime::NEVER,
            Self::Turning(legs) => legs
                .iter()
                .map(|leg| leg.end)
                .find(|end| *end > now)
                .unwrap_or(SimTime::NEVER),
        }
    }

    /// Where it is at an instant of the window.
    fn at(&self, now: SimTime, (from, to): (SimTime, SimTime)) -> Point {
        match self {
            // At both ends exactly there, as in the windows before and after.
            Self::Straight(start, _) if now == from => *start,
            Self::Straight(_, end) if now == to => *end,
            Self::Straight(start, end) => Leg {
                start: from,
                end: to,
                from: *start,
                to: *end,
            }
            .at(now),
            Self::Turning(legs) => legs
                .iter()
                .find(|leg| leg.end >= now)
                .or(legs.last())
                .map(|leg| leg.at(now))
                .unwrap_or_default(),
        }
    }
}

/// Cuts a window where either node turns.
fn piecewise(
    a: &Way<'_>,
    b: &Way<'_>,
    from: SimTime,
    to: SimTime,
    mut piece: impl FnMut(Point, Point, SimTime, SimTime),
) {
    let window = (from, to);
    let mut now = from;
    let mut way = a.at(now, window).minus(b.at(now, window));
    while now < to {
        let turn = a.turn_after(now).min(b.turn_after(now)).min(to);
        let then = a.at(turn, window).minus(b.at(turn, window));
        piece(way, then, now, turn);
        (now, way) = (turn, then);
    }
}

/// A little more than this, as a smaller float.
fn above(metres: f64) -> f32 {
    (metres * (1.0 + 1e-6) + 1e-6) as f32
}
