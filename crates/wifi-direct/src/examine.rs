//! What keeps a machine from Wi-Fi Direct, in plain sentences.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use zbus::{Connection, OwnedObjectPath, Proxy, fdo};

use crate::radio::RadioOptions;
use crate::supplicant::{RadioError, Supplicant};

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
/// Tells of every switch on the machine; `/sys/class/rfkill` leaves out those of radios in other namespaces.
const SWITCHES: &str = "/dev/rfkill";
/// Bytes of what it tells of one switch (Linux: struct rfkill_event), and the kind that is Wi-Fi (RFKILL_TYPE_WLAN).
const EVENT_LEN: usize = 8;
const WLAN: u8 = 1;

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
        let trouble = RadioError::Managed(interface.clone());
        findings.push(Finding::bad(format!("{trouble}.")));
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

/// Whether NetworkManager runs and owns the interface.
pub(crate) async fn managed(bus: &Connection, interface: &str) -> zbus::Result<bool> {
    // Whoever calls a service that does not run may start it.
    let name = zbus::names::BusName::try_from(NETWORK_MANAGER)?;
    if !fdo::DBusProxy::new(bus).await?.name_has_owner(name).await? {
        return Ok(false);
    }
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

/// The switches that keep Wi-Fi off. Where they cannot be read, none is told of: without one there may be no such file.
fn switched_off(switches: &Path) -> Vec<&'static str> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(switches);
    let Ok(mut file) = opened else {
        return Vec::new();
    };
    let (mut soft, mut hard) = (false, false);
    let mut event = [0; EVENT_LEN];
    // Each switch that there is, one at a time; then it would wait for the next change.
    while let Ok(EVENT_LEN) = file.read(&mut event) {
        // Number of the switch (32 bits), its kind, what happened, and how it stands.
        let [_, _, _, _, kind, _, soft_now, hard_now] = event;
        soft |= kind == WLAN && soft_now != 0;
        hard |= kind == WLAN && hard_now != 0;
    }
    let mut says = Vec::new();
    if soft {
        says.push("Wi-Fi is switched off: run `rfkill unblock wlan`.");
    }
    if hard {
        says.push("Wi-Fi is switched off by a switch on the machine: turn it on there.");
    }
    says
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::fs;

    use super::*;

    fn told(name: &str, events: &[[u8; EVENT_LEN]]) -> Vec<&'static str> {
        let path = std::env::temp_dir().join(format!("chappe-{name}-{}", std::process::id()));
        fs::write(&path, events.concat()).unwrap();
        let says = switched_off(&path);
        fs::remove_file(path).unwrap();
        says
    }

    #[test]
    fn a_switch_of_wifi_is_told_and_how_it_is_turned() {
        let bluetooth = [0, 0, 0, 0, 2, 0, 1, 1];
        assert!(told("on", &[bluetooth, [1, 0, 0, 0, WLAN, 0, 0, 0]]).is_empty());
        let soft = told("soft", &[bluetooth, [1, 0, 0, 0, WLAN, 0, 1, 0]]);
        assert!(
            matches!(soft.as_slice(), [says] if says.contains("rfkill unblock wlan")),
            "{soft:?}"
        );
        let hard = told("hard", &[[1, 0, 0, 0, WLAN, 0, 0, 1], bluetooth]);
        assert!(
            matches!(hard.as_slice(), [says] if says.contains("on the machine")),
            "{hard:?}"
        );
        assert!(switched_off(Path::new("/nowhere/rfkill")).is_empty());
    }
}
