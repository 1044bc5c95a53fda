//! The open links: one task each, bounded queues both ways. A panic in a link's task ends that link only.

use std::collections::{BTreeMap, HashMap};

use chappe_link::LinkUp;
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
    /// A packet has left the machine.
    Drained(LinkId),
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
    outgoing: mpsc::Sender<Vec<u8>>,
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
            queue: up.info.queue.max(1),
            bearer: up.info.bearer.to_string(),
            label: up.info.label.clone(),
        };
        let (outgoing, packets) = mpsc::channel(told.queue);
        let task = self
            .tasks
            .spawn(pump(link, up, packets, self.sender.clone()));
        self.ids.insert(task.id(), link);
        self.open.insert(link, OpenLink { outgoing, task });
        told
    }

    /// Sends a packet. A link that has no room for it breaks its promise, and is closed.
    pub(crate) fn transmit(&mut self, link: LinkId, packet: Vec<u8>) {
        let Some(open) = self.open.get(&link) else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = open.outgoing.try_send(packet) {
            tracing::warn!(%link, "more packets than the link's queue holds; closing it");
            open.task.abort();
        }
    }

    /// Closes a link after the packets that it has already. Nothing more is heard of it.
    pub(crate) fn close(&mut self, link: LinkId) {
        self.open.remove(&link);
    }

    /// Closes all links at once.
    pub(crate) fn abort_all(&mut self) {
        self.open.clear();
        self.tasks.abort_all();
    }

    /// Closes all links after the packets that they have already.
    pub(crate) async fn finish_all(&mut self) {
        self.open.clear();
        loop {
            // Links that wait for room in the inbox must not wait for ever.
            tokio::select! {
                ended = self.tasks.join_next() => if ended.is_none() { break },
                Some(_) = self.inbox.recv() => {}
            }
        }
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
        let (FromLink::Packet(link, _) | FromLink::Drained(link) | FromLink::Down(link)) = told;
        self.open.contains_key(link)
    }
}

/// Carries packets both ways until one side ends.
async fn pump(
    link: LinkId,
    up: LinkUp,
    mut packets: mpsc::Receiver<Vec<u8>>,
    inbox: mpsc::Sender<FromLink>,
) {
    let LinkUp {
        mut outgoing,
        mut incoming,
        ..
    } = up;
    let read = async {
        while let Some(packet) = incoming.recv().await {
            if inbox.send(FromLink::Packet(link, packet)).await.is_err() {
                return;
            }
        }
    };
    let write = async {
        while let Some(packet) = packets.recv().await {
            let sent = outgoing.send(packet).await.is_ok();
            if !sent || inbox.send(FromLink::Drained(link)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}
