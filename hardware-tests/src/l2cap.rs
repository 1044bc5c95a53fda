//! Channels of L2CAP, without a node.

use std::time::Duration;

use anyhow::Context as _;
use bluer::l2cap::{SeqPacket, Socket, SocketAddr};
use bluer::{Adapter, Address, AddressType};
use tokio::time::{sleep, timeout};

/// As long as a node's packets.
pub(crate) const PACKET_LEN: u16 = 2_048;
/// How often it is looked whether a channel is open.
const LOOK: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(10);

/// A socket on an adapter; `psm` 0 is none in particular.
///
/// # Errors
/// When the kernel gives none.
pub(crate) async fn socket(adapter: &Adapter, psm: u16) -> anyhow::Result<Socket<SeqPacket>> {
    let (address, kind) = (adapter.address().await?, adapter.address_type().await?);
    let socket = Socket::new_seq_packet()?;
    socket.bind(SocketAddr::new(address, kind, psm))?;
    socket.set_recv_mtu(PACKET_LEN)?;
    Ok(socket)
}

/// Opens a channel.
///
/// # Errors
/// When nobody takes it.
pub(crate) async fn connect(
    adapter: &Adapter,
    (address, kind): (Address, AddressType),
    psm: u16,
) -> anyhow::Result<SeqPacket> {
    let socket = socket(adapter, 0).await?;
    let channel = socket.connect(SocketAddr::new(address, kind, psm)).await?;
    // bluer may take a channel for open that is only about to be.
    let open = async {
        while channel.send_mtu().is_err() {
            sleep(LOOK).await;
        }
    };
    timeout(LIMIT, open)
        .await
        .context("nobody takes the channel")?;
    Ok(channel)
}
