//! `boot`: the guest is up, its radios are there, the program runs and finds nothing wrong with them.

use anyhow::Context as _;
use serde_json::Value;

use crate::lab::{Lab, shell};
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
    let missing = node.say(&["doctor", "--radio", "ble:hci9"]);
    anyhow::ensure!(missing.is_err(), "doctor misses no adapter");
    let refused = node.say(&["run", "--radio", "ble:hci9"]);
    let says = refused
        .err()
        .context("a node started without its adapter")?;
    anyhow::ensure!(
        says.to_string().contains("There is no adapter hci9"),
        "{says}"
    );

    Ok(Shown::new(format!(
        "{} runs on Linux {} with {} and 2 adapters, and doctor finds nothing wrong",
        version.trim(),
        kernel.trim(),
        bluez.trim()
    )))
}
