//! Who is connected to an adapter, as the kernel knows it. BlueZ would tell of every device that it remembers, and a stranger
//! can make it remember thousands.

use std::io;
use std::num::NonZeroU32;

use bluer::Address;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with};

/// More than any adapter has.
const MOST: u16 = 64;
/// `BTPROTO_HCI` (Linux: `include/net/bluetooth/bluetooth.h`).
const HCI: u32 = 1;
/// `HCIGETCONNLIST` (Linux: `include/net/bluetooth/hci_sock.h`). It needs no rights.
const GET_CONNECTIONS: Opcode = opcode::read::<core::ffi::c_int>(b'H', 212);
/// `BT_CONNECTED`: others are about to be, or were.
const CONNECTED: u16 = 1;

/// The kernel's `hci_conn_list_req`.
#[repr(C)]
struct List {
    adapter: u16,
    /// How many there is room for; then how many there are.
    count: u16,
    connections: [Connection; MOST as usize],
}

/// The kernel's `hci_conn_info`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Connection {
    handle: u16,
    /// The last byte first.
    address: [u8; 6],
    kind: u8,
    outgoing: u8,
    state: u16,
    mode: u32,
}

/// Whoever is connected to the adapter called `name`, whoever connected.
///
/// # Errors
/// When the adapter is gone, or its name is none of the kernel's.
pub(super) fn connected(name: &str) -> io::Result<Vec<Address>> {
    let number = name.strip_prefix("hci").and_then(|it| it.parse().ok());
    let adapter = number.ok_or(io::ErrorKind::InvalidInput)?;
    let mut list = List {
        adapter,
        count: MOST,
        connections: [Connection::default(); MOST as usize],
    };
    ask(&mut list)?;
    let there = list.connections.iter().take(usize::from(list.count));
    let there = there.filter(|one| one.state == CONNECTED);
    Ok(there.map(|one| one.peer()).collect())
}

impl Connection {
    fn peer(&self) -> Address {
        let mut address = self.address;
        address.reverse();
        Address::new(address)
    }
}

#[expect(unsafe_code, reason = "rustix knows no call of Bluetooth's")]
fn ask(list: &mut List) -> io::Result<()> {
    let hci = NonZeroU32::new(HCI).map(Protocol::from_raw);
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::BLUETOOTH, SocketType::RAW, flags, hci)?;
    // SAFETY: the kernel reads the first two fields of `List`, which has its layout, and writes `count` connections at most,
    // for which there is room.
    unsafe { ioctl(socket, Updater::<GET_CONNECTIONS, List>::new(list)) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_and_this_program_mean_the_same_bytes() {
        assert_eq!(GET_CONNECTIONS, 0x8004_48d4);
        assert_eq!(size_of::<Connection>(), 16);
        assert_eq!(size_of::<List>(), 4 + 16 * usize::from(MOST));
        let one = Connection {
            address: [6, 5, 4, 3, 2, 1],
            ..Connection::default()
        };
        assert_eq!(one.peer(), Address::new([1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn an_adapter_that_is_no_kernels_is_refused() {
        assert!(connected("usb0").is_err());
        assert!(connected("hci70000").is_err());
    }
}
