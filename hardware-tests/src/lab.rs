//! The guest as scenarios see it: folders, radios, nodes; everything that was started is stopped again.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::bluetooth::{Bluetooth, Kind};
use crate::controllers::Octets;
use crate::node::Node;
use crate::rig::Rig;
use crate::wifi::{Driver, Wifi};

/// Where the guest keeps the program.
const PROGRAM: &str = "/run/chappe";

/// The guest, or real machines in its place.
pub(crate) struct Lab {
    /// Shared with the host: the programs, and where results go.
    pub(crate) results: PathBuf,
    /// The guest's own, in memory: the homes of nodes.
    work: PathBuf,
    /// Of the scenario that runs.
    scenario: String,
    /// Real machines; `None` in the guest.
    rig: Option<Rig>,
    pub(crate) bluetooth: Bluetooth,
    pub(crate) wifi: Wifi,
}

impl Lab {
    /// A guest whose radios are still off.
    ///
    /// # Errors
    /// When D-Bus does not start.
    pub(crate) fn new(results: &str, work: &str) -> anyhow::Result<Self> {
        shell("test -S /run/dbus/system_bus_socket || dbus-daemon --system --fork --nopidfile")?;
        // Started from the shared folder, every page of it would come over 9p, every time.
        fs::copy(Path::new(results).join("chappe"), PROGRAM).context("copying chappe")?;
        Ok(Self {
            results: results.into(),
            work: work.into(),
            scenario: String::new(),
            rig: None,
            bluetooth: Bluetooth::default(),
            wifi: Wifi::default(),
        })
    }

    /// The lab on real machines.
    ///
    /// # Errors
    /// When one of them does not answer, or lacks the program.
    pub(crate) fn on(rig: Rig, results: &Path) -> anyhow::Result<Self> {
        rig.prepare()?;
        Ok(Self {
            results: results.into(),
            work: results.join("work"),
            scenario: String::new(),
            rig: Some(rig),
            bluetooth: Bluetooth::default(),
            wifi: Wifi::default(),
        })
    }

    /// What kind of radios there are.
    pub(crate) fn place(&self) -> &'static str {
        match self.rig {
            Some(_) => "rig",
            None => "virtual",
        }
    }

    /// Fresh folders for a scenario.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(crate) fn prepare(&mut self, scenario: &str) -> anyhow::Result<()> {
        self.scenario = scenario.to_owned();
        fs::create_dir_all(self.logs())?;
        let _ = fs::remove_dir_all(&self.work);
        fs::create_dir_all(&self.work)?;
        self.rig.as_ref().map_or(Ok(()), Rig::prepare)
    }

    /// Where the scenario's logs and captures go.
    pub(crate) fn logs(&self) -> PathBuf {
        self.results.join("logs").join(&self.scenario)
    }

    /// Notes what the kernel was at when a scenario failed: who is blocked in it and where, and its own log.
    pub(crate) fn note_kernel(&self) {
        if self.rig.is_some() {
            return;
        }
        // A line for each that is blocked; it is no failure of its own if this does not work.
        let told = shell(
            "for task in /proc/[0-9]*/task/*; do \
               grep -qs '^State:.D' $task/status && echo \"== $task $(cat $task/comm)\" && cat $task/stack; \
             done; echo '== daemon'; cat /proc/$(pgrep -o bluetoothd)/stack; echo '== log'; dmesg | tail -n 100",
        );
        let told = told.unwrap_or_else(|error| format!("{error:#}"));
        let _ = fs::write(self.logs().join("kernel.log"), told);
    }

    /// Stops the radios.
    ///
    /// # Errors
    /// When something of them stays, and would be in the way of the next scenario.
    pub(crate) fn clear_away(&mut self) -> anyhow::Result<()> {
        if let Some(rig) = &self.rig {
            return rig.clear().context("clearing away");
        }
        self.bluetooth.stop();
        self.wifi.stop().context("clearing away")
    }

    /// Starts virtual adapters with the kernel's and BlueZ's real stacks on top, and btmon.
    ///
    /// # Errors
    /// When they do not all come up.
    pub(crate) fn radios(&mut self, adapters: usize) -> anyhow::Result<()> {
        self.radios_of(adapters, Kind::Lab(Octets::Long))
    }

    /// The same, over such controllers.
    ///
    /// # Errors
    /// When they do not all come up.
    pub(crate) fn radios_of(&mut self, adapters: usize, kind: Kind) -> anyhow::Result<()> {
        if let Some(rig) = &self.rig {
            let there = rig.adapters();
            anyhow::ensure!(
                there >= adapters,
                "it needs {adapters} machines, and the rig has {there}"
            );
            return Ok(());
        }
        let logs = self.logs();
        self.bluetooth.start(adapters, kind, &logs)
    }

    /// Starts so many virtual Wi-Fi radios, each with a wpa_supplicant of its own.
    ///
    /// # Errors
    /// When they do not all come up.
    pub(crate) fn wifi_radios(&mut self, radios: usize) -> anyhow::Result<()> {
        self.wifi_radios_of(Driver::Plain, radios)
    }

    /// The same, with another driver.
    ///
    /// # Errors
    /// When they do not all come up.
    pub(crate) fn wifi_radios_of(&mut self, driver: Driver, radios: usize) -> anyhow::Result<()> {
        anyhow::ensure!(self.rig.is_none(), "a rig has no virtual Wi-Fi radios");
        let logs = self.logs();
        self.wifi.start(radios, driver, &logs)
    }

    /// A path in the guest's memory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// A node that does not run yet. `radio` is what follows `--radio`.
    pub(crate) fn node(&self, name: &str, radio: &str) -> Node {
        let logs = self.logs();
        match self.rig.as_ref().and_then(|rig| rig.place(radio)) {
            Some((machine, radio)) => Node::on(machine, name, &radio, &logs),
            // On a rig too, where it was not looked whether there is such a radio: it then has no program.
            None => Node::new(name, radio, &self.program(), &self.work, &logs),
        }
    }

    /// A file of random bytes in the guest's memory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn file(&self, name: &str, length: usize) -> anyhow::Result<PathBuf> {
        let mut bytes = vec![0; length];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let path = self.work.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// The `chappe` program.
    pub(crate) fn program(&self) -> PathBuf {
        PROGRAM.into()
    }
}

/// Runs a command line to its end, and gives what it printed.
///
/// # Errors
/// When it fails; with what it printed.
pub(crate) fn shell(line: &str) -> anyhow::Result<String> {
    let output = Command::new("bash")
        .args(["-c", line])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        output.status.success(),
        "`{line}` failed ({}): {text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

/// Starts a program that goes on, with its output in `log`.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn background(command: &mut Command, log: &Path) -> anyhow::Result<Child> {
    let file = File::options().create(true).append(true).open(log)?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))
}

/// Kills a program and waits for its end.
pub(crate) fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
