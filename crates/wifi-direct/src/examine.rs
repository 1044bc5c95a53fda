//! What keeps a machine from Wi-Fi Direct, in plain sentences.

use std::fs;
use std::path::Path;

use zbus::{Connection, OwnedObjectPath, Proxy};

use crate::radio::RadioOptions;
use crate::supplicant::Supplicant;

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const SWITCHES: &str = "/sys/class/rfkill";

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// One sentence; where it is not, with what to do.
    pub says: String,
}

impl Finding {
    fn good(says: impl Into<String>) -> Self {
        let says = says.into();
        Self { ok: true, says }
    }

    fn bad(says: impl Into<String>) -> Self {
        let says = says.into();
        Self { ok: false, says }
    }
}

/// Looks whether a radio can be used, and hides what it should.
pub async fn examine(options: &RadioOptions) -> Vec<Finding> {
    let mut findings: Vec<Finding> = switched_off(Path::new(SWITCHES))
        .into_iter()
        .map(Finding::bad)
        .collect();
    let interface = &options.interface;
    let bus = match options.bus.connect().await {
        Ok(bus) => bus,
        Err(error) => {
            findings.push(Finding::bad(format!("{error}.")));
            return findings;
        }
    };
    match Supplicant::find(&bus, interface).await {
        Ok(supplicant) => {
            if findings.is_empty() {
                findings.push(Finding::good(format!(
                    "{interface} can make and join groups."
                )));
            }
            findings.extend(address(&supplicant, interface).await);
            if supplicant.is_created() {
                // It is as it was before the examination; a refusal shows the next time.
                let _ = supplicant.remove().await;
            }
        }
        Err(error) => findings.push(Finding::bad(format!("{error}."))),
    }
    if let Ok(true) = managed(&bus, interface).await {
        findings.push(Finding::bad(format!(
            "NetworkManager manages {interface} and may take it at any time: run `nmcli device set {interface} managed no`."
        )));
    }
    findings
}

/// What others see of the radio: an address for each group, or one for good.
async fn address(supplicant: &Supplicant, interface: &str) -> Option<Finding> {
    match supplicant.has_lasting_address().await {
        Ok(true) => Some(Finding::good(format!(
            "{interface}'s driver has one Wi-Fi Direct address for good, by which members and listeners recognise it \
             from group to group; a radio without \"P2P-device\" in `iw list` has another one in each."
        ))),
        Ok(false) if supplicant.is_passing() => Some(Finding::good(format!(
            "{interface} shows another address in each group."
        ))),
        Ok(false) => Some(Finding::bad(format!(
            "{interface} shows its own address, because wpa_supplicant had it before: add \
             `p2p_device_random_mac_addr=1` to its configuration file, or take it away with \
             `wpa_cli -g /run/wpa_supplicant-global interface_remove {interface}`."
        ))),
        Err(_) => None,
    }
}

/// Whether NetworkManager owns the interface.
async fn managed(bus: &Connection, interface: &str) -> zbus::Result<bool> {
    let manager = Proxy::new(
        bus,
        NETWORK_MANAGER,
        "/org/freedesktop/NetworkManager",
        NETWORK_MANAGER,
    )
    .await?;
    let device: OwnedObjectPath = manager.call("GetDeviceByIpIface", &(interface)).await?;
    let device = Proxy::new(
        bus,
        NETWORK_MANAGER,
        device,
        "org.freedesktop.NetworkManager.Device",
    )
    .await?;
    device.get_property("Managed").await
}

/// The switches that keep Wi-Fi off.
fn switched_off(switches: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(switches) else {
        return Vec::new();
    };
    let read = |path: &Path, name| fs::read_to_string(path.join(name)).unwrap_or_default();
    let (mut soft, mut hard) = (false, false);
    for entry in entries.flatten() {
        let path = entry.path();
        if read(&path, "type").trim() == "wlan" {
            soft |= read(&path, "soft").trim() == "1";
            hard |= read(&path, "hard").trim() == "1";
        }
    }
    let mut findings = Vec::new();
    if soft {
        findings.push("Wi-Fi is switched off: run `rfkill unblock wlan`.".to_owned());
    }
    if hard {
        findings
            .push("Wi-Fi is switched off by a switch on the machine: turn it on there.".to_owned());
    }
    findings
}
