//! Which nodes are stopped, and which contacts wait for them.

use std::collections::BTreeMap;

use crate::event::{ContactEvent, NodeIndex};

/// Nodes that are stopped, and contacts that would be links if both nodes ran.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    /// By how many crashes each node is stopped.
    stopped: BTreeMap<NodeIndex, u32>,
    waiting: BTreeMap<(NodeIndex, NodeIndex), ContactEvent>,
}

impl Outages {
    /// A node stops. It can be stopped twice at once.
    pub(crate) fn begin(&mut self, node: NodeIndex) {
        *self.stopped.entry(node).or_default() += 1;
    }

    /// One crash of a node is over; true if the node runs again.
    pub(crate) fn end(&mut self, node: NodeIndex) -> bool {
        let Some(crashes) = self.stopped.get_mut(&node) else {
            return false;
        };
        *crashes -= 1;
        let runs = *crashes == 0;
        if runs {
            self.stopped.remove(&node);
        }
        runs
    }

    /// Whether a node is stopped.
    pub(crate) fn has(&self, node: NodeIndex) -> bool {
        self.stopped.contains_key(&node)
    }

    /// Whether a contact that begins is no link for now, because a node is stopped. It waits then.
    pub(crate) fn keep_back(&mut self, event: &ContactEvent) -> bool {
        let stopped = self.has(event.a) || self.has(event.b);
        if stopped {
            self.waiting.insert(pair(event), *event);
        }
        stopped
    }

    /// A contact that waits is over.
    pub(crate) fn forget(&mut self, event: &ContactEvent) {
        self.waiting.remove(&pair(event));
    }

    /// The contacts that become links now that this node runs again.
    pub(crate) fn take_awake(&mut self, node: NodeIndex) -> Vec<ContactEvent> {
        let awake = |event: &ContactEvent| {
            (event.a == node || event.b == node) && !self.has(event.a) && !self.has(event.b)
        };
        let waiting = self.waiting.values();
        let awake: Vec<ContactEvent> = waiting.filter(|event| awake(event)).copied().collect();
        for event in &awake {
            self.forget(event);
        }
        awake
    }
}

/// The two nodes, in whatever order they are named.
fn pair(event: &ContactEvent) -> (NodeIndex, NodeIndex) {
    (event.a.min(event.b), event.a.max(event.b))
}
