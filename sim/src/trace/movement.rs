//! Movement in files: the ways of nodes, and their writing in ns-2's and The ONE's formats.

use std::io::{self, Write};

use super::one::Seconds;
use crate::event::{NodeIndex, SimTime};
use crate::movement::{Fleet, Leg, Model, Moment, Point};

/// The ways of all nodes of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct MovementTrace {
    /// Of each node, its legs, each beginning where and when the one before ends; at least one.
    pub ways: Vec<Vec<Leg>>,
    /// When the last leg ends that goes anywhere.
    pub end: SimTime,
}

impl MovementTrace {
    /// Of what each node does; a node stays where its last leg ends.
    pub(super) fn new(mut ways: Vec<Vec<Leg>>) -> Self {
        let ends = ways
            .iter()
            .flatten()
            .filter(|leg| leg.from != leg.to)
            .map(|leg| leg.end);
        let end = ends.max().unwrap_or(SimTime::ZERO);
        for way in &mut ways {
            let (at, place) = way
                .last()
                .map_or((SimTime::ZERO, Point::default()), |leg| (leg.end, leg.to));
            way.push(Leg {
                start: at,
                end: SimTime::NEVER,
                from: place,
                to: place,
            });
        }
        Self { ways, end }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.ways.len() as u32
    }
}

/// A file's movement as a model: a group of it has as many nodes as the file.
impl Model for MovementTrace {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        let way = self.ways.get(moment.rank as usize);
        way.and_then(|way| way.first())
            .map_or(Point::default(), |leg| leg.from)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        let (now, place) = (moment.now, moment.place);
        let phase = moment.memory.phase;
        moment.memory.phase = phase.saturating_add(1);
        let way = self.ways.get(moment.rank as usize);
        way.and_then(|way| way.get(phase as usize))
            .copied()
            .unwrap_or(Leg {
                start: now,
                end: SimTime::NEVER,
                from: place,
                to: place,
            })
    }
}

/// Writes movement as ns-2's `setdest` lines, node by node.
///
/// # Errors
/// What the writer says.
pub fn write_setdest(out: &mut dyn Write, mut fleet: Fleet, end: SimTime) -> io::Result<()> {
    for node in 0..fleet.nodes() {
        let legs = fleet.legs_until(NodeIndex::new(node), end);
        let start = legs.first().map_or(Point::default(), |leg| leg.from);
        writeln!(out, "$node_({node}) set X_ {}", start.x)?;
        writeln!(out, "$node_({node}) set Y_ {}", start.y)?;
        writeln!(out, "$node_({node}) set Z_ 0")?;
        for leg in legs
            .iter()
            .filter(|leg| leg.from != leg.to && leg.start < end)
        {
            let (at, x, y, speed) = (Seconds(leg.start), leg.to.x, leg.to.y, leg.speed());
            writeln!(
                out,
                "$ns_ at {at} \"$node_({node}) setdest {x} {y} {speed}\""
            )?;
        }
    }
    Ok(())
}

/// Writes movement as The ONE's `ExternalMovement` reads it: where every node is, every so often.
///
/// # Errors
/// What the writer says.
pub fn write_one_movement(
    out: &mut dyn Write,
    mut fleet: Fleet,
    end: SimTime,
    every: SimTime,
) -> io::Result<()> {
    let nodes: Vec<NodeIndex> = (0..fleet.nodes()).map(NodeIndex::new).collect();
    let ways: Vec<Vec<Leg>> = nodes
        .iter()
        .map(|node| fleet.legs_until(*node, end))
        .collect();
    let points = || ways.iter().flatten().flat_map(|leg| [leg.from, leg.to]);
    let least = |of: fn(Point) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(Point) -> f64| points().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (west, east) = (least(|point| point.x), most(|point| point.x));
    let (south, north) = (least(|point| point.y), most(|point| point.y));
    writeln!(out, "0 {} {west} {east} {south} {north} 0 0", Seconds(end))?;
    let step = every.as_micros().max(1);
    let mut at = vec![0_usize; ways.len()];
    for count in 0..=end.as_micros() / step {
        let now = SimTime::from_micros(count * step);
        for ((node, way), at) in nodes.iter().zip(&ways).zip(&mut at) {
            while way.get(*at).is_some_and(|leg| leg.end < now) {
                *at += 1;
            }
            if let Some(leg) = way.get(*at) {
                let place = leg.at(now);
                writeln!(out, "{} {node} {} {}", Seconds(now), place.x, place.y)?;
            }
        }
    }
    Ok(())
}
