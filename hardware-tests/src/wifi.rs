//! Virtual Wi-Fi radios (`mac80211_hwsim`): each in a network namespace of its own, with a D-Bus and a
//! wpa_supplicant of its own. In one namespace two radios would talk over loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context as _;

use crate::lab::{background, kill, shell};
use crate::wait;

const SUPPLICANT_LIMIT: Duration = Duration::from_secs(30);
const PHYS: &str = "/sys/class/ieee80211";
/// All may talk to all: nobody else is on these buses.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=@SOCKET@</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow send_type="method_call"/></policy></busconfig>
"#;
/// Nothing that tells devices apart. `p2p_device_random_mac_addr=1`, which a real radio is to have, keeps wpa_supplicant
/// 2.10 from using the simulated ones at all.
const SUPPLICANT: &str = "device_name=device\nmanufacturer=\nmodel_name=\nmodel_number=\nserial_number=\n\
    p2p_no_group_iface=0\n";

/// The radios.
#[derive(Default)]
pub(crate) struct Wifi {
    radios: Vec<Radio>,
    monitor: Option<Child>,
}

struct Radio {
    phy: String,
    interface: String,
    netns: String,
    folder: PathBuf,
    log: PathBuf,
    bus: Option<Child>,
    supplicant: Option<Child>,
}

impl Wifi {
    /// Starts so many radios, and a capture of what they send.
    ///
    /// # Errors
    /// When one does not come up.
    pub(crate) fn start(&mut self, radios: usize, logs: &Path) -> anyhow::Result<()> {
        self.stop();
        shell(&format!("modprobe mac80211_hwsim radios={radios}"))?;
        let capture = logs.join("hwsim.pcap");
        let mut monitor = Command::new("tcpdump");
        monitor.args(["-i", "hwsim0", "-U", "-w"]).arg(capture);
        shell("ip link set hwsim0 up")?;
        self.monitor = Some(background(&mut monitor, &logs.join("tcpdump.log"))?);
        let mut phys: Vec<PathBuf> = fs::read_dir(PHYS)?
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<_>>()?;
        phys.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
        for (number, path) in phys.iter().enumerate() {
            let mut radio = Radio::new(number, path, logs)?;
            radio.start()?;
            self.radios.push(radio);
        }
        Ok(())
    }

    /// What a node on this radio is told with `--radio`, without a group.
    pub(crate) fn radio(&self, number: usize) -> String {
        self.radios
            .get(number)
            .map(|radio| {
                let (interface, netns, bus) = (&radio.interface, &radio.netns, radio.bus());
                format!("wifi-direct:{interface},netns={netns},bus=unix:path={bus}")
            })
            .unwrap_or_default()
    }

    /// Radios hear each other if their masks share a bit.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn groups(&self, number: usize, mask: u8) -> anyhow::Result<()> {
        let radio = self.radios.get(number).context("no such radio")?;
        let path = format!("/sys/kernel/debug/ieee80211/{}/hwsim/group", radio.phy);
        fs::write(&path, mask.to_string()).with_context(|| path)
    }

    /// Ends a radio's wpa_supplicant as a crash does, and starts it again.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn restart_supplicant(&mut self, number: usize) -> anyhow::Result<()> {
        let radio = self.radios.get_mut(number).context("no such radio")?;
        radio.supplicant.iter_mut().for_each(kill);
        radio.start_supplicant()
    }

    /// Stops everything.
    pub(crate) fn stop(&mut self) {
        self.monitor.iter_mut().for_each(kill);
        self.monitor = None;
        for radio in &mut self.radios {
            radio.supplicant.iter_mut().for_each(kill);
            radio.bus.iter_mut().for_each(kill);
        }
        // The radios go first: a namespace that is deleted gives its radios back.
        let _ = shell("modprobe -r mac80211_hwsim");
        for radio in self.radios.drain(..) {
            let _ = shell(&format!("ip netns delete {}", radio.netns));
        }
    }
}

impl Radio {
    fn new(number: usize, path: &Path, logs: &Path) -> anyhow::Result<Self> {
        let phy = path.file_name().context("a radio has a name")?;
        let mut interfaces = fs::read_dir(path.join("device/net"))?;
        let interface = interfaces.next().context("a radio has an interface")??;
        let netns = format!("wifi-{number}");
        Ok(Self {
            phy: phy.to_string_lossy().into_owned(),
            interface: interface.file_name().to_string_lossy().into_owned(),
            folder: PathBuf::from(format!("/run/{netns}")),
            log: logs.join(format!("wpa_supplicant-{number}.log")),
            netns,
            bus: None,
            supplicant: None,
        })
    }

    fn bus(&self) -> String {
        self.folder.join("bus").display().to_string()
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let (phy, netns) = (&self.phy, &self.netns);
        shell(&format!(
            "ip netns add {netns} && iw phy {phy} set netns name {netns} && ip -n {netns} link set lo up"
        ))?;
        fs::create_dir_all(&self.folder)?;
        let config = self.folder.join("bus.conf");
        fs::write(&config, BUS.replace("@SOCKET@", &self.bus()))?;
        fs::write(self.folder.join("wpa.conf"), SUPPLICANT)?;
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--nofork").arg("--config-file").arg(&config);
        self.bus = Some(background(&mut bus, &self.log)?);
        let socket = self.folder.join("bus");
        wait::until("a D-Bus for the radio", SUPPLICANT_LIMIT, || {
            Ok(socket.exists().then_some(()))
        })?;
        self.start_supplicant()
    }

    fn start_supplicant(&mut self) -> anyhow::Result<()> {
        let mut supplicant = Command::new("ip");
        supplicant
            .args(["netns", "exec", &self.netns, "wpa_supplicant", "-u"])
            .args(["-D", "nl80211", "-i", &self.interface, "-c"])
            .arg(self.folder.join("wpa.conf"))
            .env(
                "DBUS_SYSTEM_BUS_ADDRESS",
                format!("unix:path={}", self.bus()),
            );
        self.supplicant = Some(background(&mut supplicant, &self.log)?);
        let bus = self.bus();
        wait::until("wpa_supplicant on its bus", SUPPLICANT_LIMIT, || {
            let names = shell(&format!(
                "dbus-send --bus=unix:path={bus} --print-reply --dest=org.freedesktop.DBus / \
                 org.freedesktop.DBus.ListNames"
            ))?;
            Ok(names.contains("fi.w1.wpa_supplicant1").then_some(()))
        })
    }
}

impl Drop for Wifi {
    fn drop(&mut self) {
        self.stop();
    }
}
