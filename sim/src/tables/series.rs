//! The table of how it went over time: a row to each of [`POINTS`] instants, from the beginning to the end.

use super::{Surroundings, seconds};
use crate::event::SimTime;
use crate::frame::{Frame, Kind, Value};
use crate::log::{Log, What};

/// How many instants, without the beginning.
const POINTS: u64 = 240;

const COLUMNS: [(&str, Kind); 11] = [
    ("run", Kind::Text),
    ("at_s", Kind::Real),
    ("created", Kind::Integer),
    ("delivered", Kind::Integer),
    ("transfers", Kind::Integer),
    ("cut_transfers", Kind::Integer),
    ("links", Kind::Integer),
    ("copies", Kind::Integer),
    ("held_bytes", Kind::Integer),
    ("buffer_mean", Kind::Real),
    ("buffer_most", Kind::Real),
];

/// How it stands.
#[derive(Default)]
struct State {
    created: u64,
    delivered: u64,
    transfers: u64,
    cut: u64,
    links: u64,
    copies: u64,
    held: u64,
    /// Of each node, how many bytes it holds.
    nodes: Vec<u64>,
}

/// In order of time. What happens at an instant counts at this instant.
pub(super) fn table(run: &str, surroundings: &Surroundings, log: &Log) -> Frame {
    let mut frame = Frame::new(COLUMNS);
    let mut state = State {
        nodes: vec![0; surroundings.members.len()],
        ..State::default()
    };
    let mut happenings = log.happenings.iter().peekable();
    for point in 0..=POINTS {
        let micros =
            u128::from(surroundings.end.as_micros()) * u128::from(point) / u128::from(POINTS);
        let at = SimTime::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        while let Some(happening) = happenings.next_if(|happening| happening.at <= at) {
            state.goes_on(happening.what);
        }
        frame.push(state.row(run, at, surroundings));
    }
    frame
}

impl State {
    fn goes_on(&mut self, what: What) {
        match what {
            What::Written { .. } => self.created += 1,
            What::Delivered { .. } => self.delivered += 1,
            What::Handed(_) => self.transfers += 1,
            What::Chosen { .. } => {}
            What::Cut { .. } => self.cut += 1,
            What::Up { .. } => self.links += 1,
            What::Down { .. } => self.links = self.links.saturating_sub(1),
            What::Taken { node, size, .. } => {
                self.copies += 1;
                self.held += size;
                if let Some(held) = self.nodes.get_mut(node.as_usize()) {
                    *held += size;
                }
            }
            What::Released { node, size, .. } => {
                self.copies = self.copies.saturating_sub(1);
                self.held = self.held.saturating_sub(size);
                if let Some(held) = self.nodes.get_mut(node.as_usize()) {
                    *held = held.saturating_sub(size);
                }
            }
        }
    }

    fn row(&self, run: &str, at: SimTime, surroundings: &Surroundings) -> [Value; 11] {
        let full = self.nodes.iter().zip(&surroundings.members);
        let full = full.map(|(held, member)| *held as f64 / member.buffer.get().max(1) as f64);
        let (sum, most) = full.fold((0.0, 0.0_f64), |(sum, most), full| {
            (sum + full, most.max(full))
        });
        [
            Value::from(run.to_owned()),
            seconds(at),
            Value::from(self.created),
            Value::from(self.delivered),
            Value::from(self.transfers),
            Value::from(self.cut),
            Value::from(self.links),
            Value::from(self.copies),
            Value::from(self.held),
            Value::from(sum / self.nodes.len().max(1) as f64),
            Value::from(most),
        ]
    }
}
