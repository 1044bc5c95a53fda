//! What keeps a machine from Wi-Fi Direct, in plain sentences.

use std::fs;
use std::path::Path;

use zbus::{Connection, OwnedObjectPath, Proxy};

use crate::radio::RadioOptions;
use crate::supplicant::Supplicant;

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const SWITCHES: &str = "/sys/class/rfkill";

/// Looks whether a radio can be used. Each finding is one sentence that says what mends it; none is good.
pub async fn examine(options: &RadioOptions) -> Vec<String> {
    let mut findings = switched_off(Path::new(SWITCHES));
    match options.bus.connect().await {
        Err(error) => findings.push(format!("{error}.")),
        Ok(bus) => {
            if let Err(error) = Supplicant::find(&bus, &options.interface).await {
                findings.push(format!("{error}."));
            }
            if let Ok(true) = managed(&bus, &options.interface).await {
                findings.push(format!(
                    "NetworkManager manages {0} and may take it at any time: run `nmcli device set {0} managed no`.",
                    options.interface
                ));
            }
        }
    }
    findings
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
