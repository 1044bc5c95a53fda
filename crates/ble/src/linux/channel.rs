//! What carries the packets of one link.

use std::io;
use std::os::fd::FromRawFd as _;

use bluer::Address;
use bluer::gatt::{CharacteristicReader, CharacteristicWriter};
use bluer::l2cap::SeqPacket;
use tokio::net::UnixDatagram;

use super::gatt_server::Lease;
use super::l2cap::{PACKET_LEN, limit_send_buffer};

/// What a write or notification costs of ATT_MTU.
const ATT_HEADER: usize = 3;
/// The longest value of an attribute (Bluetooth Core 5.4, volume 3, part F, 3.2.9).
const MAX_VALUE: usize = 512;
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
    peer: Address,
    reader: CharacteristicReader,
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
        reader: CharacteristicReader,
        writer: CharacteristicWriter,
        lease: Option<Lease>,
    ) -> io::Result<Self> {
        let peer = reader.device_address();
        let descriptor = writer.into_raw_fd()?;
        // SAFETY: `into_raw_fd` has just given the descriptor away, and nobody else has it.
        let writer = unsafe { std::os::unix::net::UnixDatagram::from_raw_fd(descriptor) };
        writer.set_nonblocking(true)?;
        Ok(Self {
            peer,
            reader,
            writer: UnixDatagram::from_std(writer)?,
            _lease: lease,
        })
    }

    /// The reader tells ATT_MTU as it was agreed.
    fn mtu(&self) -> usize {
        let payload = self.reader.mtu().saturating_sub(ATT_HEADER);
        payload.min(MAX_VALUE)
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
        limit_send_buffer(&socket)?;
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
            Self::Gatt(gatt) => gatt.peer,
            Self::L2cap(l2cap) => l2cap.peer,
        }
    }

    /// What it is called in `chappe peers`.
    pub(super) const fn bearer(&self) -> &'static str {
        match self {
            Self::Gatt(_) => "ble-gatt",
            Self::L2cap(_) => "ble-l2cap",
        }
    }

    /// The longest packet, in both directions.
    pub(super) fn mtu(&self) -> usize {
        match self {
            Self::Gatt(gatt) => gatt.mtu(),
            Self::L2cap(l2cap) => l2cap.mtu,
        }
    }

    /// Sends a packet once there is room. Cancelled, it has sent all or nothing.
    pub(super) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        match self {
            Self::Gatt(gatt) => gatt.writer.send(packet).await.map(drop),
            Self::L2cap(l2cap) => l2cap.socket.send(packet).await.map(drop),
        }
    }

    /// The next packet; `None` once the other end has closed.
    pub(super) async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        let packet = match self {
            Self::Gatt(gatt) => gatt.reader.recv().await?,
            Self::L2cap(l2cap) => {
                let mut packet = vec![0; usize::from(PACKET_LEN)];
                let length = l2cap.socket.recv(&mut packet).await?;
                packet.truncate(length);
                packet
            }
        };
        Ok((!packet.is_empty()).then_some(packet))
    }
}
