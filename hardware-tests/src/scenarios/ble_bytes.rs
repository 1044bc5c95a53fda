//! `ble-bytes`: a 200 kB file between two nodes beside the same bytes over a bare L2CAP channel: bytes on the
//! connection, and time, in pairs.

use std::time::Instant;

use super::ble_pair::{FILE_LEN, meet, send_file};
use crate::bare;
use crate::capture;
use crate::lab::Lab;
use crate::node::introduce;
use crate::report::{Shown, median};

/// So many pairs, A B A B.
const PAIRS: usize = 5;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(4)?;
    let mut north = lab.node("north", "ble:hci0").person()?;
    let mut south = lab.node("south", "ble:hci1").person()?;
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, "ble-l2cap")?;

    let (mut byte_ratios, mut rate_ratios) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let before = on_air(lab, [2, 3])?;
        let bare = bare::run("hci2", "hci3", FILE_LEN)?;
        let bare_bytes = on_air(lab, [2, 3])? - before;

        let before = on_air(lab, [0, 1])?;
        let took = send_file(lab, &north, &south, &format!("file{pair}.bin"))?;
        let bytes = on_air(lab, [0, 1])? - before;
        println!("pair {pair}: bare {bare_bytes} B in {bare:?}, nodes {bytes} B in {took:?}");
        byte_ratios.push(bytes as f64 / bare_bytes as f64);
        rate_ratios.push(bare.as_secs_f64() / took.as_secs_f64());
    }
    let began = Instant::now();
    north.stop();
    south.stop();
    println!("both stopped in {:?}", began.elapsed());
    let mut shown = Shown::new(format!(
        "{PAIRS} pairs of a bare channel and two nodes, 200 kB each"
    ));
    shown.figure(
        "bytes on the connection beside bare",
        median(byte_ratios),
        "times",
        Some("at most 1.15"),
    );
    shown.figure(
        "goodput beside bare",
        median(rate_ratios),
        "times",
        Some("at least 0.85"),
    );
    Ok(shown)
}

/// Bytes that two adapters sent over connections so far.
fn on_air(lab: &Lab, adapters: [u16; 2]) -> anyhow::Result<usize> {
    let sent = capture::read(&lab.logs().join("btmon.snoop"))?;
    let of = |adapter| sent.get(adapter).map_or(0, |sent| sent.acl_bytes);
    Ok(adapters.iter().map(of).sum())
}
