//! L2CAP credit-based channels of LE. One packet is one service data unit.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use bluer::l2cap::{SeqPacket, SeqPacketListener, Socket, SocketAddr};
use bluer::{Address, AddressType};
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_send_buffer_size, socket_error,
};

/// The longest packet that this node takes. Longer ones save a few header bytes and delay what is urgent.
pub(super) const PACKET_LEN: u16 = 2_048;
/// What waits in the kernel: a few packets. Its default is seconds of airtime.
const SEND_BUFFER: usize = 32 * 1024;
/// Room for what comes; the kernel takes it twice. Linux before 6.10 gives credits back whether or not the socket is read, and
/// drops what finds no room: so all that a hop has under way finds some, at 1,280 bytes of the kernel's memory for each
/// frame of 247. It is also what a system allows unless it is told otherwise.
const RECEIVE_BUFFER: usize = 208 * 1024;
/// How often it is looked whether a channel is open.
const OPEN_PAUSE: Duration = Duration::from_millis(20);
/// Strangers who may wait for being accepted.
const BACKLOG: u32 = 8;

/// Where this node's end is: the adapter's identity address, whatever address it shows on air.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) kind: AddressType,
}

impl Place {
    const fn socket(self, psm: u16) -> SocketAddr {
        SocketAddr::new(self.address, self.kind, psm)
    }
}

/// Listens on a PSM.
pub(super) fn listen(own: Place, psm: u16) -> io::Result<SeqPacketListener> {
    socket(own, psm)?.listen(BACKLOG)
}

/// Opens a channel; the kernel connects first if there is no connection. May wait for as long as that takes.
pub(super) async fn connect(own: Place, peer: Place, psm: u16) -> io::Result<SeqPacket> {
    let channel = socket(own, 0)?.connect(peer.socket(psm)).await?;
    // bluer may take a channel for open that is only about to be: epoll calls a socket writable before it is told to
    // connect. The kernel tells the other end's limit once it is.
    while channel.send_mtu().is_err() {
        socket_error(borrowed(&channel))??;
        tokio::time::sleep(OPEN_PAUSE).await;
    }
    Ok(channel)
}

fn socket(own: Place, psm: u16) -> io::Result<Socket<SeqPacket>> {
    let socket = Socket::new_seq_packet()?;
    socket.bind(own.socket(psm))?;
    socket.set_recv_mtu(PACKET_LEN)?;
    set_buffers(&socket)?;
    Ok(socket)
}

/// Keeps the kernel's queue of what leaves short, and that of what comes long. Accepted sockets inherit nothing, so each is
/// told.
pub(super) fn set_buffers(socket: &impl AsRawFd) -> io::Result<()> {
    set_socket_send_buffer_size(borrowed(socket), SEND_BUFFER)?;
    Ok(set_socket_recv_buffer_size(
        borrowed(socket),
        RECEIVE_BUFFER,
    )?)
}

#[expect(
    unsafe_code,
    reason = "bluer's sockets give their descriptor as a number only, and have no such options"
)]
fn borrowed(socket: &impl AsRawFd) -> BorrowedFd<'_> {
    // SAFETY: the descriptor belongs to `socket`, which is borrowed for as long as the result.
    unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) }
}
