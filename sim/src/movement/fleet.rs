//! All nodes of a world and the legs they are on.

use super::model::{Memory, Model, Moment};
use super::space::{Leg, Point};
use crate::draws::{Draws, Purpose};
use crate::event::{NodeIndex, SimTime};

/// Nodes that move alike.
pub struct Group {
    /// How many.
    pub count: u32,
    /// How they move.
    pub model: Box<dyn Model>,
    /// How far their radio reaches, in metres. Two nodes are in contact within the smaller of their ranges.
    pub range: f64,
    /// Which kind of radio. Only radios of one kind hear one another.
    pub radio: u8,
}

/// The nodes of all groups, numbered in order of the groups.
pub struct Fleet {
    pub(super) groups: Vec<Group>,
    pub(super) walkers: Vec<Walker>,
    seed: u64,
}

/// A node on its way. About a hundred bytes, and nothing on the heap unless it follows a road.
pub(super) struct Walker {
    pub(super) leg: Leg,
    memory: Memory,
    legs: u32,
    rank: u32,
    pub(super) group: u16,
}

impl Fleet {
    /// Puts every node where it begins and on its first leg.
    pub fn new(seed: u64, groups: Vec<Group>) -> Self {
        let mut fleet = Self {
            walkers: Vec::new(),
            groups,
            seed,
        };
        for (place, group) in (0_u16..).zip(&fleet.groups) {
            for rank in 0..group.count {
                let node = NodeIndex::new(fleet.walkers.len() as u32);
                let mut walker = Walker {
                    leg: Leg::stay(SimTime::ZERO, Point::default(), 0.0),
                    memory: Memory::default(),
                    legs: 0,
                    rank,
                    group: place,
                };
                let start = group.model.place(&mut walker.moment(
                    seed,
                    node,
                    SimTime::ZERO,
                    Point::default(),
                ));
                walker.leg = group
                    .model
                    .next(&mut walker.moment(seed, node, SimTime::ZERO, start));
                fleet.walkers.push(walker);
            }
        }
        fleet
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.walkers.len() as u32
    }

    /// The leg that a node is on.
    pub fn leg(&self, node: NodeIndex) -> Option<Leg> {
        self.walkers.get(node.as_usize()).map(|walker| walker.leg)
    }

    /// Sends a node on its next leg, which it returns.
    pub fn step(&mut self, node: NodeIndex) -> Option<Leg> {
        let walker = self.walkers.get_mut(node.as_usize())?;
        let group = self.groups.get(usize::from(walker.group))?;
        let (now, place) = (walker.leg.end, walker.leg.to);
        walker.leg = group
            .model
            .next(&mut walker.moment(self.seed, node, now, place));
        Some(walker.leg)
    }

    /// All legs of a node from here to the end.
    pub fn legs_until(&mut self, node: NodeIndex, end: SimTime) -> Vec<Leg> {
        let mut legs: Vec<Leg> = self.leg(node).into_iter().collect();
        while legs.last().is_some_and(|leg| leg.end < end) {
            legs.extend(self.step(node));
        }
        legs
    }
}

impl Walker {
    fn moment(&mut self, seed: u64, node: NodeIndex, now: SimTime, place: Point) -> Moment<'_> {
        let draws = Draws::new(seed, Purpose::Legs, node, self.legs);
        self.legs = self.legs.wrapping_add(1);
        Moment {
            node,
            rank: self.rank,
            now,
            place,
            memory: &mut self.memory,
            seed,
            draws,
        }
    }
}
