//! `wifi-direct-relay`: a relay owns a group before anybody needs one, and again after the kernel has taken it away, each
//! time later; a neighbour that it has bulk for is let in at once, and has its file in the group.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::wifi_direct_pair::meet;
use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::introduce;
use crate::report::Shown;
use crate::wait;

/// How long a group may take. The guest is emulated.
const GROUP_LIMIT: Duration = Duration::from_secs(120);
const FILE_LIMIT: Duration = Duration::from_secs(300);
/// More than what is bulk, and little enough for Bluetooth LE, over which the relay gets it.
const FILE_LEN: usize = 150_000;
/// The kernel takes the group away so often.
const LOSSES: usize = 3;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new(
        "a relay owned a group that nobody needed, made it again after losses, and let a neighbour in for its file",
    );
    lab.radios(3)?;
    lab.wifi_radios(2)?;
    let radios = |number: usize| format!("ble:hci{number} {}", lab.wifi.radio(number));
    let mut relay = lab.node("relay", &radios(0)).relay()?;
    let mut south = lab.node("south", &radios(1)).person()?;
    let mut north = lab.node("north", "ble:hci2").person()?;
    let began = Instant::now();
    relay.start()?;
    group(lab).context("the relay alone")?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("start to the group of a relay alone", took, "s", None);
    for loss in 1..=LOSSES {
        let began = Instant::now();
        lab.wifi.tear_down(0)?;
        wait::until("the group to be gone", GROUP_LIMIT, || {
            Ok(lab.wifi.group_interface(0).is_err().then_some(()))
        })?;
        group(lab).with_context(|| format!("after {loss} losses"))?;
        let took = began.elapsed().as_secs_f64();
        shown.figure(format!("loss {loss} to the group"), took, "s", None);
    }

    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    south.stop();
    meet(&north, &relay)?;
    let file = lab.file("carried.bin", FILE_LEN)?;
    north.say(&["send", "south", "--file", &file.to_string_lossy()])?;
    let handed = north.count("envelopes")?;
    wait::until("the relay to have all of it", FILE_LIMIT, || {
        Ok((relay.count("envelopes")? >= handed).then_some(()))
    })?;
    north.stop();
    anyhow::ensure!(wifi_links(&relay)? == 0, "nobody was in the group yet");

    south.start()?;
    meet(&south, &relay)?;
    let began = Instant::now();
    wait::until("a link in the relay's group", GROUP_LIMIT, || {
        Ok((wifi_links(&relay)? == 1).then_some(()))
    })?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("met to the link in the group", took, "s", None);
    wait::until("the file", FILE_LIMIT, || {
        Ok((south.arrived("carried.bin")? >= 1.0).then_some(()))
    })?;
    south.has_file(&file)?;
    for node in [&mut relay, &mut south] {
        anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
    }
    Ok(shown)
}

/// Waits until the relay has a group.
fn group(lab: &Lab) -> anyhow::Result<()> {
    wait::until("the relay's group", GROUP_LIMIT, || {
        Ok(lab.wifi.group_interface(0).ok().map(drop))
    })
}
