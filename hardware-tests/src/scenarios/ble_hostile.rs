//! `ble-hostile`: two nodes talk while a stranger does what it can: advertisements of nobody, channels that open and
//! close, handshakes that never end, segments that are never completed, writes of every length.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use super::ble_pair::{meet, send_file};
use super::ble_privacy::{adapter, nothing_recurs};
use crate::capture;
use crate::hostile::Hostile;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::{Shown, Target};
use crate::wait;

/// Short, so that the stranger is there in several epochs of the nodes; longer than the kernel keeps an address, as outside.
const OPTIONS: &str = ",epoch=93";
const KEPT: &str = "90";
/// So many advertisements of nobody, and so many at a time.
const GHOSTS: usize = 1_000;
const CROWD: usize = 50;
/// So many channels are opened and closed, and so many connections.
const KNOCKS: usize = 976;
const VISITS: usize = 24;
/// A node begins a scan at least so often.
const SCAN: Duration = Duration::from_secs(11);
const NEVER: Duration = Duration::from_secs(15);
/// A node hangs up on who says nothing, or nothing that makes sense, within this time. The guest is emulated.
const HANGS_UP: Duration = Duration::from_secs(60);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
/// Two epochs and a half: an idle link from before an epoch is closed in it.
const ONE_LINK: Duration = Duration::from_secs(240);
const FILE_LEN: usize = 50_000;
/// What a node may need more of memory for strangers, in MB: its links (six hops of 192 KiB, their queues of 32 KiB), eight
/// greetings, 256 remembered beacons; and as much again for the allocator's gaps. A flood of advertisements comes first, and
/// is measured apart: BlueZ remembers each for 30 s and tells all that it remembers whenever a scan begins.
const MORE_MEMORY: f64 = 4.0;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(3)?;
    for adapter in ["hci0", "hci1", "hci2"] {
        let path = format!("/sys/kernel/debug/bluetooth/{adapter}/rpa_timeout");
        std::fs::write(&path, KEPT).with_context(|| path.clone())?;
    }
    let mut north = lab.node("north", &format!("ble:hci0{OPTIONS}")).person()?;
    let mut south = lab.node("south", &format!("ble:hci1{OPTIONS}")).person()?;
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    let mut hostile = Hostile::on("hci2")?;
    let air = lab.bluetooth.controllers()?;
    meet(&north, &south, "ble-l2cap")?;
    talk(lab, &north, &south, "before")?;
    let calm = memory(&north, &south)?;

    let mut haunt = || -> anyhow::Result<[f64; 2]> {
        for crowd in hostile.ghosts(GHOSTS).chunks(CROWD) {
            air.haunt(crowd.to_vec());
            sleep(Duration::from_millis(500));
        }
        sleep(SCAN);
        let after = memory(&north, &south)?;
        println!("{GHOSTS} advertisements of nobody: {calm:?} MB before, {after:?} MB after");
        Ok(after)
    };
    let before = haunt()?;
    haunt()?;
    let prey = hostile.hunt(2)?;
    println!("the hostile peer hears {} nodes", prey.len());
    let [first, ..] = prey.as_slice() else {
        anyhow::bail!("nobody to attack");
    };
    let knocked = hostile.knock(*first, KNOCKS)?;
    println!(
        "{knocked} channels opened and closed; {:?} MB",
        memory(&north, &south)?
    );
    let prey = hostile.hunt(1)?;
    let [first, ..] = prey.as_slice() else {
        anyhow::bail!("nobody to attack");
    };
    let visited = hostile.come_and_go(*first, VISITS)?;
    println!(
        "{visited} connections opened and closed; {:?} MB",
        memory(&north, &south)?
    );
    talk(lab, &north, &south, "in between")?;

    let mut hung_up = 0;
    let mut taken = 0;
    let mut written = 0;
    for prey in hostile.hunt(2)? {
        hung_up += usize::from(hostile.say_nothing(prey, HANGS_UP)?);
        taken += hostile.never_finish(prey, NEVER)?;
        written += hostile.scribble(prey).context("GATT")?;
    }
    let after = memory(&north, &south)?;
    println!(
        "{taken} packets of handshakes that never end, {written} values written; {after:?} MB"
    );
    anyhow::ensure!(hung_up > 0, "nobody hung up on who says nothing");
    anyhow::ensure!(
        knocked + visited >= (KNOCKS + VISITS) / 2,
        "only {knocked} and {visited} channels opened: nothing was shown"
    );
    talk(lab, &north, &south, "at last")?;

    let mut shown = Shown::new(format!(
        "two nodes talked on through twice {GHOSTS} beacons of nobody, {knocked} channels and {visited} connections, \
         {taken} packets that never make a handshake, {written} values; no string of a node's own links two of its epochs"
    ));
    let memories = calm.into_iter().zip(before).zip(memory(&north, &south)?);
    for (node, ((calm, before), after)) in [&mut north, &mut south].into_iter().zip(memories) {
        anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
        let (flood, more) = (before - calm, after - before);
        let name = &node.name;
        shown.figure(
            format!("{name}: memory that the first flood took"),
            flood,
            "MB",
            None,
        );
        let target = Some(Target::AtMost(MORE_MEMORY));
        shown.figure(
            format!("{name}: memory that all the rest took"),
            more,
            "MB",
            target,
        );
        // Two where both ends have other keys since: the older one goes once it is idle.
        let what = format!("{} to have one neighbour", node.name);
        wait::until(&what, ONE_LINK, || {
            Ok((node.peers()?.len() == 1).then_some(()))
        })?;
        node.stop();
    }
    lab.bluetooth.stop();
    // All that a stranger can get of a node is in what it sent.
    let sent = capture::read(&lab.logs().join("btmon.snoop"))?;
    let searched = nothing_recurs(adapter(&sent, 0)?, adapter(&sent, 1)?)?;
    shown.figure("strings searched", searched as f64, "", None);
    shown.figure("recurring strings", 0.0, "", Some(Target::AtMost(0.0)));
    Ok(shown)
}

/// What both have asked for, in MB.
fn memory(north: &Node, south: &Node) -> anyhow::Result<[f64; 2]> {
    let of = |node: &Node| anyhow::Ok(node.allocated()? as f64 / 1e6);
    Ok([of(north)?, of(south)?])
}

/// The honest link works as before.
fn talk(lab: &Lab, north: &Node, south: &Node, text: &str) -> anyhow::Result<()> {
    north.say(&["send", "south", text])?;
    south.receives(text, TEXT_LIMIT)?;
    let took = send_file(lab, south, north, &format!("{text}.bin"), FILE_LEN)?;
    println!("{text}: the file took {took:?}");
    Ok(())
}
