//! ns-2's movement: `$node_(i) set X_ x` for the beginning, then `$ns_ at t "$node_(i) setdest x y speed"`.
//!
//! A new goal breaks off the way to the one before; a speed of 0 stops the node. Lines of `$god_` tell distances that
//! follow from the rest; they are passed over.

use std::collections::BTreeMap;

use super::movement::MovementTrace;
use super::source::{self, Fault, Lines};
use crate::event::{NodeIndex, SimTime, TraceError};
use crate::movement::{Leg, Point};

const EXPECTED: &str = "`$node_(i) set X_ x` or `$ns_ at t \"$node_(i) setdest x y speed\"`";

#[derive(Default)]
struct Node {
    start: Point,
    /// When, where to, how fast.
    goals: Vec<(SimTime, Point, f64)>,
}

pub(super) fn movement(lines: &mut Lines) -> Result<MovementTrace, TraceError> {
    let mut nodes: BTreeMap<NodeIndex, Node> = BTreeMap::new();
    while let Some(line) = lines.next()? {
        let read = command(line, &mut nodes);
        read.map_err(|fault| lines.refuse(fault))?;
    }
    let count = nodes.keys().next_back().map_or(0, |node| node.get() + 1);
    let missing = (0..count)
        .map(NodeIndex::new)
        .find(|node| !nodes.contains_key(node));
    if let Some(missing) = missing {
        let what = format!("nothing of node {missing}, but of node {}", count - 1);
        return Err(lines.refuse((what, "a place for every node")));
    }
    Ok(MovementTrace::new(
        nodes.into_values().map(Node::way).collect(),
    ))
}

fn command(line: &str, nodes: &mut BTreeMap<NodeIndex, Node>) -> Result<(), Fault> {
    let plain = line.replace(['"', '(', ')'], " ");
    let fields: Vec<&str> = plain.split_ascii_whitespace().collect();
    match fields.as_slice() {
        ["$god_", ..] | ["$ns_", "at", _, "$god_", ..] => Ok(()),
        ["$node_", node, "set", axis, value] => {
            let (node, value) = (source::node(node)?, source::real(value)?);
            let node = nodes.entry(node).or_default();
            match *axis {
                "X_" => node.start.x = value,
                "Y_" => node.start.y = value,
                // The ground is flat.
                "Z_" => {}
                _ => return Err((format!("`{axis}`"), "`X_`, `Y_` or `Z_`")),
            }
            Ok(())
        }
        ["$ns_", "at", at, "$node_", node, "setdest", x, y, speed] => {
            let (at, node) = (source::time(at)?, source::node(node)?);
            let goal = Point::new(source::real(x)?, source::real(y)?);
            let speed = source::real(speed)?;
            if speed < 0.0 {
                return Err((
                    format!("the speed {speed}"),
                    "metres a second, not negative",
                ));
            }
            let known = nodes.get_mut(&node);
            let goals = known.map(|node| &mut node.goals);
            let goals = goals.ok_or_else(|| {
                (
                    format!("node {node}, which has no place"),
                    "`set X_` before it",
                )
            })?;
            if let Some((last, ..)) = goals.last().filter(|(last, ..)| *last > at) {
                return Err((
                    format!("{at} after {last} for node {node}"),
                    "times in order",
                ));
            }
            goals.push((at, goal, speed));
            Ok(())
        }
        _ => Err((format!("`{line}`"), EXPECTED)),
    }
}

impl Node {
    /// Its legs: to each goal until it is reached or the next one is given.
    fn way(self) -> Vec<Leg> {
        let mut legs = vec![Leg::stay(SimTime::ZERO, self.start, 0.0)];
        let mut goals = self.goals.into_iter().peekable();
        while let Some((at, goal, speed)) = goals.next() {
            let next = goals.peek().map_or(SimTime::NEVER, |(next, ..)| *next);
            let (mut now, place) = legs
                .last()
                .map_or((at, self.start), |leg| (leg.end, leg.to));
            if at > now {
                legs.push(Leg {
                    start: now,
                    end: at,
                    from: place,
                    to: place,
                });
                now = at;
            }
            if speed > 0.0 && place != goal && next > now {
                legs.push(Leg::walk(now, place, goal, speed).cut(next));
            }
        }
        legs
    }
}
