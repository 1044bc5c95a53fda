//! A node: its router, its links, what is under way to it.

use std::collections::BTreeMap;

use chappe_gossip::{OutFrame, Router};
use chappe_wire::LinkId;

use crate::event::{MessageIndex, NodeIndex, SimTime};
use crate::slots::Slot;
use crate::units::Rate;

/// A node.
pub(super) struct Node {
    pub(super) router: Router,
    pub(super) links: Vec<(NodeIndex, Slot)>,
    /// Sends or receives.
    pub(super) on_air: bool,
    /// What it holds.
    pub(super) held: BTreeMap<MessageIndex, Copy>,
    /// What has come of messages whose contact ended: bytes.
    pub(super) begun: BTreeMap<MessageIndex, u64>,
    /// Whose receipts it is about to let go.
    pub(super) arrived: Vec<MessageIndex>,
    /// When it is to be woken.
    pub(super) wakes: SimTime,
    /// What is to be written once it runs again.
    pub(super) unsent: Vec<MessageIndex>,
}

/// A copy of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    pub(super) received: SimTime,
    pub(super) hops: u32,
}

/// Two nodes in reach of one another.
pub(super) struct Link {
    pub(super) ends: [NodeIndex; 2],
    pub(super) id: LinkId,
    pub(super) rate: Rate,
    /// The rate before what has to be sent again.
    pub(super) declared: Rate,
    /// Which ends have nothing to send until something happens to them.
    pub(super) idle: [bool; 2],
    /// Which end sent last.
    pub(super) last: usize,
    pub(super) flight: Option<Flight>,
}

/// What is on the air.
pub(super) struct Flight {
    /// Which end sends.
    pub(super) from: usize,
    pub(super) frame: OutFrame,
    pub(super) started: SimTime,
    /// Bytes on the air that are no message.
    pub(super) control: u64,
    /// Bytes of a message on the air: without those that were there before.
    pub(super) data: u64,
    /// How often it was handed over before.
    pub(super) hops: u32,
}

impl Link {
    pub(super) fn end_of(&self, node: NodeIndex) -> usize {
        let [first, _] = self.ends;
        usize::from(first != node)
    }

    pub(super) const fn node(&self, end: usize) -> NodeIndex {
        let [first, second] = self.ends;
        if end == 0 { first } else { second }
    }

    pub(super) const fn is_idle(&self, end: usize) -> bool {
        let [first, second] = self.idle;
        if end == 0 { first } else { second }
    }

    pub(super) const fn set_idle(&mut self, end: usize, idle: bool) {
        let [first, second] = &mut self.idle;
        *(if end == 0 { first } else { second }) = idle;
    }
}
