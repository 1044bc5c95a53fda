//! Packets from the node to the neighbour: a queue whose length counts what has not left the machine.

use std::fmt;
use std::sync::{Arc, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::LinkInfo;

/// Sends packets over a link. At most [`LinkInfo::queue`] are outstanding: taken here, and not yet gone from
/// the machine. Dropping it closes the link, once what it took has left.
#[derive(Debug)]
pub struct LinkSender {
    packets: mpsc::Sender<OutgoingPacket>,
    /// Weak, so that [`Drains`] end with the transport's half.
    window: Weak<Window>,
    drained: watch::Receiver<u64>,
    mtu: usize,
}

impl LinkSender {
    /// Sends a packet, as soon as there is room for it. Cancelled, it has sent nothing.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::Empty`] or [`SendError::TooLong`]; the packet is dropped.
    pub async fn send(&self, packet: Vec<u8>) -> Result<(), SendError> {
        self.check(&packet)?;
        self.enqueue(packet, None).await
    }

    /// Sends a packet if there is room.
    ///
    /// # Errors
    /// [`SendError`]; the packet is dropped.
    pub fn try_send(&self, packet: Vec<u8>) -> Result<(), SendError> {
        self.check(&packet)?;
        let window = self.window.upgrade().ok_or(SendError::Closed)?;
        let permit = Arc::clone(&window.room)
            .try_acquire_owned()
            .map_err(|_| SendError::Full)?;
        let slot = Slot {
            permit: Some(permit),
            window,
            above: None,
        };
        let sent = self.packets.try_send(OutgoingPacket {
            bytes: packet,
            slot,
        });
        sent.map_err(|_| SendError::Closed)
    }

    /// Passes on a packet that a layer took from the link above: it counts as outstanding there until it has
    /// left here.
    ///
    /// # Errors
    /// As [`LinkSender::send`].
    pub async fn forward(&self, packet: OutgoingPacket) -> Result<(), SendError> {
        self.check(&packet.bytes)?;
        self.enqueue(packet.bytes, Some(Box::new(packet.slot)))
            .await
    }

    /// How many packets [`LinkSender::try_send`] would take now.
    pub fn room(&self) -> usize {
        self.window
            .upgrade()
            .map_or(0, |window| window.room.available_permits())
    }

    /// Tells how many packets leave from now on.
    pub fn drains(&self) -> Drains {
        let drained = self.drained.clone();
        let seen = *drained.borrow();
        Drains { drained, seen }
    }

    /// Returns when the link is down.
    pub async fn closed(&self) {
        self.packets.closed().await;
    }

    fn check(&self, packet: &[u8]) -> Result<(), SendError> {
        match packet.len() {
            0 => Err(SendError::Empty),
            length if length > self.mtu => Err(SendError::TooLong {
                length,
                mtu: self.mtu,
            }),
            _ => Ok(()),
        }
    }

    async fn enqueue(&self, bytes: Vec<u8>, above: Option<Box<Slot>>) -> Result<(), SendError> {
        let room = {
            let window = self.window.upgrade().ok_or(SendError::Closed)?;
            Arc::clone(&window.room)
        };
        let permit = tokio::select! {
            permit = room.acquire_owned() => permit.map_err(|_| SendError::Closed)?,
            () = self.packets.closed() => return Err(SendError::Closed),
        };
        let window = self.window.upgrade().ok_or(SendError::Closed)?;
        let slot = Slot {
            permit: Some(permit),
            window,
            above,
        };
        let sent = self.packets.try_send(OutgoingPacket { bytes, slot });
        sent.map_err(|_| SendError::Closed)
    }
}

/// Tells the node as its packets leave the machine.
#[derive(Clone, Debug)]
pub struct Drains {
    drained: watch::Receiver<u64>,
    seen: u64,
}

impl Drains {
    /// How many packets have left since the last call, at least one; `None` once the link is down. Waits for
    /// the first. Cancelled, it loses none.
    pub async fn next(&mut self) -> Option<usize> {
        loop {
            let total = *self.drained.borrow_and_update();
            let left = total.saturating_sub(self.seen);
            if left > 0 {
                self.seen = total;
                return usize::try_from(left).ok();
            }
            self.drained.changed().await.ok()?;
        }
    }
}

/// The packets that a node sends, for the transport that puts them on the air.
#[derive(Debug)]
pub struct PacketSource {
    packets: mpsc::Receiver<OutgoingPacket>,
    _window: Arc<Window>,
}

impl PacketSource {
    /// The next packet; `None` once the node has closed the link and every packet was taken. Cancelled, it
    /// loses none.
    pub async fn next(&mut self) -> Option<OutgoingPacket> {
        self.packets.recv().await
    }

    /// The next packet, if there is one now.
    pub fn try_next(&mut self) -> Option<OutgoingPacket> {
        self.packets.try_recv().ok()
    }
}

/// A packet on its way out. Drop it when it has left the machine: that makes room for the next.
pub struct OutgoingPacket {
    bytes: Vec<u8>,
    slot: Slot,
}

impl OutgoingPacket {
    /// The packet.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes by themselves, and what counts them as outstanding until it is dropped.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Slot) {
        (self.bytes, self.slot)
    }
}

impl fmt::Debug for OutgoingPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutgoingPacket({} bytes)", self.bytes.len())
    }
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The link is down.
    #[error("the link is down")]
    Closed,
    /// Packets have at least one byte.
    #[error("the packet is empty")]
    Empty,
    /// As many packets as the link allows are outstanding.
    #[error("the link's queue is full")]
    Full,
    /// The packet is longer than the link's MTU.
    #[error("the packet has {length} bytes; the link carries {mtu}")]
    TooLong {
        /// Length of the packet.
        length: usize,
        /// The longest that the link carries.
        mtu: usize,
    },
}

/// Counts one packet as outstanding until it is dropped.
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    window: Arc<Window>,
    /// The packet's slot in the link above, where a layer passed it on.
    above: Option<Box<Self>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Room first: whoever is told of a packet that left can send the next one at once.
        drop(self.permit.take());
        self.window
            .drained
            .send_modify(|total| *total = total.saturating_add(1));
        drop(self.above.take());
    }
}

#[derive(Debug)]
struct Window {
    room: Arc<Semaphore>,
    drained: watch::Sender<u64>,
}

pub(crate) fn channel(info: &LinkInfo) -> (LinkSender, PacketSource) {
    let (sender, packets) = mpsc::channel(info.queue);
    let (drained, drains) = watch::channel(0);
    let window = Arc::new(Window {
        room: Arc::new(Semaphore::new(info.queue)),
        drained,
    });
    let sender = LinkSender {
        packets: sender,
        window: Arc::downgrade(&window),
        drained: drains,
        mtu: info.mtu,
    };
    (
        sender,
        PacketSource {
            packets,
            _window: window,
        },
    )
}
