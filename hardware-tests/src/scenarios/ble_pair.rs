//! `ble-pair` over L2CAP and `ble-gatt` over GATT only: two nodes; text both ways and a file.
//!
//! `ble-pair` has BlueZ's own emulator beneath it, `ble-gatt` the lab's controllers: so that nothing hangs on one.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::bluetooth::Kind;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

/// How long two nodes may take to find each other. The guest is emulated.
const MEET_LIMIT: Duration = Duration::from_secs(90);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
const FILE_LIMIT: Duration = Duration::from_secs(180);
pub(super) const FILE_LEN: usize = 200_000;

/// What is moved with ATT_MTU 48, the smallest that `bluetoothd` starts with.
const SMALL_FILE_LEN: usize = 20_000;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios_of(2, Kind::Btvirt)?;
    let mut shown = Shown::new("text both ways and a 200 kB file, over L2CAP");
    let l2cap = Pair {
        name: "l2cap",
        bearer: "ble-l2cap",
        options: "",
        file: FILE_LEN,
    };
    l2cap.run(lab, &mut shown)?;
    Ok(shown)
}

pub(super) fn run_gatt(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new("text both ways and a file over GATT, with ATT_MTU 517 and 48");
    for (name, mtu, file) in [("gatt", 517, FILE_LEN), ("gatt48", 48, SMALL_FILE_LEN)] {
        lab.bluetooth.stop();
        lab.bluetooth.att_mtu(mtu)?;
        lab.radios(2)?;
        let gatt = Pair {
            name,
            bearer: "ble-gatt",
            options: ",bearer=gatt",
            file,
        };
        let done = gatt.run(lab, &mut shown);
        lab.bluetooth.att_mtu(517)?;
        done.with_context(|| format!("ATT_MTU {mtu}"))?;
        let log = fs::read_to_string(lab.logs().join(format!("{name}-north.log")))?;
        let payload = format!("mtu={}", mtu.min(515) - 5);
        anyhow::ensure!(log.contains(&payload), "no link with {payload}");
    }
    Ok(shown)
}

struct Pair {
    name: &'static str,
    bearer: &'static str,
    options: &'static str,
    file: usize,
}

impl Pair {
    fn run(&self, lab: &Lab, shown: &mut Shown) -> anyhow::Result<()> {
        let Self {
            name,
            bearer,
            options,
            file,
        } = self;
        let mut north = lab
            .node(&format!("{name}-north"), &format!("ble:hci0{options}"))
            .person()?;
        let mut south = lab
            .node(&format!("{name}-south"), &format!("ble:hci1{options}"))
            .person()?;
        let began = Instant::now();
        north.start()?;
        south.start()?;
        introduce(&north, &south)?;
        meet(&north, &south, bearer)?;
        shown.figure(
            format!("{name}: start to link"),
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
            format!("{name}: two texts"),
            began.elapsed().as_secs_f64(),
            "s",
            None,
        );

        let took = send_file(lab, &north, &south, &format!("{name}.bin"), *file)?;
        let rate = *file as f64 / 1e3 / took.as_secs_f64();
        shown.figure(
            format!("{name}: {} kB file, emulated", file / 1_000),
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
pub(super) fn send_file(
    lab: &Lab,
    from: &Node,
    to: &Node,
    name: &str,
    length: usize,
) -> anyhow::Result<Duration> {
    let path = lab.file(name, length)?;
    let began = Instant::now();
    from.send_file(&to.name, &path)?;
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
    to.has_file(&path)?;
    Ok(took)
}
