//! A node in its place: links, what it holds, whom it knows.

use std::collections::{BTreeMap, VecDeque};

use chappe_node::{ContactId, MemoryStore, Node, NodeConfig};
use chappe_wire::{ItemId, LinkId};

use crate::event::{MessageIndex, NodeIndex, SimTime};
use crate::slots::Slot;
use crate::units::Rate;

/// A node in its place.
pub(super) struct Member {
    pub(super) config: NodeConfig,
    pub(super) state: State,
    pub(super) links: Vec<(NodeIndex, Slot)>,
    /// Sends or receives.
    pub(super) on_air: bool,
    /// Whom it can write to.
    pub(super) contacts: BTreeMap<NodeIndex, ContactId>,
    /// Whom junk is for.
    pub(super) nobody: Option<ContactId>,
    pub(super) held: BTreeMap<ItemId, Copy>,
    /// What is to be written once it runs again.
    pub(super) unsent: Vec<MessageIndex>,
    /// When it is to be woken.
    pub(super) wakes: SimTime,
    pub(super) commands: u64,
}

/// Whether a node runs.
pub(super) enum State {
    Runs(Box<Node<MemoryStore>>),
    /// What it had committed.
    Stopped(MemoryStore),
}

/// A copy of an envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    pub(super) received: SimTime,
    pub(super) hops: u32,
    /// Bytes.
    pub(super) size: u64,
}

/// Two nodes in reach of one another.
pub(super) struct Link {
    pub(super) ends: [NodeIndex; 2],
    pub(super) id: LinkId,
    pub(super) rate: Rate,
    /// What each end has to send.
    pub(super) queues: [VecDeque<Vec<u8>>; 2],
    /// Which end sent last.
    pub(super) last: usize,
    /// Which end sends, and what is on the air.
    pub(super) flight: Option<(usize, Vec<u8>)>,
}

impl Link {
    pub(super) const fn node(&self, end: usize) -> NodeIndex {
        let [first, second] = self.ends;
        if end == 0 { first } else { second }
    }

    pub(super) fn end_of(&self, node: NodeIndex) -> usize {
        usize::from(self.node(0) != node)
    }

    pub(super) const fn queue(&mut self, end: usize) -> &mut VecDeque<Vec<u8>> {
        let [first, second] = &mut self.queues;
        if end == 0 { first } else { second }
    }
}
