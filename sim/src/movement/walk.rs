//! Random walk.

use super::model::{Model, Moment, Span};
use super::space::{Area, Leg, Point};

/// Random walk (Brownian motion in steps): a random direction, a random length, without rest. A step that would leave the
/// area is drawn again.
#[derive(Clone, Debug)]
pub struct RandomWalk {
    /// Where.
    pub area: Area,
    /// Metres a second, drawn for each step.
    pub speed: Span,
    /// Metres, drawn for each step.
    pub step: Span,
}

/// In a corner three quarters of the steps are drawn again; whoever misses this often is outside, and walks back in.
const MAX_TRIES: u32 = 64;

impl Model for RandomWalk {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.area.any(&mut moment.draws)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        let (now, here) = (moment.now, moment.place);
        let speed = self.speed.any(&mut moment.draws);
        for _ in 0..MAX_TRIES {
            let (x, y) = moment.draws.direction();
            let way = Point::new(x, y).times(self.step.any(&mut moment.draws));
            if self.area.contains(here.plus(way)) {
                return Leg::walk(now, here, here.plus(way), speed);
            }
        }
        Leg::walk(now, here, self.area.any(&mut moment.draws), speed)
    }
}
