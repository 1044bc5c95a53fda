//! The table of transfers: a row to each that was completed or cut off.

use super::{node, seconds};
use crate::frame::{Frame, Kind, Value};
use crate::log::{Log, What};

const COLUMNS: [(&str, Kind); 6] = [
    ("run", Kind::Text),
    ("at_s", Kind::Real),
    ("from", Kind::Integer),
    ("to", Kind::Integer),
    ("message", Kind::Integer),
    ("completed", Kind::Flag),
];

/// In the order in which they ended.
pub(super) fn table(run: &str, log: &Log) -> Frame {
    let mut frame = Frame::new(COLUMNS);
    for happening in &log.happenings {
        let (from, to, message, completed) = match happening.what {
            What::Handed(handed) => (handed.from, handed.to, handed.message, true),
            What::Cut { from, to, message } => (from, to, message, false),
            _ => continue,
        };
        frame.push([
            Value::from(run.to_owned()),
            seconds(happening.at),
            node(from),
            node(to),
            Value::from(message.map(|message| message.get())),
            Value::from(completed),
        ]);
    }
    frame
}
