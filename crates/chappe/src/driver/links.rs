//! The open links: one task each, bounded queues both ways. A panic in a link's task ends that link only.

use std::collections::{BTreeMap, HashMap};

use chappe_link::{Drains, LinkReceiver, LinkSender, LinkUp, SendError};
use chappe_wire::LinkId;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinSet};

/// Packets of all links that wait for the node. Then links wait, and so do their neighbours.
const INBOX_PACKETS: usize = 256;

/// What a link has to tell.
#[derive(Debug)]
pub(crate) enum FromLink {
    /// A packet arrived.
    Packet(LinkId, Vec<u8>),
    /// So many packets have left the machine.
    Drained(LinkId, usize),
    /// The link is gone.
    Down(LinkId),
}

/// The open links.
pub(crate) struct Links {
    open: BTreeMap<LinkId, OpenLink>,
    next_id: u64,
    tasks: JoinSet<()>,
    ids: HashMap<Id, LinkId>,
    sender: mpsc::Sender<FromLink>,
    inbox: mpsc::Receiver<FromLink>,
}

struct OpenLink {
    outgoing: LinkSender,
    task: AbortHandle,
}

impl Links {
    pub(crate) fn new() -> Self {
        let (sender, inbox) = mpsc::channel(INBOX_PACKETS);
        Self {
            open: BTreeMap::new(),
            next_id: 0,
            tasks: JoinSet::new(),
            ids: HashMap::new(),
            sender,
            inbox,
        }
    }

    /// Starts to carry packets of a new link; answers with what the node is to be told.
    pub(crate) fn add(&mut self, up: LinkUp) -> chappe_node::LinkUp {
        let link = LinkId::new(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        let told = chappe_node::LinkUp {
            link,
            mtu: up.info.mtu,
            initiator: up.info.initiator,
            reliable: up.info.reliable,
            queue: up.info.queue,
            bearer: up.info.bearer.to_string(),
            label: up.info.label.clone(),
        };
        let LinkUp {
            outgoing, incoming, ..
        } = up;
        let inbox = self.sender.clone();
        let task = self
            .tasks
            .spawn(pump(link, incoming, outgoing.drains(), inbox));
        self.ids.insert(task.id(), link);
        self.open.insert(link, OpenLink { outgoing, task });
        told
    }

    /// Sends a packet. A link that has no room for it is closed: its queue was told to the node.
    pub(crate) fn transmit(&mut self, link: LinkId, packet: Vec<u8>) {
        let Some(open) = self.open.get(&link) else {
            return;
        };
        match open.outgoing.try_send(packet) {
            // A closed link is about to be reported by its task.
            Ok(()) | Err(SendError::Closed) => {}
            Err(error) => {
                tracing::warn!(%link, "{error}; closing the link");
                open.task.abort();
            }
        }
    }

    /// Closes a link; packets that it has already still leave. Nothing more is heard of it.
    pub(crate) fn close(&mut self, link: LinkId) {
        if let Some(open) = self.open.remove(&link) {
            open.task.abort();
        }
    }

    /// Closes all links.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
        self.tasks.abort_all();
    }

    /// The next thing that a link has to tell. Safe to drop half-way.
    pub(crate) async fn next(&mut self) -> FromLink {
        loop {
            tokio::select! {
                biased;
                Some(told) = self.inbox.recv() => {
                    if self.knows(&told) {
                        return told;
                    }
                }
                Some(ended) = self.tasks.join_next_with_id() => {
                    let task = match &ended {
                        Ok((id, ())) => *id,
                        Err(error) => error.id(),
                    };
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("a link's task panicked; the link is closed");
                    }
                    if let Some(link) = self.ids.remove(&task)
                        && self.open.remove(&link).is_some()
                    {
                        return FromLink::Down(link);
                    }
                }
            }
        }
    }

    fn knows(&self, told: &FromLink) -> bool {
        let (FromLink::Packet(link, _) | FromLink::Drained(link, _) | FromLink::Down(link)) = told;
        self.open.contains_key(link)
    }
}

/// Brings what a link has to tell until the link ends.
async fn pump(
    link: LinkId,
    mut incoming: LinkReceiver,
    mut drains: Drains,
    inbox: mpsc::Sender<FromLink>,
) {
    let packets = async {
        while let Some(packet) = incoming.recv().await {
            if inbox.send(FromLink::Packet(link, packet)).await.is_err() {
                return;
            }
        }
    };
    let room = async {
        while let Some(packets) = drains.next().await {
            if inbox.send(FromLink::Drained(link, packets)).await.is_err() {
                return;
            }
        }
        // The receiver tells when the link is down.
        std::future::pending().await
    };
    tokio::select! {
        () = packets => {}
        () = room => {}
    }
}
