//! `boot`: the guest is up, its radios are there, the program runs and finds nothing wrong with them; and where
//! something is wrong, `doctor` and `run` say so in one sentence with the command that mends it.

use anyhow::Context as _;
use serde_json::Value;

use crate::lab::{Lab, shell};
use crate::node::Node;
use crate::report::Shown;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let version = shell(&format!("{} --version", lab.program().display()))?;
    let kernel = shell("uname -r")?;
    let bluez = shell("bluetoothctl --version")?;

    let node = lab.node("north", "ble:hci0").person()?;
    let findings = node.json(&["doctor", "--radio", "ble:hci0"])?;
    let radio = |finding: &&Value| finding.get("what").is_some_and(|what| what == "radio");
    let good = findings.iter().filter(radio).count();
    anyhow::ensure!(good >= 5, "doctor looked at too little: {findings:?}");
    refuses(
        &node,
        "ble:hci9",
        "There is no adapter hci9; use hci0 or hci1",
    )?;

    shell("rfkill block bluetooth")?;
    let blocked = refuses(&node, "ble:hci0", "rfkill unblock bluetooth");
    shell("rfkill unblock bluetooth")?;
    blocked?;

    std::fs::write(POLICY, DENIED)?;
    shell("pkill -HUP dbus-daemon; sleep 1")?;
    let denied = refuses(&node, "ble:hci0", "add the user to the group bluetooth");
    std::fs::remove_file(POLICY)?;
    shell("pkill -HUP dbus-daemon; sleep 1")?;
    denied?;

    lab.bluetooth.kill_daemon();
    refuses(&node, "ble:hci0", "systemctl start bluetooth")?;
    lab.bluetooth.start_daemon()?;

    shell(
        "dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 \
         org.freedesktop.DBus.Properties.Set string:org.bluez.Adapter1 string:Alias \
         variant:string:somebody",
    )?;
    let named = node.findings(&["doctor", "--radio", "ble:hci0"])?;
    let told = named.iter().any(|finding| {
        let says = finding
            .get("says")
            .and_then(Value::as_str)
            .unwrap_or_default();
        says.contains("bluetoothctl system-alias chappe")
    });
    anyhow::ensure!(told, "doctor overlooks an adapter's name: {named:?}");

    Ok(Shown::new(format!(
        "{} runs on Linux {} with {} and 2 adapters; doctor finds nothing wrong, and tells five things that are",
        version.trim(),
        kernel.trim(),
        bluez.trim()
    )))
}

/// What keeps the node from the adapter's service.
const POLICY: &str = "/etc/dbus-1/system.d/zz-denied.conf";
const DENIED: &str = "<busconfig><policy context=\"mandatory\"><deny send_destination=\"org.bluez\"/></policy></busconfig>";

/// The node does not start, and `doctor` is not content; both say why.
pub(super) fn refuses(node: &Node, radio: &str, says: &str) -> anyhow::Result<()> {
    let findings = node.findings(&["doctor", "--radio", radio])?;
    let told = findings.iter().any(|finding| {
        let text = finding.get("says").and_then(Value::as_str);
        finding.get("ok") == Some(&Value::Bool(false)) && text.is_some_and(|it| it.contains(says))
    });
    anyhow::ensure!(told, "doctor does not say {says:?}: {findings:?}");
    let refused = node.say(&["run", "--radio", radio]).err();
    let refused = refused
        .with_context(|| format!("a node started: {says}"))?
        .to_string();
    anyhow::ensure!(
        refused.contains(says),
        "run does not say {says:?}: {refused}"
    );
    Ok(())
}
