//! The table of nodes: a row to each.

use super::Surroundings;
use crate::event::{NodeIndex, SimTime};
use crate::frame::{Frame, Kind, Value};
use crate::log::{Air, Log, What};
use crate::radio::Preset;

const COLUMNS: [(&str, Kind); 22] = [
    ("run", Kind::Text),
    ("node", Kind::Integer),
    ("group", Kind::Text),
    ("buffer_bytes", Kind::Integer),
    ("written", Kind::Integer),
    ("delivered_to", Kind::Integer),
    ("given", Kind::Integer),
    ("got", Kind::Integer),
    ("dropped", Kind::Integer),
    ("removed", Kind::Integer),
    ("held_end", Kind::Integer),
    ("held_end_bytes", Kind::Integer),
    ("held_most", Kind::Integer),
    ("held_most_bytes", Kind::Integer),
    ("contacts", Kind::Integer),
    ("linked_s", Kind::Real),
    ("sends_s", Kind::Real),
    ("receives_s", Kind::Real),
    ("sent_bytes", Kind::Integer),
    ("received_bytes", Kind::Integer),
    ("discovers_s", Kind::Real),
    ("energy_j", Kind::Real),
];

/// What a node has done.
#[derive(Clone, Default)]
struct Deeds {
    written: u64,
    delivered: u64,
    given: u64,
    got: u64,
    dropped: u64,
    removed: u64,
    held: u64,
    held_bytes: u64,
    most: u64,
    most_bytes: u64,
    contacts: u64,
    links: u64,
    /// Until when links are counted.
    counted: SimTime,
    linked_s: f64,
}

/// In order of the nodes.
pub(super) fn table(run: &str, surroundings: &Surroundings, log: &Log) -> Frame {
    let mut deeds = vec![Deeds::default(); surroundings.members.len()];
    for happening in &log.happenings {
        let at = happening.at;
        match happening.what {
            What::Written { message } => {
                let message = surroundings.messages.get(message.as_usize());
                with(&mut deeds, message.map(|message| message.from), |node| {
                    node.written += 1
                });
            }
            What::Delivered { message, .. } => {
                let message = surroundings.messages.get(message.as_usize());
                with(&mut deeds, message.map(|message| message.to), |node| {
                    node.delivered += 1
                });
            }
            What::Handed(handed) => {
                with(&mut deeds, Some(handed.from), |node| node.given += 1);
                with(&mut deeds, Some(handed.to), |node| node.got += 1);
            }
            What::Taken { node, size, .. } => with(&mut deeds, Some(node), |node| node.take(size)),
            What::Released {
                node,
                size,
                dropped,
                ..
            } => with(&mut deeds, Some(node), |node| node.release(size, dropped)),
            What::Up { a, b } => {
                for node in [a, b] {
                    with(&mut deeds, Some(node), |node| {
                        node.count_links(at);
                        node.contacts += 1;
                        node.links += 1;
                    });
                }
            }
            What::Down { a, b } => {
                for node in [a, b] {
                    with(&mut deeds, Some(node), |node| {
                        node.count_links(at);
                        node.links = node.links.saturating_sub(1);
                    });
                }
            }
            What::Chosen { .. } | What::Cut { .. } => {}
        }
    }
    let mut frame = Frame::new(COLUMNS);
    let air = log
        .air
        .iter()
        .copied()
        .chain(std::iter::repeat(Air::default()));
    let members = (0_u32..).zip(&surroundings.members);
    for (((node, member), mut deeds), air) in members.zip(deeds).zip(air) {
        deeds.count_links(surroundings.end);
        let group = (!member.group.is_empty()).then(|| member.group.to_string());
        let all = surroundings.end.as_secs_f64();
        let (sends, receives) = (air.sends as f64 / 1e6, air.receives as f64 / 1e6);
        let discovers = member.radio.as_ref().map(|radio| all * listening(radio));
        let energy = member.radio.as_ref().map(|radio| {
            let discovers = discovers.unwrap_or_default();
            radio
                .energy
                .joules(all, discovers, deeds.linked_s, sends, receives)
        });
        frame.push([
            Value::from(run.to_owned()),
            Value::from(node),
            Value::from(group),
            Value::from(member.buffer.get()),
            Value::from(deeds.written),
            Value::from(deeds.delivered),
            Value::from(deeds.given),
            Value::from(deeds.got),
            Value::from(deeds.dropped),
            Value::from(deeds.removed),
            Value::from(deeds.held),
            Value::from(deeds.held_bytes),
            Value::from(deeds.most),
            Value::from(deeds.most_bytes),
            Value::from(deeds.contacts),
            Value::from(deeds.linked_s),
            Value::from(sends),
            Value::from(receives),
            Value::from(air.sent),
            Value::from(air.received),
            Value::from(discovers),
            Value::from(energy),
        ]);
    }
    frame
}

fn with(deeds: &mut [Deeds], node: Option<NodeIndex>, act: impl FnOnce(&mut Deeds)) {
    if let Some(deeds) = node.and_then(|node| deeds.get_mut(node.as_usize())) {
        act(deeds);
    }
}

/// The part of the time for which a radio looks for others.
fn listening(radio: &Preset) -> f64 {
    radio.discovery.as_ref().map_or(0.0, |discovery| {
        let (listens, sleeps) = (discovery.listens.value.0, discovery.sleeps.value.0);
        listens / (listens + sleeps).max(f64::MIN_POSITIVE)
    })
}

impl Deeds {
    fn take(&mut self, size: u64) {
        self.held += 1;
        self.held_bytes += size;
        self.most = self.most.max(self.held);
        self.most_bytes = self.most_bytes.max(self.held_bytes);
    }

    fn release(&mut self, size: u64, dropped: bool) {
        self.held = self.held.saturating_sub(1);
        self.held_bytes = self.held_bytes.saturating_sub(size);
        if dropped {
            self.dropped += 1;
        } else {
            self.removed += 1;
        }
    }

    /// Links count side by side: two for a second are two seconds.
    fn count_links(&mut self, now: SimTime) {
        self.linked_s += self.links as f64 * now.since(self.counted).as_secs_f64();
        self.counted = now;
    }
}
