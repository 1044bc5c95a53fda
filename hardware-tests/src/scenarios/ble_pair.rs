//! `ble-pair` over L2CAP and `ble-gatt` over GATT only: two nodes; text both ways and a file.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

/// How long two nodes may take to find each other. The guest is emulated.
const MEET_LIMIT: Duration = Duration::from_secs(90);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
const FILE_LIMIT: Duration = Duration::from_secs(180);
pub(super) const FILE_LEN: usize = 200_000;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let mut shown = Shown::new("text both ways and a 200 kB file, over L2CAP");
    pair(lab, "l2cap", "", &mut shown)?;
    Ok(shown)
}

pub(super) fn run_gatt(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let mut shown = Shown::new("text both ways and a 200 kB file, over GATT");
    pair(lab, "gatt", ",bearer=gatt", &mut shown)?;
    Ok(shown)
}

fn pair(lab: &Lab, bearer: &str, options: &str, shown: &mut Shown) -> anyhow::Result<()> {
    let mut north = lab
        .node(&format!("{bearer}-north"), &format!("ble:hci0{options}"))
        .person()?;
    let mut south = lab
        .node(&format!("{bearer}-south"), &format!("ble:hci1{options}"))
        .person()?;
    let began = Instant::now();
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, &format!("ble-{bearer}"))?;
    shown.figure(
        format!("{bearer}: start to link"),
        began.elapsed().as_secs_f64(),
        "s",
        None,
    );

    let began = Instant::now();
    north.say(&["send", &south.name, "from the north"])?;
    south.receives("from the north", TEXT_LIMIT)?;
    south.say(&["send", &north.name, "from the south"])?;
    north.receives("from the south", TEXT_LIMIT)?;
    shown.figure(
        format!("{bearer}: two texts"),
        began.elapsed().as_secs_f64(),
        "s",
        None,
    );

    let took = send_file(lab, &north, &south, "file.bin")?;
    let rate = FILE_LEN as f64 / 1e3 / took.as_secs_f64();
    shown.figure(
        format!("{bearer}: 200 kB file, emulated"),
        rate,
        "kB/s",
        None,
    );
    for node in [&mut north, &mut south] {
        anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
        node.stop();
    }
    Ok(())
}

/// Waits until both have exactly one link, to each other, over `bearer`.
pub(super) fn meet(one: &Node, other: &Node, bearer: &str) -> anyhow::Result<()> {
    for node in [one, other] {
        wait::until(
            &format!("{} to meet the other", node.name),
            MEET_LIMIT,
            || {
                let peers = node.peers()?;
                let carried = peers.first().and_then(|peer| peer.get("bearer")?.as_str());
                Ok((peers.len() == 1 && carried == Some(bearer)).then_some(()))
            },
        )?;
    }
    Ok(())
}

/// Sends a file of random bytes and waits until it is there, the same.
pub(super) fn send_file(lab: &Lab, from: &Node, to: &Node, name: &str) -> anyhow::Result<Duration> {
    let path = lab.file(name, FILE_LEN)?;
    let began = Instant::now();
    from.say(&["send", &to.name, "--file", &path.to_string_lossy()])?;
    let what = format!("{} to receive the file", to.name);
    wait::until(&what, FILE_LIMIT, || {
        let inbox = to.json(&["inbox"])?;
        let complete = |entry: &Value| {
            entry.pointer("/file/complete").and_then(Value::as_bool) == Some(true)
                && entry.pointer("/file/name").and_then(Value::as_str) == Some(name)
        };
        Ok(inbox.iter().any(complete).then_some(()))
    })?;
    let took = began.elapsed();
    let folder = path.with_extension(format!("at-{}", to.name));
    to.save_files(&folder)?;
    let sent = fs::read(&path)?;
    let mut saved = fs::read_dir(&folder)?.flatten();
    let same = saved.any(|entry| fs::read(entry.path()).is_ok_and(|bytes| bytes == sent));
    anyhow::ensure!(same, "the file arrived changed");
    Ok(took)
}
