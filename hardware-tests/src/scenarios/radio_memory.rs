//! `radio-memory`: what the radios add to a node that does nothing else.

use std::thread::sleep;
use std::time::Duration;

use crate::lab::Lab;
use crate::report::{Shown, Target};

/// How long a node does nothing before it is looked at.
const IDLE: Duration = Duration::from_secs(15);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(1)?;
    lab.wifi_radios(1)?;
    let air = format!("air:{}", lab.path("air").display());
    let both = format!("ble:hci0 {}", lab.wifi.radio(0));
    let (mut memory, mut used) = (Vec::new(), Vec::new());
    // One after the other: what two processes share would count half for each.
    for (name, radios) in [("plain", air), ("radios", both)] {
        let mut node = lab.node(name, &radios).person()?;
        node.start()?;
        sleep(IDLE);
        let before = node.cpu()?;
        sleep(IDLE);
        used.push((node.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64());
        memory.push(node.pss()? as f64 / 1e6);
        node.stop();
    }
    let ([plain, radios], [_, busy]) = (memory.as_slice(), used.as_slice()) else {
        anyhow::bail!("two nodes were started");
    };
    let mut shown = Shown::new("an idle node with the local air, and one with both radios");
    shown.figure("memory (Pss) of a node without radios", *plain, "MB", None);
    shown.figure("memory (Pss) of a node with both", *radios, "MB", None);
    let added = radios - plain;
    shown.figure(
        "added by the radios",
        added,
        "MB",
        Some(Target::AtMost(10.0)),
    );
    shown.figure(
        "processor of the idle node, emulated",
        busy * 100.0,
        "%",
        None,
    );
    Ok(shown)
}
