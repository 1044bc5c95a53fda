//! `wifi-direct-pair`: two nodes that talk over the local air have bulk for each other: they agree on a group without a
//! PIN, move up, and fall back when the radios do not hear each other any more.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::wifi_direct_star::wifi_links;
use crate::lab::{Lab, shell};
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

const MEET_LIMIT: Duration = Duration::from_secs(60);
/// From the first byte of bulk until the link in the group is there. The guest is emulated.
const UP_LIMIT: Duration = Duration::from_secs(120);
const FILE_LIMIT: Duration = Duration::from_secs(300);
const DOWN_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
/// As much as a debug build moves in the emulated guest in the time that the lab has.
const FILE_LEN: usize = 2_000_000;
/// What Bluetooth LE carries, about.
const SLOW: &str = "rate=40kB/s latency=30ms mtu=512";

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new("moved up from a slow link, 2 MB file, fell back");
    lab.wifi_radios(2)?;
    let air = lab.path("air").display().to_string();
    let program = lab.program().display().to_string();
    shell(&format!("mkdir -p {air} && {program} air set {air} {SLOW}"))?;
    let mut nodes = Vec::new();
    for (number, name) in ["north", "south"].into_iter().enumerate() {
        let radios = format!("air:{air} {}", lab.wifi.radio(number));
        let mut node = lab.node(name, &radios).person()?;
        node.start()?;
        nodes.push(node);
    }
    let [north, south] = nodes.as_mut_slice() else {
        anyhow::bail!("two nodes were started");
    };
    wait::until("a link over the air", MEET_LIMIT, || {
        Ok((north.peers()?.len() == 1).then_some(()))
    })?;
    introduce(north, south)?;
    north.say(&["send", "south", "before"])?;
    south.receives("before", TEXT_LIMIT)?;
    anyhow::ensure!(wifi_links(north)? == 0, "a group was made without need");

    let file = lab.file("file.bin", FILE_LEN)?;
    let began = Instant::now();
    north.say(&["send", "south", "--file", &file.to_string_lossy()])?;
    wait::until("a link in a group", UP_LIMIT, || {
        Ok((wifi_links(north)? == 1).then_some(()))
    })?;
    shown.figure(
        "bulk to the link in the group",
        began.elapsed().as_secs_f64(),
        "s",
        None,
    );
    anyhow::ensure!(
        north.peers()?.len() == 2,
        "the slow link is not there meanwhile"
    );
    wait::until(
        "the file",
        FILE_LIMIT,
        || Ok(complete(south)?.then_some(())),
    )?;
    let rate = FILE_LEN as f64 / 1e3 / began.elapsed().as_secs_f64();
    shown.figure(
        "2 MB file, moving up included, emulated",
        rate,
        "kB/s",
        None,
    );
    let folder = lab.path("saved");
    south.save_files(&folder)?;
    let sent = fs::read(&file)?;
    let mut saved = fs::read_dir(&folder)?.flatten();
    let same = saved.any(|entry| fs::read(entry.path()).is_ok_and(|bytes| bytes == sent));
    anyhow::ensure!(same, "the file arrived changed");

    lab.wifi.groups(1, 2)?;
    let began = Instant::now();
    for node in [&*north, &*south] {
        wait::until("the group to be over", DOWN_LIMIT, || {
            Ok((wifi_links(node)? == 0).then_some(()))
        })?;
    }
    south.say(&["send", "north", "after"])?;
    north.receives("after", TEXT_LIMIT)?;
    shown.figure(
        "out of range to a text over the slow link",
        began.elapsed().as_secs_f64(),
        "s",
        None,
    );
    Ok(shown)
}

fn complete(node: &Node) -> anyhow::Result<bool> {
    let inbox = node.json(&["inbox"])?;
    let whole =
        |entry: &Value| entry.pointer("/file/complete").and_then(Value::as_bool) == Some(true);
    Ok(inbox.iter().any(whole))
}
