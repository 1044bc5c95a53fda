//! Virtual Bluetooth LE adapters, with the kernel's stack and `bluetoothd` on top.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use crate::controllers::{Controllers, Octets};
use crate::daemon::Daemon;
use crate::lab::{background, kill, shell};
use crate::wait;

const SETTINGS: &str = "/etc/bluetooth/main.conf";
/// What may wait for a program that reads a socket.
const ROOM: &str = "/proc/sys/net/core/rmem_default";
const ROOM_BYTES: &str = "33554432";
/// On the first start an adapter is often missing: the controllers are then made anew.
const ATTEMPTS: usize = 4;
const ADAPTERS_LIMIT: Duration = Duration::from_secs(20);

/// What runs for Bluetooth.
#[derive(Default)]
pub(crate) struct Bluetooth {
    logs: PathBuf,
    daemon: Option<Daemon>,
    /// How it ended whenever it did so by itself, since it was asked last.
    ended: Vec<String>,
    controllers: Option<Controllers>,
    /// BlueZ's own emulator, where that is wanted.
    btvirt: Option<Child>,
    monitor: Option<Child>,
}

/// What the kernel drives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// BlueZ's emulator. Good for two adapters.
    Btvirt,
    /// The lab's controllers without the peripheral role.
    Central,
    /// BlueZ's emulator without Bluetooth LE.
    Classic,
    /// The lab's controllers, with such packets on the air.
    Lab(Octets),
}

impl Bluetooth {
    /// Starts everything, with so many adapters: `hci0` and so on.
    ///
    /// # Errors
    /// When not all adapters come up.
    pub(crate) fn start(&mut self, adapters: usize, kind: Kind, logs: &Path) -> anyhow::Result<()> {
        self.stop();
        logs.clone_into(&mut self.logs);
        let _ = std::fs::remove_dir_all("/var/lib/bluetooth");
        self.start_daemon()?;
        let capture = logs.join("btmon.snoop");
        // The kernel does not wait for it: what finds no room is missing in the capture.
        std::fs::write(ROOM, ROOM_BYTES).context(ROOM)?;
        let mut monitor = Command::new("nice");
        monitor.args(["-n", "-15", "btmon", "-w"]).arg(capture);
        // What it prints is the same, at length.
        self.monitor = Some(background(&mut monitor, Path::new("/dev/null"))?);
        match kind {
            Kind::Btvirt => self.start_btvirt(adapters, &[]),
            Kind::Central => {
                self.controllers = Some(Controllers::central_only(adapters)?);
                all_there(adapters)
            }
            Kind::Classic => self.start_btvirt(adapters, &["-B"]),
            Kind::Lab(octets) => {
                self.controllers = Some(Controllers::start(adapters, octets)?);
                let came = all_there(adapters);
                came.with_context(|| self.failure().unwrap_or_default())
            }
        }
    }

    fn start_btvirt(&mut self, adapters: usize, options: &[&str]) -> anyhow::Result<()> {
        for _ in 0..ATTEMPTS {
            let mut btvirt = Command::new("btvirt");
            btvirt.args(options).arg(format!("-l{adapters}"));
            self.btvirt = Some(background(&mut btvirt, &self.logs.join("btvirt.log"))?);
            if all_there(adapters).is_ok() {
                return Ok(());
            }
            self.btvirt.iter_mut().for_each(kill);
            sleep(Duration::from_secs(1));
        }
        anyhow::bail!("{adapters} adapters did not come up; see btvirt.log and bluetoothd.log")
    }

    /// The lab's controllers.
    ///
    /// # Errors
    /// When there are none, or they have failed.
    pub(crate) fn controllers(&self) -> anyhow::Result<&Controllers> {
        if let Some(failure) = self.failure() {
            anyhow::bail!("the controllers failed: {failure}");
        }
        self.controllers.as_ref().context("no controllers run")
    }

    fn failure(&self) -> Option<String> {
        self.controllers.as_ref().and_then(Controllers::failure)
    }

    /// Starts `bluetoothd`.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer.
    pub(crate) fn start_daemon(&mut self) -> anyhow::Result<()> {
        let log = self.logs.join("bluetoothd.log");
        self.daemon = Some(Daemon::start(&log)?);
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
        let ended = self.daemon.take().map(|daemon| daemon.ended());
        self.ended.extend(ended.into_iter().flatten());
    }

    /// How `bluetoothd` ended whenever it did so by itself, since this was asked last. It was started again each time.
    pub(crate) fn daemon_ended(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ended)
    }

    /// Stops `bluetoothd` where it is, or lets it go on: until then it answers nobody.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn freeze_daemon(&self, frozen: bool) -> anyhow::Result<()> {
        let id = self.daemon.as_ref().and_then(Daemon::id);
        let id = id.context("bluetoothd does not run")?;
        let signal = if frozen { "STOP" } else { "CONT" };
        shell(&format!("kill -{signal} {id}"))?;
        Ok(())
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

    /// Settings of `bluetoothd` under `[General]` in place of the lab's, from its next start on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn settings(&self, general: &str) -> anyhow::Result<()> {
        let settings = format!("[General]\n{general}");
        std::fs::write(SETTINGS, settings).with_context(|| SETTINGS.to_owned())
    }

    /// What `bluetoothd` asks for in the exchange of ATT_MTU, from its next start on.
    ///
    /// # Errors
    /// When its settings cannot be written.
    pub(crate) fn att_mtu(&self, bytes: usize) -> anyhow::Result<()> {
        let settings = std::fs::read_to_string(SETTINGS)?;
        let kept = settings
            .split("[GATT]")
            .next()
            .unwrap_or_default()
            .trim_end();
        let settings = format!("{kept}\n[GATT]\nExchangeMTU = {bytes}\n");
        std::fs::write(SETTINGS, settings).with_context(|| SETTINGS.to_owned())
    }

    /// Stops everything.
    pub(crate) fn stop(&mut self) {
        self.kill_daemon();
        for child in [&mut self.monitor, &mut self.btvirt] {
            child.iter_mut().for_each(kill);
            *child = None;
        }
        self.controllers = None;
    }
}

/// Waits until BlueZ has taken all adapters in.
fn all_there(adapters: usize) -> anyhow::Result<()> {
    wait::until("all adapters", ADAPTERS_LIMIT, || {
        // Without bluetoothd it would wait for ever.
        let list = shell("timeout 5 bluetoothctl list || true")?;
        Ok((list.matches("Controller").count() == adapters).then_some(()))
    })
}

impl Drop for Bluetooth {
    fn drop(&mut self) {
        self.stop();
    }
}
