//! The table of messages: a row to each that was written.

use std::collections::BTreeMap;

use super::{Surroundings, node, seconds};
use crate::event::{MessageEvent, NodeIndex, SimTime};
use crate::frame::{Frame, Kind, Value};
use crate::log::{Log, What};

const COLUMNS: [(&str, Kind); 15] = [
    ("run", Kind::Text),
    ("message", Kind::Integer),
    ("name", Kind::Text),
    ("from", Kind::Integer),
    ("to", Kind::Integer),
    ("size_bytes", Kind::Integer),
    ("created_s", Kind::Real),
    ("delivered_s", Kind::Real),
    ("latency_s", Kind::Real),
    ("hops", Kind::Integer),
    ("path", Kind::Text),
    ("transfers", Kind::Integer),
    ("cut_transfers", Kind::Integer),
    ("copies_most", Kind::Integer),
    ("copies_end", Kind::Integer),
];

/// What is known of a message.
#[derive(Default)]
struct Story {
    written: bool,
    delivered: Option<(SimTime, u32)>,
    path: Vec<NodeIndex>,
    /// Each time that it was handed over: to whom, and which time was the one before on its way.
    steps: Vec<(NodeIndex, Option<usize>)>,
    /// Of each node, by which step it has its copy.
    last: BTreeMap<NodeIndex, usize>,
    transfers: u64,
    cut: u64,
    copies: u64,
    most: u64,
}

/// In the order in which they were written.
pub(super) fn table(run: &str, surroundings: &Surroundings, log: &Log) -> Frame {
    let messages = &surroundings.messages;
    let mut stories: Vec<Story> = Vec::new();
    stories.resize_with(messages.len(), Story::default);
    for happening in &log.happenings {
        let message = match happening.what {
            What::Handed(handed) => handed.message,
            What::Cut { message, .. }
            | What::Released { message, .. }
            | What::Taken { message, .. } => message,
            What::Chosen { message, .. }
            | What::Delivered { message, .. }
            | What::Written { message } => Some(message),
            What::Up { .. } | What::Down { .. } => None,
        };
        let Some(message) = message.and_then(|message| messages.get(message.as_usize())) else {
            continue;
        };
        if let Some(story) = stories.get_mut(message.index.as_usize()) {
            story.goes_on(message, happening.at, happening.what);
        }
    }
    let mut frame = Frame::new(COLUMNS);
    for (message, story) in messages
        .iter()
        .zip(stories)
        .filter(|(_, story)| story.written)
    {
        let latency = story
            .delivered
            .map(|(at, _)| at.since(message.at).as_secs_f64());
        let path: Vec<String> = story.path.iter().map(NodeIndex::to_string).collect();
        frame.push([
            Value::from(run.to_owned()),
            Value::from(message.index.get()),
            Value::from(message.name.as_str().to_owned()),
            node(message.from),
            node(message.to),
            Value::from(message.size.get()),
            seconds(message.at),
            story
                .delivered
                .map_or(Value::Missing, |(at, _)| seconds(at)),
            Value::from(latency),
            Value::from(story.delivered.map(|(_, hops)| hops)),
            Value::from((!path.is_empty()).then(|| path.join(">"))),
            Value::from(story.transfers),
            Value::from(story.cut),
            Value::from(story.most),
            Value::from(story.copies),
        ]);
    }
    frame
}

impl Story {
    fn goes_on(&mut self, message: &MessageEvent, at: SimTime, what: What) {
        match what {
            What::Written { .. } => self.written = true,
            What::Handed(handed) => {
                self.transfers += 1;
                let before = self.last.get(&handed.from).copied();
                self.steps.push((handed.to, before));
            }
            What::Cut { .. } => self.cut += 1,
            What::Taken { node, .. } => {
                // Whoever had it already keeps the copy that came by the older way.
                if let Some(step) = self.newest(node) {
                    self.last.insert(node, step);
                }
                self.copies += 1;
                self.most = self.most.max(self.copies);
            }
            What::Released { .. } => self.copies = self.copies.saturating_sub(1),
            What::Delivered { hops, .. } => {
                self.delivered = Some((at, hops));
                self.path = self.way_to(message);
            }
            What::Chosen { .. } | What::Up { .. } | What::Down { .. } => {}
        }
    }

    /// The last step, if it led to this node.
    fn newest(&self, node: NodeIndex) -> Option<usize> {
        let (to, _) = self.steps.last()?;
        (*to == node).then(|| self.steps.len() - 1)
    }

    /// From who wrote it to who reads it.
    fn way_to(&self, message: &MessageEvent) -> Vec<NodeIndex> {
        let mut way = Vec::new();
        let known = || self.last.get(&message.to).copied();
        let mut here = self.newest(message.to).or_else(known);
        while let Some((node, before)) = here.and_then(|step| self.steps.get(step)) {
            way.push(*node);
            here = *before;
        }
        way.push(message.from);
        way.reverse();
        way
    }
}
