//! `ble-doctor`: what keeps an adapter from Bluetooth LE, and what gives a node away, is told in one sentence by
//! `chappe doctor`, and the former at the start of a node too. `boot` shows the rest: rfkill, D-Bus, `bluetoothd`, a name.

use serde_json::Value;

use super::boot::refuses;
use crate::bluetooth::Kind;
use crate::lab::Lab;
use crate::node::Node;
use crate::report::Shown;

const RADIO: &str = "ble:hci0";
/// The lab's settings of `bluetoothd`, and others.
const LAB: &str = "Name = chappe\nControllerMode = le\nPrivacy = device\n";
const DUAL: &str = "Name = chappe\nPrivacy = device\n";
const OPEN: &str = "Name = chappe\nControllerMode = le\n";

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let node = lab.node("north", RADIO).person()?;
    let looked = look(lab, &node);
    lab.bluetooth.settings(LAB)?;
    looked?;
    Ok(Shown::new(
        "no adapter, one without Bluetooth LE (taken by bluetoothd, and not), one without the peripheral role, one address \
         for ever: one sentence each",
    ))
}

fn look(lab: &mut Lab, node: &Node) -> anyhow::Result<()> {
    lab.radios(0)?;
    refuses(node, RADIO, "There is no Bluetooth adapter; plug one in")?;

    lab.radios_of(1, Kind::Central)?;
    refuses(node, RADIO, "lacks Bluetooth LE or its peripheral role")?;

    lab.bluetooth.settings(DUAL)?;
    lab.radios_of(1, Kind::Classic)?;
    refuses(node, RADIO, "lacks Bluetooth LE or its peripheral role")?;
    lab.bluetooth.kill_daemon();
    lab.bluetooth.settings(LAB)?;
    lab.bluetooth.start_daemon()?;
    refuses(node, RADIO, "bluetoothd does not serve hci0 yet")?;

    lab.bluetooth.settings(OPEN)?;
    lab.radios(1)?;
    let findings = node.findings(&["doctor", "--radio", RADIO])?;
    let told = findings.iter().any(|finding| {
        let says = finding.get("says").and_then(Value::as_str);
        says.is_some_and(|it| it.contains("set `Privacy = device` under [General]"))
    });
    anyhow::ensure!(told, "doctor overlooks an address for ever: {findings:?}");
    Ok(())
}
