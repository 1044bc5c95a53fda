//! The table of ways: a row to each point at which a node turns, stops or starts. Between two of them it goes straight, at one
//! speed.

use super::{Surroundings, seconds};
use crate::frame::{Frame, Kind, Value};

const COLUMNS: [(&str, Kind); 5] = [
    ("run", Kind::Text),
    ("node", Kind::Integer),
    ("at_s", Kind::Real),
    ("x_m", Kind::Real),
    ("y_m", Kind::Real),
];

/// Node by node, in order of time. Empty where contacts come from a trace.
pub(super) fn table(run: &str, surroundings: &Surroundings) -> Frame {
    let mut frame = Frame::new(COLUMNS);
    for (node, way) in (0_u32..).zip(&surroundings.ways) {
        let mut row = |at, x, y| {
            frame.push([
                Value::from(run.to_owned()),
                Value::from(node),
                seconds(at),
                Value::from(x),
                Value::from(y),
            ]);
        };
        for leg in way {
            row(leg.start, leg.from.x, leg.from.y);
        }
        if let Some(leg) = way.last() {
            let at = leg.end.min(surroundings.end).max(leg.start);
            let place = leg.at(at);
            row(at, place.x, place.y);
        }
    }
    frame
}
