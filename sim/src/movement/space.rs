//! Points, areas and straight legs, in metres.

use crate::draws::Draws;
use crate::event::SimTime;

/// A place, in metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the east.
    pub x: f64,
    /// To the north.
    pub y: f64,
}

impl Point {
    /// The place with these coordinates.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Metres between two places.
    pub fn distance(self, other: Self) -> f64 {
        self.minus(other).length()
    }

    /// The way from `other` to here.
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    /// This far on.
    pub fn plus(self, way: Self) -> Self {
        Self::new(self.x + way.x, self.y + way.y)
    }

    /// Of a way: this many times as long.
    pub fn times(self, factor: f64) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }

    /// Of two ways: their inner product.
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    /// Of a way: its length.
    pub fn length(self) -> f64 {
        self.dot(self).sqrt()
    }
}

/// Where something may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Area {
    /// A disc.
    Disc {
        /// Its middle.
        centre: Point,
        /// Its radius in metres.
        radius: f64,
    },
    /// A rectangle.
    Rectangle {
        /// Its south-western corner.
        from: Point,
        /// Its north-eastern corner.
        to: Point,
    },
}

impl Area {
    /// A rectangle from the origin.
    pub const fn sized(width: f64, height: f64) -> Self {
        Self::Rectangle {
            from: Point::new(0.0, 0.0),
            to: Point::new(width, height),
        }
    }

    /// Any of its points, uniformly.
    pub fn any(&self, draws: &mut Draws) -> Point {
        match *self {
            Self::Disc { centre, radius } => {
                let (x, y, _) = draws.in_disc();
                centre.plus(Point::new(x, y).times(radius))
            }
            Self::Rectangle { from, to } => {
                let x = draws.between(from.x, to.x);
                Point::new(x, draws.between(from.y, to.y))
            }
        }
    }

    /// Whether it has this point.
    pub fn contains(&self, point: Point) -> bool {
        match *self {
            Self::Disc { centre, radius } => point.distance(centre) <= radius,
            Self::Rectangle { from, to } => {
                (from.x..=to.x).contains(&point.x) && (from.y..=to.y).contains(&point.y)
            }
        }
    }
}

/// A straight way at constant speed, or a stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// When it begins.
    pub start: SimTime,
    /// When it ends; always later.
    pub end: SimTime,
    /// Where it begins.
    pub from: Point,
    /// Where it ends.
    pub to: Point,
}

impl Leg {
    /// A stay for this many seconds, a microsecond at least.
    pub fn stay(start: SimTime, at: Point, seconds: f64) -> Self {
        Self {
            start,
            end: later(start, seconds),
            from: at,
            to: at,
        }
    }

    /// A way at this many metres a second. A way to where one is already takes a second.
    pub fn walk(start: SimTime, from: Point, to: Point, speed: f64) -> Self {
        if from == to {
            return Self::stay(start, from, 1.0);
        }
        Self {
            start,
            end: later(start, from.distance(to) / speed),
            from,
            to,
        }
    }

    /// Where one is then; at its ends exactly there.
    pub fn at(&self, time: SimTime) -> Point {
        if time >= self.end || self.from == self.to {
            return self.to;
        }
        let passed = time.as_micros().saturating_sub(self.start.as_micros()) as f64;
        let whole = (self.end.as_micros() - self.start.as_micros()) as f64;
        self.from
            .plus(self.to.minus(self.from).times(passed / whole))
    }

    /// The same, but only until then.
    pub fn cut(self, end: SimTime) -> Self {
        if end >= self.end {
            return self;
        }
        Self {
            to: self.at(end),
            end,
            ..self
        }
    }

    /// Metres a second.
    pub fn speed(&self) -> f64 {
        let seconds = self.end.since(self.start).as_secs_f64();
        self.from.distance(self.to) / seconds
    }
}

/// A moment later, rounded to the microsecond but never to the same.
fn later(start: SimTime, seconds: f64) -> SimTime {
    // What is longer than a float can count lasts for ever.
    let micros = (seconds * 1e6 + 0.5).max(1.0) as u64;
    SimTime::from_micros(start.as_micros().saturating_add(micros))
}
