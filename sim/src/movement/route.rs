//! Vehicles on a fixed route: ferries, trams, convoys, patrols.

use super::model::{Model, Moment, Span};
use super::space::{Leg, Point};

/// A route that is driven again and again, with a halt at each stop.
#[derive(Clone, Debug)]
pub struct Route {
    /// The stops, in order; at least one.
    pub stops: Vec<Point>,
    /// From the last stop on to the first; else back the way it came.
    pub circular: bool,
    /// Metres a second, drawn for each stage.
    pub speed: Span,
    /// Seconds at each stop, drawn there.
    pub halt: Span,
    /// Seconds by which each vehicle of the group starts after the one before it.
    pub headway: f64,
}

impl Route {
    /// The stop that comes after `count` stages.
    fn stop(&self, count: u32) -> Point {
        let (count, stops) = (count as usize, self.stops.len().max(1));
        let place = if self.circular || stops == 1 {
            count % stops
        } else {
            let there_and_back = count % (2 * (stops - 1));
            there_and_back.min(2 * (stops - 1) - there_and_back)
        };
        self.stops.get(place).copied().unwrap_or_default()
    }
}

impl Model for Route {
    fn place(&self, _moment: &mut Moment<'_>) -> Point {
        self.stop(0)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        // Phases: 0 waits for its start; then an odd phase drives to stop (phase + 1) / 2, an even one halts there.
        let phase = moment.memory.phase;
        moment.memory.phase = phase.wrapping_add(1);
        let (now, here) = (moment.now, moment.place);
        if phase == 0 {
            return Leg::stay(now, here, self.headway * f64::from(moment.rank));
        }
        if phase.is_multiple_of(2) {
            return Leg::stay(now, here, self.halt.any(&mut moment.draws));
        }
        let to = self.stop(phase.div_ceil(2));
        Leg::walk(now, here, to, self.speed.any(&mut moment.draws))
    }
}
