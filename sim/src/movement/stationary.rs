//! Nodes that stay where they are.

use super::model::{Model, Moment};
use super::space::{Area, Leg, Point};

/// Seconds of one leg of standing still; long enough to cost nothing.
const LONG: f64 = 1e9;

/// A relay on a roof: it stays. If it is elsewhere (in a [`Schedule`](super::Schedule)) it goes there first.
#[derive(Clone, Debug)]
pub struct Stationary {
    /// The places, dealt out to the nodes of the group in turn.
    pub places: Vec<Point>,
    /// Where those are that have no place given.
    pub area: Area,
    /// Metres a second on the way there.
    pub speed: f64,
}

impl Stationary {
    fn spot(&self, moment: &Moment<'_>) -> Point {
        let turn = moment.rank as usize % self.places.len().max(1);
        self.places
            .get(turn)
            .copied()
            .unwrap_or_else(|| self.area.any(&mut moment.lasting(0)))
    }
}

impl Model for Stationary {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.spot(moment)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        let spot = self.spot(moment);
        if moment.place == spot {
            Leg::stay(moment.now, spot, LONG)
        } else {
            Leg::walk(moment.now, moment.place, spot, self.speed)
        }
    }
}
