//! `wifi-direct-pair`: two nodes that met over Bluetooth LE have bulk for each other: they agree on a group without a
//! PIN, move up, and fall back when the radios do not hear each other any more, in the middle of a file.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::{Shown, Target};
use crate::wait;

/// A connection may stall in the virtual controllers, and is given up after a while.
const MEET_LIMIT: Duration = Duration::from_secs(150);
/// From the first byte of bulk until the link in the group is there. The guest is emulated.
const UP_LIMIT: Duration = Duration::from_secs(120);
const FILE_LIMIT: Duration = Duration::from_secs(300);
const DOWN_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
/// Once the slow link is used again, each end has told the other much that this one had already. News may wait for 75 s then,
/// until the next reconciliation (`chappe-gossip`, announcements).
const NEWS_LIMIT: Duration = Duration::from_secs(120);
/// A node takes a file at once, and does nothing else meanwhile. Without optimisation, in the emulated guest, 20 MB take it
/// as long as a neighbour waits for a silent one.
const FILE_LEN: usize = if cfg!(debug_assertions) {
    2_000_000
} else {
    20_000_000
};
/// The file that is under way when the group is lost, and how fast the group is meanwhile.
const CUT_LEN: usize = 1_000_000;
const CUT_RATE: &str = "1mbit";
/// So much of it is there by then, at least.
const CUT_AT: f64 = 0.3;
/// What a byte of the rest may cost on the slow link, in bytes of its tunnel.
const REST_COST: f64 = 1.25;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new(format!(
        "moved up from Bluetooth LE, {} MB file, fell back in the middle of another file",
        FILE_LEN / 1_000_000
    ));
    lab.radios(2)?;
    lab.wifi_radios(2)?;
    let mut nodes = Vec::new();
    for (number, name) in ["north", "south"].into_iter().enumerate() {
        let radios = format!("ble:hci{number} {}", lab.wifi.radio(number));
        let mut node = lab.node(name, &radios).person()?;
        node.start()?;
        nodes.push(node);
    }
    let [north, south] = nodes.as_mut_slice() else {
        anyhow::bail!("two nodes were started");
    };
    meet(north, south)?;
    introduce(north, south)?;
    north.say(&["send", "south", "before"])?;
    south.receives("before", TEXT_LIMIT)?;
    anyhow::ensure!(wifi_links(north)? == 0, "a group was made without need");

    move_up(lab, north, south, &mut shown)?;
    fall_back(lab, north, south, &mut shown)?;
    for node in [north, south] {
        anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
    }
    Ok(shown)
}

/// Waits until the two have a link over Bluetooth LE, of either kind.
pub(super) fn meet(north: &Node, south: &Node) -> anyhow::Result<()> {
    for node in [north, south] {
        wait::until("a link over Bluetooth LE", MEET_LIMIT, || {
            let peers = node.peers()?;
            let mut bearers = peers.iter().filter_map(|peer| peer.get("bearer")?.as_str());
            Ok(bearers
                .any(|bearer| bearer.starts_with("ble"))
                .then_some(()))
        })?;
    }
    Ok(())
}

fn move_up(lab: &Lab, north: &Node, south: &Node, shown: &mut Shown) -> anyhow::Result<()> {
    let file = lab.file("large.bin", FILE_LEN)?;
    let began = Instant::now();
    north.say(&["send", "south", "--file", &file.to_string_lossy()])?;
    wait::until("a link in a group", UP_LIMIT, || {
        Ok((wifi_links(north)? == 1).then_some(()))
    })?;
    let up = began.elapsed().as_secs_f64();
    shown.figure("bulk to the link in the group", up, "s", None);
    anyhow::ensure!(north.peers()?.len() == 2, "the slow link is not kept");
    wait::until("the file", FILE_LIMIT, || {
        Ok((south.arrived("large.bin")? >= 1.0).then_some(()))
    })?;
    let rate = FILE_LEN as f64 / 1e3 / began.elapsed().as_secs_f64();
    let name = "the file, moving up included, emulated";
    shown.figure(name, rate, "kB/s", None);
    south.has_file(&file)
}

fn fall_back(lab: &Lab, north: &Node, south: &Node, shown: &mut Shown) -> anyhow::Result<()> {
    let file = lab.file("cut.bin", CUT_LEN)?;
    lab.wifi.cap(0, CUT_RATE)?;
    lab.wifi.cap(1, CUT_RATE)?;
    let before = Counts::of(north, south)?;
    north.say(&["send", "south", "--file", &file.to_string_lossy()])?;
    wait::until("a part of the file", FILE_LIMIT, || {
        Ok((south.arrived("cut.bin")? >= CUT_AT).then_some(()))
    })?;
    lab.wifi.groups(1, 2)?;
    let began = Instant::now();
    let here = south.arrived("cut.bin")?;
    anyhow::ensure!(here < 1.0, "the file was there before the group was lost");
    for node in [north, south] {
        wait::until("the group to be over", DOWN_LIMIT, || {
            Ok((wifi_links(node)? == 0).then_some(()))
        })?;
    }
    let over = began.elapsed().as_secs_f64();
    shown.figure("out of range to no link in the group", over, "s", None);
    wait::until("the rest over the slow link", FILE_LIMIT, || {
        Ok((south.arrived("cut.bin")? >= 1.0).then_some(()))
    })?;
    south.has_file(&file)?;
    south.say(&["send", "north", "after"])?;
    let began = Instant::now();
    north.receives("after", NEWS_LIMIT)?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("a text over the slow link afterwards", took, "s", None);

    let after = Counts::of(north, south)?;
    let handed = after.handed_over - before.handed_over;
    let taken = after.taken - before.taken;
    // Where the group was lost before the word that an envelope was taken, it counts as taken only.
    anyhow::ensure!(
        handed <= taken,
        "{handed} envelopes were acknowledged, {taken} taken: some were sent again"
    );
    let rest = (1.0 - here) * CUT_LEN as f64;
    let slow = (after.slow - before.slow) as f64;
    shown.figure("of the file there when the group was lost", here, "", None);
    let name = "bytes over the slow link for each byte of the rest";
    shown.figure(name, slow / rest, "", Some(Target::AtMost(1.25)));
    anyhow::ensure!(
        slow <= REST_COST * rest,
        "{slow} B over the slow link for a rest of {rest} B: what was acknowledged came again"
    );
    Ok(())
}

/// What was counted so far.
struct Counts {
    handed_over: u64,
    taken: u64,
    /// Bytes that the south received over Bluetooth LE.
    slow: u64,
}

impl Counts {
    fn of(north: &Node, south: &Node) -> anyhow::Result<Self> {
        let peers = south.peers()?;
        let slow = peers.iter().find(|peer| {
            let bearer = peer.get("bearer").and_then(Value::as_str);
            bearer.is_some_and(|bearer| bearer.starts_with("ble"))
        });
        let slow = slow.context("the slow link is gone")?;
        Ok(Self {
            handed_over: north.count("handed_over")?,
            taken: south.count("taken")?,
            slow: slow.get("received").and_then(Value::as_u64).unwrap_or(0),
        })
    }
}
