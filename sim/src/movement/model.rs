//! What a model of movement is: it tells each node's next leg.

use super::space::{Leg, Point};
use crate::draws::{Draws, Purpose};
use crate::event::{NodeIndex, SimTime};

/// How the nodes of a group move. One model serves all nodes of a group; what differs between them is in [`Memory`] and
/// in what is drawn.
///
/// To add one, implement this in a file of its own and name it in [`crate::scenario`]:
///
/// ```
/// use chappe_sim::movement::{Leg, Model, Moment, Point};
///
/// /// Walks to the east for ever.
/// struct East;
///
/// impl Model for East {
///     fn place(&self, _moment: &mut Moment<'_>) -> Point {
///         Point::new(0.0, 0.0)
///     }
///
///     fn next(&self, moment: &mut Moment<'_>) -> Leg {
///         let to = moment.place.plus(Point::new(1000.0, 0.0));
///         Leg::walk(moment.now, moment.place, to, 1.4)
///     }
/// }
/// ```
pub trait Model: Send + Sync {
    /// Where a node begins.
    fn place(&self, moment: &mut Moment<'_>) -> Point;

    /// What it does next, wherever it is. The leg begins now and here.
    fn next(&self, moment: &mut Moment<'_>) -> Leg;
}

/// A node at the end of a leg.
pub struct Moment<'a> {
    /// Which node.
    pub node: NodeIndex,
    /// Its place in its group, from 0.
    pub rank: u32,
    /// When.
    pub now: SimTime,
    /// Where it is.
    pub place: Point,
    /// Where it is in its day, in the model's own words.
    pub memory: &'a mut Memory,
    /// The run's seed.
    pub seed: u64,
    /// Random numbers for this leg.
    pub draws: Draws,
}

impl Moment<'_> {
    /// Random numbers for what stays the same for this node: its home, its pace.
    pub fn lasting(&self, what: u32) -> Draws {
        Draws::new(self.seed, Purpose::Places, self.node, what)
    }

    /// Now, in seconds.
    pub fn seconds(&self) -> f64 {
        self.now.as_secs_f64()
    }
}

/// What a node remembers between legs. It is small, because there may be a million of it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What it is doing, in the model's own numbers; 0 at the start.
    pub phase: u32,
    /// Which part of a [`Schedule`](super::Schedule) it follows.
    pub part: u32,
    /// The places still before it, the next one last.
    pub way: Vec<Point>,
}

/// A range to draw from, both ends included as far as a float can tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Span {
    /// From least to most.
    pub const fn new(least: f64, most: f64) -> Self {
        Self { least, most }
    }

    /// Any of it, uniformly.
    pub fn any(self, draws: &mut Draws) -> f64 {
        draws.between(self.least, self.most)
    }
}
