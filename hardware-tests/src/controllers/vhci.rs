//! `/dev/vhci`: where the kernel takes a program for a controller.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::fs::OFlags;

const DEVICE: &str = "/dev/vhci";
/// Asks for a controller, and tells which one it is.
const VENDOR: u8 = 0xff;
const LIMIT: Duration = Duration::from_secs(5);

/// The kernel's end of a controller. Dropped, the adapter is unplugged.
pub(super) struct Vhci {
    file: File,
    /// Of `hciN`.
    pub(super) number: u16,
}

impl Vhci {
    /// Plugs an adapter in.
    ///
    /// # Errors
    /// When the kernel takes none.
    pub(super) fn plug() -> anyhow::Result<Self> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).custom_flags(flags);
        let file = file.open(DEVICE).with_context(|| DEVICE.to_owned())?;
        let mut vhci = Self { file, number: 0 };
        vhci.file.write_all(&[VENDOR, 0])?;
        let asked = Instant::now();
        loop {
            match vhci.read()?.as_deref() {
                Some([VENDOR, _, low, high, ..]) => {
                    vhci.number = u16::from_le_bytes([*low, *high]);
                    return Ok(vhci);
                }
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
            anyhow::ensure!(asked.elapsed() < LIMIT, "{DEVICE} gives no adapter");
        }
    }

    /// A packet of the kernel's, if there is one.
    ///
    /// # Errors
    /// When the adapter is gone.
    pub(super) fn read(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut packet = vec![0; 1024];
        match self.file.read(&mut packet) {
            Ok(length) => {
                packet.truncate(length);
                Ok(Some(packet))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).context("reading from the kernel"),
        }
    }

    /// Gives the kernel a packet.
    ///
    /// # Errors
    /// When the adapter is gone.
    pub(super) fn write(&mut self, packet: &[u8]) -> anyhow::Result<()> {
        let written = self.file.write(packet).context("writing to the kernel")?;
        anyhow::ensure!(written == packet.len(), "the kernel took half a packet");
        Ok(())
    }
}

impl AsFd for Vhci {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
