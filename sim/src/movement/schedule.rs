//! One movement after another.

use super::model::{Memory, Model, Moment};
use super::space::{Leg, Point};
use crate::event::SimTime;

/// Movements of one group, each from its time on. Who is on the way when the time comes breaks off and does as the next
/// movement says, from where it is.
pub struct Schedule {
    first: Box<dyn Model>,
    later: Vec<(SimTime, Box<dyn Model>)>,
}

impl Schedule {
    /// The first movement, and the later ones in order of time.
    pub fn new(first: Box<dyn Model>, mut later: Vec<(SimTime, Box<dyn Model>)>) -> Self {
        later.sort_by_key(|(from, _)| *from);
        Self { first, later }
    }
}

impl Model for Schedule {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.first.place(moment)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        let begun = self
            .later
            .iter()
            .filter(|(from, _)| *from <= moment.now)
            .count();
        if moment.memory.part != begun as u32 {
            *moment.memory = Memory {
                part: begun as u32,
                ..Memory::default()
            };
        }
        let model = begun
            .checked_sub(1)
            .and_then(|part| self.later.get(part))
            .map_or(&self.first, |(_, model)| model);
        let leg = model.next(moment);
        match self.later.get(begun) {
            Some((from, _)) => leg.cut(*from),
            None => leg,
        }
    }
}
