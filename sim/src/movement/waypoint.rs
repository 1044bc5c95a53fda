//! Random waypoint, and clusters of it.

use super::model::{Model, Moment, Span};
use super::space::{Area, Leg, Point};

/// Random waypoint (Johnson and Maltz, 1996): walk straight to a random point, rest, and again. As in The ONE a node
/// begins anywhere and walks at once, so that the first minutes differ from the steady state.
#[derive(Clone, Debug)]
pub struct RandomWaypoint {
    /// Where.
    pub area: Area,
    /// Metres a second, drawn for each way.
    pub speed: Span,
    /// Seconds of rest, drawn at each point.
    pub pause: Span,
}

const WALKS_NEXT: u32 = 0;
const RESTS_NEXT: u32 = 1;

impl Model for RandomWaypoint {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.area.any(&mut moment.draws)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        wander(&self.area, self.speed, self.pause, moment)
    }
}

/// Nodes that stay about one of several places: each belongs to one and walks within its radius.
#[derive(Clone, Debug)]
pub struct Clusters {
    /// The middles.
    pub centres: Vec<Point>,
    /// How far a node goes from its middle, in metres.
    pub radius: f64,
    /// Metres a second, drawn for each way.
    pub speed: Span,
    /// Seconds of rest, drawn at each point.
    pub pause: Span,
}

impl Clusters {
    /// Nodes of a group are dealt out to the clusters in turn.
    fn area(&self, moment: &Moment<'_>) -> Area {
        let turn = moment.rank as usize % self.centres.len().max(1);
        Area::Disc {
            centre: self.centres.get(turn).copied().unwrap_or_default(),
            radius: self.radius,
        }
    }
}

impl Model for Clusters {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.area(moment).any(&mut moment.draws)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        wander(&self.area(moment), self.speed, self.pause, moment)
    }
}

/// One leg of a random waypoint within this area.
fn wander(area: &Area, speed: Span, pause: Span, moment: &mut Moment<'_>) -> Leg {
    let (now, here) = (moment.now, moment.place);
    if moment.memory.phase == RESTS_NEXT {
        moment.memory.phase = WALKS_NEXT;
        let rest = pause.any(&mut moment.draws);
        if rest > 0.0 {
            return Leg::stay(now, here, rest);
        }
    }
    moment.memory.phase = RESTS_NEXT;
    let to = area.any(&mut moment.draws);
    Leg::walk(now, here, to, speed.any(&mut moment.draws))
}
