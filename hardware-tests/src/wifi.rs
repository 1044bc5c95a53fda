//! Virtual Wi-Fi radios (`mac80211_hwsim`): each in a network namespace of its own, with a D-Bus and a
//! wpa_supplicant of its own. In one namespace two radios would talk over loopback.

use std::fs;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context as _;

use crate::lab::{background, kill, shell};
use crate::pcap::Mac;
use crate::wait;

const SUPPLICANT_LIMIT: Duration = Duration::from_secs(30);
const PHYS: &str = "/sys/class/ieee80211";
/// Where `ip netns` keeps its namespaces.
const NAMESPACES: &str = "/run/netns";
/// What the names of the radios' namespaces begin with.
const PREFIX: &str = "wifi-";
/// The capture while it grows: in memory, since over the shared folder it would slow everything down.
const CAPTURE: &str = "/run/hwsim.pcap";
/// As much as is kept of a frame: all of those that are readable for everybody.
const SNAP_LEN: &str = "600";
/// How long the kernel may take to remove the radios.
const GONE_LIMIT: Duration = Duration::from_secs(20);
/// All may talk to all, unless a rule says something else: nobody else is on these buses.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=@SOCKET@</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow send_type="method_call"/>@RULE@</policy>
<policy user="root"><allow send_destination="*"/></policy></busconfig>
"#;

/// What the radios' driver is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// It has a P2P device of its own, whose address cannot be changed; as a Raspberry Pi's.
    P2pDevice,
    /// It has none: the interface is the P2P device, and its address can be changed.
    Plain,
}

/// The radios.
#[derive(Default)]
pub(crate) struct Wifi {
    radios: Vec<Radio>,
    monitor: Option<Child>,
    /// Where the capture goes in the end.
    kept: PathBuf,
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
    pub(crate) fn start(
        &mut self,
        radios: usize,
        driver: Driver,
        logs: &Path,
    ) -> anyhow::Result<()> {
        self.stop()?;
        let own = u8::from(driver == Driver::P2pDevice);
        shell(&format!(
            "modprobe mac80211_hwsim radios={radios} support_p2p_device={own}"
        ))?;
        shell("ip link set hwsim0 up")?;
        self.kept = logs.join("hwsim.pcap");
        let mut monitor = Command::new("tcpdump");
        monitor.args(["-i", "hwsim0", "-U", "-s", SNAP_LEN, "-w", CAPTURE]);
        self.monitor = Some(background(&mut monitor, &logs.join("tcpdump.log"))?);
        for (number, path) in phys()?.iter().enumerate() {
            let radio = Radio::new(number, path, logs)?;
            // One that does not come up is stopped like the others.
            self.radios.push(radio);
            self.radios.last_mut().map_or(Ok(()), Radio::start)?;
        }
        Ok(())
    }

    /// What a node on this radio is told with `--radio`, without a group.
    pub(crate) fn radio(&self, number: usize) -> String {
        self.radios
            .get(number)
            .map(|radio| {
                let (interface, netns, bus) = (&radio.interface, &radio.netns, radio.address());
                format!("wifi-direct:{interface},netns={netns},bus={bus}")
            })
            .unwrap_or_default()
    }

    /// Radios hear each other if their masks share a bit.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn groups(&self, number: usize, mask: u8) -> anyhow::Result<()> {
        let radio = self.radio_of(number)?;
        let path = format!("/sys/kernel/debug/ieee80211/{}/hwsim/group", radio.phy);
        fs::write(&path, mask.to_string()).with_context(|| path)
    }

    /// A command line in the radio's namespace.
    ///
    /// # Errors
    /// When it fails; with what it printed.
    pub(crate) fn inside(&self, number: usize, line: &str) -> anyhow::Result<String> {
        let netns = &self.radio_of(number)?.netns;
        // Another shell, for what is piped or chained.
        shell(&format!("ip netns exec {netns} bash -c '{line}'"))
    }

    /// The addresses that the radio has now.
    ///
    /// # Errors
    /// When `iw` does not tell.
    pub(crate) fn addresses(&self, number: usize) -> anyhow::Result<Vec<Mac>> {
        let told = self.inside(number, "iw dev")?;
        let words = told.split_ascii_whitespace();
        let after = words.clone().skip(1);
        let addresses = words.zip(after).filter(|(word, _)| *word == "addr");
        addresses.map(|(_, address)| address.parse()).collect()
    }

    /// The capture of the air, complete so far.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn capture(&self) -> anyhow::Result<&Path> {
        anyhow::ensure!(self.monitor.is_some(), "nothing is captured");
        // tcpdump writes each packet at once, and needs a moment for the last ones.
        std::thread::sleep(Duration::from_secs(1));
        Ok(Path::new(CAPTURE))
    }

    /// The interface of the group that the radio is in.
    ///
    /// # Errors
    /// When it is in none.
    pub(crate) fn group_interface(&self, number: usize) -> anyhow::Result<String> {
        let links = self.inside(number, "ls /sys/class/net")?;
        let mut groups = links
            .split_ascii_whitespace()
            .filter(|name| name.starts_with("p2p-wlan"));
        groups.next().map(str::to_owned).context("no group is up")
    }

    /// The address of the group's interface.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn group_address(&self, number: usize) -> anyhow::Result<Ipv6Addr> {
        let interface = self.group_interface(number)?;
        let told = self.inside(number, &format!("ip -6 -o address show dev {interface}"))?;
        let address = told.split_once("inet6 ").map(|(_, rest)| rest);
        let address = address.and_then(|rest| rest.split('/').next());
        Ok(address
            .context("the group's interface has no address")?
            .parse()?)
    }

    /// A program in the radio's namespace.
    ///
    /// # Errors
    /// When there is no such radio.
    pub(crate) fn command(&self, number: usize, program: &str) -> anyhow::Result<Command> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.radio_of(number)?.netns, program]);
        Ok(command)
    }

    /// Lets the group's interface send so much, with `tc tbf`. `rate` is such as `20mbit`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn cap(&self, number: usize, rate: &str) -> anyhow::Result<()> {
        let interface = self.group_interface(number)?;
        let shape = format!("root tbf rate {rate} burst 16kb latency 100ms");
        self.inside(number, &format!("tc qdisc replace dev {interface} {shape}"))?;
        Ok(())
    }

    /// Takes the group's interface away, as the kernel does when a driver gives up.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn tear_down(&self, number: usize) -> anyhow::Result<()> {
        let interface = self.group_interface(number)?;
        self.inside(number, &format!("iw dev {interface} del"))?;
        Ok(())
    }

    fn radio_of(&self, number: usize) -> anyhow::Result<&Radio> {
        self.radios.get(number).context("no such radio")
    }

    /// The radio's interface, without a group.
    ///
    /// # Errors
    /// When there is no such radio.
    pub(crate) fn interface(&self, number: usize) -> anyhow::Result<&str> {
        Ok(&self.radio_of(number)?.interface)
    }

    /// The D-Bus address of the radio's bus.
    ///
    /// # Errors
    /// When there is no such radio.
    pub(crate) fn bus(&self, number: usize) -> anyhow::Result<String> {
        Ok(self.radio_of(number)?.address())
    }

    /// Runs `nmcli` on the radio's bus.
    ///
    /// # Errors
    /// When it fails; with what it printed.
    pub(crate) fn nmcli(&self, number: usize, arguments: &str) -> anyhow::Result<String> {
        let bus = self.bus(number)?;
        self.inside(
            number,
            &format!("DBUS_SYSTEM_BUS_ADDRESS={bus} nmcli {arguments}"),
        )
    }

    /// Ends a radio's wpa_supplicant as a crash does.
    ///
    /// # Errors
    /// When there is no such radio.
    pub(crate) fn kill_supplicant(&mut self, number: usize) -> anyhow::Result<()> {
        self.radio_mut(number)?.kill_supplicant();
        Ok(())
    }

    /// Ends a radio's wpa_supplicant as a crash does, and starts it again.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn restart_supplicant(&mut self, number: usize) -> anyhow::Result<()> {
        let radio = self.radio_mut(number)?;
        radio.kill_supplicant();
        radio.start_supplicant(None)
    }

    /// The same, where it is given the radio with this configuration, by somebody else than a node.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn restart_supplicant_with(
        &mut self,
        number: usize,
        settings: &str,
    ) -> anyhow::Result<()> {
        let radio = self.radio_mut(number)?;
        radio.kill_supplicant();
        radio.start_supplicant(Some(settings))
    }

    /// Starts a radio's bus anew, and wpa_supplicant on it, with this rule for all but root.
    ///
    /// # Errors
    /// When one does not come up.
    pub(crate) fn restart_bus(&mut self, number: usize, rule: &str) -> anyhow::Result<()> {
        let radio = self.radio_mut(number)?;
        radio.kill_supplicant();
        radio.bus.iter_mut().for_each(kill);
        radio.start_bus(rule)?;
        radio.start_supplicant(None)
    }

    fn radio_mut(&mut self, number: usize) -> anyhow::Result<&mut Radio> {
        self.radios.get_mut(number).context("no such radio")
    }

    /// Stops everything, and waits until nothing is left of it: not of a scenario that failed half-way either.
    ///
    /// # Errors
    /// When something stays.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut monitor) = self.monitor.take() {
            kill(&mut monitor);
            fs::copy(CAPTURE, &self.kept).context("keeping the capture of the air")?;
        }
        for radio in &mut self.radios {
            radio.supplicant.iter_mut().for_each(kill);
            radio.bus.iter_mut().for_each(kill);
        }
        // The radios go first: a namespace that is deleted gives its radios back.
        shell("! grep -q '^mac80211_hwsim ' /proc/modules || modprobe -r mac80211_hwsim")?;
        wait::until("the radios to be gone", GONE_LIMIT, || {
            Ok(phys()?.is_empty().then_some(()))
        })?;
        for radio in self.radios.drain(..) {
            let _ = fs::remove_dir_all(radio.folder);
        }
        for netns in namespaces() {
            // A process that outlived its scenario would keep the namespace.
            let kill = format!("ip netns pids {netns} | xargs -r kill -9");
            shell(&format!("{kill}; ip netns delete {netns}"))?;
        }
        Ok(())
    }
}

/// The radios' folders, in the order of their numbers.
fn phys() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(PHYS) else {
        return Ok(Vec::new());
    };
    let mut phys: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    phys.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    Ok(phys)
}

/// The namespaces of radios that there are.
fn namespaces() -> Vec<String> {
    let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(PREFIX)).collect()
}

impl Radio {
    fn new(number: usize, path: &Path, logs: &Path) -> anyhow::Result<Self> {
        let phy = path.file_name().context("a radio has a name")?;
        let mut interfaces = fs::read_dir(path.join("device/net"))?;
        let interface = interfaces.next().context("a radio has an interface")??;
        let netns = format!("{PREFIX}{number}");
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

    fn socket(&self) -> PathBuf {
        self.folder.join("bus")
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let (phy, netns) = (&self.phy, &self.netns);
        shell(&format!(
            "ip netns add {netns} && iw phy {phy} set netns name {netns} && ip -n {netns} link set lo up"
        ))?;
        fs::create_dir_all(&self.folder)?;
        self.start_bus("")?;
        self.start_supplicant(None)
    }

    fn start_bus(&mut self, rule: &str) -> anyhow::Result<()> {
        let (socket, config) = (self.socket(), self.folder.join("bus.conf"));
        // One that is left by a bus that was killed answers nobody.
        let _ = fs::remove_file(&socket);
        let text = BUS.replace("@SOCKET@", &socket.display().to_string());
        fs::write(&config, text.replace("@RULE@", rule))?;
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--nofork").arg("--config-file").arg(&config);
        self.bus = Some(background(&mut bus, &self.log)?);
        wait::until("a D-Bus for the radio", SUPPLICANT_LIMIT, || {
            Ok(socket.exists().then_some(()))
        })
    }

    fn kill_supplicant(&mut self) {
        self.supplicant.iter_mut().for_each(kill);
        self.supplicant = None;
    }

    /// As Debian's service starts it, without an interface; or with the radio's, and these settings.
    fn start_supplicant(&mut self, settings: Option<&str>) -> anyhow::Result<()> {
        let mut supplicant = Command::new("ip");
        supplicant.args(["netns", "exec", &self.netns, "wpa_supplicant", "-u", "-t"]);
        if let Some(settings) = settings {
            let config = self.folder.join("wpa.conf");
            fs::write(&config, settings)?;
            supplicant.args(["-D", "nl80211", "-i", &self.interface, "-c"]);
            supplicant.arg(config);
        }
        supplicant.env("DBUS_SYSTEM_BUS_ADDRESS", self.address());
        self.supplicant = Some(background(&mut supplicant, &self.log)?);
        let bus = self.address();
        wait::until("wpa_supplicant on its bus", SUPPLICANT_LIMIT, || {
            let names = shell(&format!(
                "dbus-send --bus={bus} --print-reply --dest=org.freedesktop.DBus / \
                 org.freedesktop.DBus.ListNames"
            ))?;
            Ok(names.contains("fi.w1.wpa_supplicant1").then_some(()))
        })
    }
}

impl Drop for Wifi {
    fn drop(&mut self) {
        // The guest ends with it.
        let _ = self.stop();
    }
}
