//! What carries the packets of one link.

use std::io;
use std::os::fd::FromRawFd as _;

use bluer::Address;
use bluer::gatt::CharacteristicWriter;
use bluer::l2cap::SeqPacket;
use tokio::net::UnixDatagram;

use super::gatt_server::Lease;
use super::inbox::Inbox;
use super::l2cap::{PACKET_LEN, set_buffers};
use crate::packets::Packets;

/// The kernel tells the other end's limit only after a moment.
const MTU_TRIES: u32 = 50;
const MTU_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// A channel to a neighbour.
pub(super) enum Channel {
    Gatt(Gatt),
    L2cap(L2cap),
}

/// Writes one way, notifications the other.
pub(super) struct Gatt {
    inbox: Inbox,
    writer: UnixDatagram,
    /// The server's slot, free again when the channel is gone.
    _lease: Option<Lease>,
}

impl Gatt {
    /// A channel whose both directions are open.
    #[expect(
        unsafe_code,
        reason = "bluer's writer takes no more than ATT_MTU - 5 bytes, too few for a hop where ATT_MTU is 23"
    )]
    pub(super) fn open(
        inbox: Inbox,
        writer: CharacteristicWriter,
        lease: Option<Lease>,
    ) -> io::Result<Self> {
        let descriptor = writer.into_raw_fd()?;
        // SAFETY: `into_raw_fd` has just given the descriptor away, and nobody else has it.
        let writer = unsafe { std::os::unix::net::UnixDatagram::from_raw_fd(descriptor) };
        writer.set_nonblocking(true)?;
        Ok(Self {
            inbox,
            writer: UnixDatagram::from_std(writer)?,
            _lease: lease,
        })
    }

    /// The next value. `None` once BlueZ has closed either socket: it does so when the neighbour is gone, but the
    /// socket for writes stays open on its server.
    async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        tokio::select! {
            value = self.inbox.recv() => Ok(value),
            closed = self.writer.readable() => closed.map(|()| None),
        }
    }
}

/// A credit-based channel.
pub(super) struct L2cap {
    peer: Address,
    socket: SeqPacket,
    mtu: usize,
}

impl L2cap {
    /// A channel that is open.
    pub(super) async fn open(peer: Address, socket: SeqPacket) -> io::Result<Self> {
        set_buffers(&socket)?;
        let mut tries = 0;
        let mtu = loop {
            match socket.send_mtu() {
                Ok(mtu) => break mtu,
                Err(_) if tries < MTU_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(MTU_PAUSE).await;
        };
        let mtu = mtu.min(usize::from(PACKET_LEN));
        Ok(Self { peer, socket, mtu })
    }
}

impl Channel {
    /// Whom it leads to.
    pub(super) const fn peer(&self) -> Address {
        match self {
            Self::Gatt(gatt) => gatt.inbox.peer,
            Self::L2cap(l2cap) => l2cap.peer,
        }
    }
}

impl Packets for Channel {
    fn bearer(&self) -> &'static str {
        match self {
            Self::Gatt(_) => "ble-gatt",
            Self::L2cap(_) => "ble-l2cap",
        }
    }

    fn mtu(&self) -> usize {
        match self {
            Self::Gatt(gatt) => gatt.inbox.mtu.payload(),
            Self::L2cap(l2cap) => l2cap.mtu,
        }
    }

    /// The link layer acknowledges each fragment of both, and the connection ends when it cannot deliver one (Bluetooth
    /// Core 5.4, volume 6, part B, 4.5.9). A channel has credits above it, and room for all that a hop has under way. Writes
    /// without response and notifications have none (volume 3, part F, 3.3.2): the kernel drops what `bluetoothd` does not
    /// read in time, and [`Inbox`] what the node does not. That is rare, and the hop finds it by what comes later.
    fn reliable(&self) -> bool {
        true
    }

    async fn send(&self, packet: &[u8]) -> io::Result<()> {
        match self {
            Self::Gatt(gatt) => gatt.writer.send(packet).await.map(drop),
            Self::L2cap(l2cap) => l2cap.socket.send(packet).await.map(drop),
        }
    }

    async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Gatt(gatt) => gatt.recv().await,
            Self::L2cap(l2cap) => {
                let mut packet = vec![0; usize::from(PACKET_LEN)];
                let length = l2cap.socket.recv(&mut packet).await?;
                packet.truncate(length);
                Ok((length > 0).then_some(packet))
            }
        }
    }
}
