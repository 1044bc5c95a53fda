//! Virtual Bluetooth LE controllers (`btvirt`), with the kernel's stack and `bluetoothd` on top.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use crate::lab::{background, kill, shell};
use crate::wait;

const DAEMON: &str = "/usr/libexec/bluetooth/bluetoothd";
/// On the first start an adapter is often missing: the controllers are then made anew.
const ATTEMPTS: usize = 4;
const ADAPTERS_LIMIT: Duration = Duration::from_secs(20);

/// What runs for Bluetooth.
#[derive(Default)]
pub(crate) struct Bluetooth {
    logs: PathBuf,
    daemon: Option<Child>,
    controllers: Option<Child>,
    monitor: Option<Child>,
}

impl Bluetooth {
    /// Starts everything, with so many controllers: `hci0` and so on.
    ///
    /// # Errors
    /// When not all adapters come up.
    pub(crate) fn start(&mut self, adapters: usize, logs: &Path) -> anyhow::Result<()> {
        self.stop();
        self.logs = logs.to_owned();
        let _ = std::fs::remove_dir_all("/var/lib/bluetooth");
        self.start_daemon()?;
        let capture = logs.join("btmon.snoop");
        let mut monitor = Command::new("btmon");
        monitor.arg("-w").arg(capture);
        // What it prints is the same, at length.
        self.monitor = Some(background(&mut monitor, Path::new("/dev/null"))?);
        for _ in 0..ATTEMPTS {
            let mut btvirt = Command::new("btvirt");
            btvirt.arg(format!("-l{adapters}"));
            self.controllers = Some(background(&mut btvirt, &logs.join("btvirt.log"))?);
            let all = wait::until("all adapters", ADAPTERS_LIMIT, || {
                // Without bluetoothd it would wait for ever.
                let list = shell("timeout 5 bluetoothctl list || true")?;
                Ok((list.matches("Controller").count() == adapters).then_some(()))
            });
            if all.is_ok() {
                return Ok(());
            }
            self.controllers.iter_mut().for_each(kill);
            sleep(Duration::from_secs(1));
        }
        anyhow::bail!("{adapters} adapters did not come up; see btvirt.log and bluetoothd.log")
    }

    /// Starts `bluetoothd`.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer.
    pub(crate) fn start_daemon(&mut self) -> anyhow::Result<()> {
        let log = self.logs.join("bluetoothd.log");
        self.daemon = Some(background(Command::new(DAEMON).arg("-n"), &log)?);
        wait::until("bluetoothd on D-Bus", ADAPTERS_LIMIT, || {
            let names = shell(
                "dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
                 org.freedesktop.DBus.ListNames",
            )?;
            Ok(names.contains("org.bluez").then_some(()))
        })
    }

    /// Ends `bluetoothd` as a crash does.
    pub(crate) fn kill_daemon(&mut self) {
        self.daemon.iter_mut().for_each(kill);
        self.daemon = None;
    }

    /// Turns an adapter off, or on again.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn power(&self, adapter: usize, on: bool) -> anyhow::Result<()> {
        let word = if on { "on" } else { "off" };
        shell(&format!(
            "btmgmt --index {adapter} power {word} < /dev/zero"
        ))
        .with_context(|| format!("hci{adapter} power {word}"))?;
        Ok(())
    }

    /// Stops everything.
    pub(crate) fn stop(&mut self) {
        for child in [&mut self.monitor, &mut self.daemon, &mut self.controllers] {
            child.iter_mut().for_each(kill);
            *child = None;
        }
    }
}

impl Drop for Bluetooth {
    fn drop(&mut self) {
        self.stop();
    }
}
