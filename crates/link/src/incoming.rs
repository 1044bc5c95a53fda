//! Packets from the neighbour to the node.

use tokio::sync::mpsc;

use crate::LinkInfo;

/// Receives the packets of a link.
#[derive(Debug)]
pub struct LinkReceiver {
    packets: mpsc::Receiver<Vec<u8>>,
}

impl LinkReceiver {
    /// The next packet, of 1 to MTU bytes; `None` once the link is down. Cancelled, it loses none.
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        self.packets.recv().await
    }

    /// The next packet, if there is one now.
    pub fn try_recv(&mut self) -> Option<Vec<u8>> {
        self.packets.try_recv().ok()
    }
}

/// Where a transport delivers the packets that arrive.
#[derive(Clone, Debug)]
pub struct PacketSink {
    packets: mpsc::Sender<Vec<u8>>,
    mtu: usize,
}

impl PacketSink {
    /// Hands a packet to the node, as soon as it has room. Transports that can hold their neighbour back wait
    /// here.
    ///
    /// # Errors
    /// [`DeliverError`]; the packet is dropped. After [`DeliverError::Closed`] the transport closes the link.
    pub async fn deliver(&self, packet: Vec<u8>) -> Result<(), DeliverError> {
        self.check(&packet)?;
        self.packets
            .send(packet)
            .await
            .map_err(|_| DeliverError::Closed)
    }

    /// Hands a packet to the node if it has room. For transports that are called back and cannot wait.
    ///
    /// # Errors
    /// [`DeliverError`]; the packet is dropped.
    pub fn try_deliver(&self, packet: Vec<u8>) -> Result<(), DeliverError> {
        self.check(&packet)?;
        self.packets.try_send(packet).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => DeliverError::Full,
            mpsc::error::TrySendError::Closed(_) => DeliverError::Closed,
        })
    }

    /// Returns when the node has closed its receiver.
    pub async fn closed(&self) {
        self.packets.closed().await;
    }

    fn check(&self, packet: &[u8]) -> Result<(), DeliverError> {
        match packet.len() {
            0 => Err(DeliverError::Length),
            length if length > self.mtu => Err(DeliverError::Length),
            _ => Ok(()),
        }
    }
}

/// Why a packet did not reach the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
    /// The node has closed the link.
    #[error("the node has closed the link")]
    Closed,
    /// The node has as many packets waiting as it takes.
    #[error("the node takes no more packets now")]
    Full,
    /// The packet is empty or longer than the link's MTU.
    #[error("the packet is empty or longer than the link's MTU")]
    Length,
}

pub(crate) fn channel(info: &LinkInfo) -> (PacketSink, LinkReceiver) {
    let (sender, packets) = mpsc::channel(info.queue);
    (
        PacketSink {
            packets: sender,
            mtu: info.mtu,
        },
        LinkReceiver { packets },
    )
}
