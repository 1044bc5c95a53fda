//! `ble-central`: the central role that macOS and Windows have, by btleplug on the real BlueZ: a node that nobody hears
//! meets one that advertises; text both ways and a file.

use std::time::Duration;

use super::ble_pair::{FILE_LEN, meet, send_file};
use crate::lab::Lab;
use crate::node::introduce;
use crate::report::Shown;

const TEXT_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let mut north = lab.node("north", "ble:hci0").person()?;
    let mut south = lab.node("south", "ble:hci1,role=central").person()?;
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, "ble-gatt")?;
    for (from, to) in [(&north, &south), (&south, &north)] {
        let text = format!("from the {}", from.name);
        from.say(&["send", &to.name, &text])?;
        to.receives(&text, TEXT_LIMIT)?;
    }
    let mut shown = Shown::new(
        "a node with the central role alone, by btleplug: text both ways and a 200 kB file",
    );
    for (from, to) in [(&north, &south), (&south, &north)] {
        let took = send_file(lab, from, to, &format!("from-{}.bin", from.name), FILE_LEN)?;
        let rate = FILE_LEN as f64 / 1e3 / took.as_secs_f64();
        shown.figure(
            format!("200 kB file from the {}, emulated", from.name),
            rate,
            "kB/s",
            None,
        );
    }
    for node in [&mut north, &mut south] {
        anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
        node.stop();
    }
    Ok(shown)
}
