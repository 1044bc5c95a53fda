//! The table of contacts: a row to a link.

use std::collections::BTreeMap;

use super::{Surroundings, node, seconds};
use crate::event::{NodeIndex, SimTime};
use crate::frame::{Frame, Kind, Value};
use crate::log::{Log, What};

const COLUMNS: [(&str, Kind); 8] = [
    ("run", Kind::Text),
    ("a", Kind::Integer),
    ("b", Kind::Integer),
    ("up_s", Kind::Real),
    ("down_s", Kind::Real),
    ("cut_by_end", Kind::Flag),
    ("transfers", Kind::Integer),
    ("cut_transfers", Kind::Integer),
];

struct Link {
    a: NodeIndex,
    b: NodeIndex,
    up: SimTime,
    down: Option<SimTime>,
    transfers: u64,
    cut: u64,
}

/// In the order in which links began.
pub(super) fn table(run: &str, surroundings: &Surroundings, log: &Log) -> Frame {
    let mut links: Vec<Link> = Vec::new();
    // The link of a pair that is up, or was up last: a transfer is cut just after its link has ended.
    let mut last: BTreeMap<(NodeIndex, NodeIndex), usize> = BTreeMap::new();
    for happening in &log.happenings {
        let ends = match happening.what {
            What::Up { a, b } => {
                last.insert(pair(a, b), links.len());
                links.push(Link {
                    a,
                    b,
                    up: happening.at,
                    down: None,
                    transfers: 0,
                    cut: 0,
                });
                continue;
            }
            What::Down { a, b } => [a, b],
            What::Handed(handed) => [handed.from, handed.to],
            What::Cut { from, to, .. } => [from, to],
            _ => continue,
        };
        let link = last.get(&pair(ends[0], ends[1]));
        let Some(link) = link.and_then(|place| links.get_mut(*place)) else {
            continue;
        };
        match happening.what {
            What::Down { .. } => link.down = Some(happening.at),
            What::Cut { .. } => link.cut += 1,
            _ => link.transfers += 1,
        }
    }
    let mut frame = Frame::new(COLUMNS);
    for link in links {
        frame.push([
            Value::from(run.to_owned()),
            node(link.a),
            node(link.b),
            seconds(link.up),
            seconds(link.down.unwrap_or(surroundings.end)),
            Value::from(link.down.is_none()),
            Value::from(link.transfers),
            Value::from(link.cut),
        ]);
    }
    frame
}

fn pair(a: NodeIndex, b: NodeIndex) -> (NodeIndex, NodeIndex) {
    (a.min(b), a.max(b))
}
