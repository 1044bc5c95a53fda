//! What a neighbour writes or notifies, read without delay.
//!
//! `bluetoothd` writes values to the socket of whoever acquired them, and waits there when it is full: for everybody, on
//! every adapter. So the socket is read at once, whatever the node does meanwhile, and what finds no room here is
//! left out. The hop sends it again.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use bluer::Address;
use bluer::gatt::CharacteristicReader;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::{Mutex, mpsc};
use tokio::task::AbortHandle;

use crate::AttMtu;

/// Values that wait for the node: more than a hop has under way, at 512 bytes each.
const VALUES: usize = 256;

/// Values that came.
pub(super) struct Inbox {
    pub(super) peer: Address,
    pub(super) mtu: AttMtu,
    values: Mutex<mpsc::Receiver<Vec<u8>>>,
    pump: AbortHandle,
}

impl Inbox {
    /// Reads from now on, until it is dropped.
    pub(super) fn open(reader: CharacteristicReader) -> Self {
        let (sender, values) = mpsc::channel(VALUES);
        // Whoever acquired the values is told ATT_MTU as it was agreed.
        let mtu = AttMtu::new(reader.mtu());
        let peer = reader.device_address();
        let pump = tokio::spawn(pump(reader, sender)).abort_handle();
        Self {
            peer,
            mtu,
            values: Mutex::new(values),
            pump,
        }
    }

    /// The next value; `None` once BlueZ has closed its end.
    pub(super) async fn recv(&self) -> Option<Vec<u8>> {
        self.values.lock().await.recv().await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

async fn pump(reader: CharacteristicReader, values: mpsc::Sender<Vec<u8>>) {
    while let Ok(value) = reader.recv().await {
        // A stranger may write nothing: that is no end.
        if value.is_empty() && is_closed(&reader).unwrap_or(true) {
            return;
        }
        if let Err(mpsc::error::TrySendError::Closed(_)) = values.try_send(value) {
            return;
        }
    }
}

/// Whether the other end of a socket was closed.
#[expect(
    unsafe_code,
    reason = "bluer's reader gives its descriptor as a number only"
)]
fn is_closed(socket: &impl AsRawFd) -> io::Result<bool> {
    // SAFETY: the descriptor belongs to `socket`, which is borrowed for longer than this call.
    let fd = unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) };
    let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::RDHUP)];
    poll(&mut polled, Some(&Timespec::default()))?;
    let gone = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR;
    Ok(polled.iter().any(|one| one.revents().intersects(gone)))
}
