//! `boot`: the guest is up, its radios are there, the program runs.

use crate::lab::{Lab, shell};
use crate::report::Shown;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let version = shell(&format!("{} --version", lab.program().display()))?;
    let kernel = shell("uname -r")?;
    let bluez = shell("bluetoothctl --version")?;
    Ok(Shown::new(format!(
        "{} runs on Linux {} with {} and 2 adapters",
        version.trim(),
        kernel.trim(),
        bluez.trim()
    )))
}
