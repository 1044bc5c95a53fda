//! The stream of what happens in a node.

use chappe_node::{Event, StoreError};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How many updates wait for a slow reader before the oldest are lost to it (with [`Update::Lagged`]).
pub const EVENT_BACKLOG: usize = 1_024;

/// Something worth telling.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Update {
    /// Something happened in the node.
    Event(Event),
    /// This reader was too slow: so many updates were lost to it. Nothing else was: the inbox and the outbox
    /// have everything.
    Lagged(u64),
    /// The store refused. All links were closed, and the node is being built again from its store.
    StoreFailed(StoreError),
    /// A radio has trouble, in one sentence for people.
    Trouble(String),
}

/// The updates of one node, from the moment of subscription on. A slow reader loses the oldest ones and is
/// told so; it never blocks the node.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Update>,
}

impl Events {
    pub(crate) const fn new(receiver: broadcast::Receiver<Update>) -> Self {
        Self { receiver }
    }

    /// A stream that is at its end already.
    pub(crate) fn ended() -> Self {
        let (_, receiver) = broadcast::channel(1);
        Self { receiver }
    }

    /// The next update; `None` once the node has stopped. Safe to drop half-way.
    pub async fn next(&mut self) -> Option<Update> {
        match self.receiver.recv().await {
            Ok(update) => Some(update),
            Err(RecvError::Lagged(lost)) => Some(Update::Lagged(lost)),
            Err(RecvError::Closed) => None,
        }
    }
}
