//! What an adapter needs, looked at for `chappe doctor`; and the sentences for what is wrong.

use std::fs;
use std::time::Duration;

use bluer::{Adapter, Session};
use tokio::time::{sleep, timeout};

use super::{DBUS_LIMIT, within};
use crate::Finding;

/// What strangers may read as the adapter's name: the same everywhere.
const NAME: &str = "chappe";
const CONFIGURATION: &str = "/etc/bluetooth/main.conf";
/// BlueZ shows an adapter a moment before it knows what that can do.
const FEATURES_LIMIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(200);

/// Looks whether the adapter called `name` can do what a node needs, and hides what it should.
pub async fn check(name: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match look(name, &mut findings).await {
        Ok(()) => findings,
        Err(says) => {
            findings.push(Finding { ok: false, says });
            findings
        }
    }
}

async fn look(name: &str, findings: &mut Vec<Finding>) -> Result<(), String> {
    let mut note = |ok: bool, good: String, bad: String| {
        let says = if ok { good } else { bad };
        findings.push(Finding { ok, says });
    };
    let session = within("D-Bus", DBUS_LIMIT, Session::new())
        .await
        .map_err(|error| no_dbus(&error))?;
    let adapters = within("BlueZ", DBUS_LIMIT, session.adapter_names())
        .await
        .map_err(|error| no_bluez(&error))?;
    if !adapters.iter().any(|adapter| adapter == name) {
        return Err(no_adapter(name, &adapters));
    }
    note(!blocked(name), format!("{name} is there."), rfkill(name));
    let ask = |error: String| refused(name, &error);
    let adapter: Adapter = session
        .adapter(name)
        .map_err(|error| ask(error.to_string()))?;
    let powered = within("BlueZ", DBUS_LIMIT, adapter.is_powered())
        .await
        .map_err(ask)?;
    note(powered, format!("{name} is on."), off(name));
    note(
        can_advertise(&adapter).await,
        format!("{name} can advertise (peripheral role)."),
        no_peripheral(name),
    );
    let alias = within("BlueZ", DBUS_LIMIT, adapter.alias())
        .await
        .map_err(ask)?;
    note(
        alias == NAME,
        "Strangers read the same name as everywhere.".to_owned(),
        format!(
            "Any stranger can read the adapter's name, {alias:?}; run `bluetoothctl system-alias {NAME}`."
        ),
    );
    note(
        is_private(&fs::read_to_string(CONFIGURATION).unwrap_or_default()),
        "The adapter's address changes.".to_owned(),
        format!(
            "The adapter shows one address for ever; set `Privacy = device` under [General] in \
             {CONFIGURATION} and run `systemctl restart bluetooth`."
        ),
    );
    Ok(())
}

/// Whether the adapter advertises, or can. One without Bluetooth LE cannot.
pub(super) async fn can_advertise(adapter: &Adapter) -> bool {
    let can = async {
        loop {
            // How many more there may be, and how many there are.
            let room = adapter.supported_advertising_instances();
            let active = adapter.active_advertising_instances();
            let (room, active) = (room.await.unwrap_or(0), active.await.unwrap_or(0));
            if room > 0 || active > 0 {
                return;
            }
            sleep(LOOK).await;
        }
    };
    timeout(FEATURES_LIMIT, can).await.is_ok()
}

/// Whether BlueZ's configuration asks for private addresses.
fn is_private(configuration: &str) -> bool {
    let settings = configuration
        .lines()
        .filter_map(|line| line.split_once('='));
    let mut privacy = settings.filter(|(key, _)| key.trim() == "Privacy");
    privacy.any(|(_, value)| ["device", "on", "network/on"].contains(&value.trim()))
}

/// Whether a switch keeps the adapter off.
pub(super) fn blocked(name: &str) -> bool {
    let switches = fs::read_dir(format!("/sys/class/bluetooth/{name}"));
    let mut switches = switches.into_iter().flatten().flatten().filter(|entry| {
        let file = entry.file_name();
        file.to_string_lossy().starts_with("rfkill")
    });
    switches.any(|switch| {
        ["soft", "hard"].into_iter().any(|kind| {
            let state = fs::read_to_string(switch.path().join(kind));
            state.is_ok_and(|state| state.trim() == "1")
        })
    })
}

pub(super) fn rfkill(name: &str) -> String {
    format!("{name} is switched off by rfkill; run `rfkill unblock bluetooth`.")
}

pub(super) fn off(name: &str) -> String {
    format!("{name} is off; run `bluetoothctl power on`, and the node goes on.")
}

pub(super) fn mute(name: &str) -> String {
    format!("{name} stopped advertising; it is told to again.")
}

pub(super) fn gone(name: &str, error: &str) -> String {
    format!(
        "{name} does not answer any more ({error}); plug it in, or run `systemctl start bluetooth`: \
         the node goes on then."
    )
}

pub(super) fn no_dbus(error: &str) -> String {
    format!("The system's D-Bus does not answer ({error}); run `systemctl start dbus`.")
}

pub(super) fn no_bluez(error: &str) -> String {
    if is_denied(error) {
        return denied("Bluetooth");
    }
    format!(
        "bluetoothd does not answer ({error}); run `systemctl start bluetooth` (Debian: install bluez)."
    )
}

pub(super) fn no_answer(waited: Duration) -> String {
    format!(
        "bluetoothd has not answered for {} s; the node goes on trying. If it stays so, run `systemctl restart bluetooth`.",
        waited.as_secs()
    )
}

/// That BlueZ knows no adapter called `name`.
pub(super) fn no_adapter(name: &str, there: &[String]) -> String {
    let known = fs::exists(format!("/sys/class/bluetooth/{name}"));
    no_such(name, there, known.unwrap_or(false))
}

fn no_such(name: &str, there: &[String], known_to_kernel: bool) -> String {
    match there {
        // BlueZ leaves out what is no use to it: with `ControllerMode = le`, an adapter without Bluetooth LE.
        _ if known_to_kernel => format!(
            "bluetoothd does not serve {name} yet; if it stays so, the adapter lacks Bluetooth LE or does not work: plug in \
             another, or see `journalctl -u bluetooth`."
        ),
        [] => format!("There is no Bluetooth adapter; plug one in, or run without ble:{name}."),
        there => {
            let mut there = there.to_vec();
            there.sort();
            format!("There is no adapter {name}; use {}.", there.join(" or "))
        }
    }
}

pub(super) fn no_l2cap(error: &std::io::Error) -> String {
    format!("The kernel gives no L2CAP socket ({error}); use bearer=gatt.")
}

pub(super) fn no_peripheral(name: &str) -> String {
    format!(
        "{name} cannot advertise: it lacks Bluetooth LE or its peripheral role, or other programs use all of it; plug in \
         another adapter, and name it in place of {name}."
    )
}

pub(super) fn refused(name: &str, error: &str) -> String {
    if is_denied(error) {
        return denied(name);
    }
    format!("{name} cannot be used ({error}); see `bluetoothctl show`.")
}

fn is_denied(error: &str) -> bool {
    ["AccessDenied", "NotAuthorized", "NotPermitted"]
        .iter()
        .any(|kind| error.contains(kind))
}

fn denied(what: &str) -> String {
    format!(
        "D-Bus does not let this user use {what}; add the user to the group bluetooth and log in again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privacy_is_read_from_the_configuration() {
        assert!(is_private("[General]\nPrivacy = device\n"));
        assert!(is_private("Privacy=on"));
        assert!(!is_private("#Privacy = device\nPrivacy = off\n"));
        assert!(!is_private(""));
    }

    #[test]
    fn who_may_not_is_told_what_to_do() {
        let says = refused("hci0", "org.freedesktop.DBus.Error.AccessDenied");
        assert!(says.contains("group bluetooth"), "{says}");
    }

    #[test]
    fn an_adapter_that_bluez_does_not_take_is_told_from_one_that_is_not_there() {
        let others = ["hci1".to_owned(), "hci0".to_owned()];
        assert!(no_such("hci2", &others, false).contains("use hci0 or hci1"));
        assert!(no_such("hci2", &[], false).contains("There is no Bluetooth adapter"));
        assert!(no_such("hci2", &others, true).contains("lacks Bluetooth LE"));
    }
}
