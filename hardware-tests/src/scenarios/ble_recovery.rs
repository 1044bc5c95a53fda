//! `ble-recovery`: what breaks comes back without a restart, and the node says what happened, in its log and in
//! `chappe doctor`.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::ble_pair::{meet, send_file};
use crate::hostile::Hostile;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

const FILE_LEN: usize = 200_000;
const LIMIT: Duration = Duration::from_secs(90);
/// Long enough to be noticed.
const BROKEN: Duration = Duration::from_secs(12);

/// What is broken, and what south then says.
const TROUBLES: [(&str, &str); 7] = [
    ("power", "hci1 is off"),
    ("unplugged", "There is no adapter hci1"),
    ("bluetoothd", "bluetoothd does not answer"),
    ("vanished", "went away without a word"),
    ("silent", "hung up on"),
    ("mute", "hears nobody"),
    ("stopped", "has not answered"),
];

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(3)?;
    let mut north = lab.node("north", "ble:hci0").person()?;
    let mut south = lab.node("south", "ble:hci1").person()?;
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, "ble-l2cap")?;

    let mut shown = Shown::default();
    let mut said = Vec::new();
    for (what, says) in TROUBLES {
        let began = std::time::Instant::now();
        blow(lab, what, &north, &mut south).with_context(|| what.to_owned())?;
        let text = format!("after {what}");
        north.say(&["send", "south", &text])?;
        south.receives(&text, LIMIT)?;
        let doctor = south.findings(&["doctor", "--radio", "ble:hci1"])?;
        let past = doctor
            .iter()
            .filter(|one| one.get("what").is_some_and(|it| it == "past"));
        let found = past
            .filter_map(|one| one.get("says").and_then(Value::as_str))
            .find(|one| one.contains(says));
        let found =
            found.with_context(|| format!("{what}: doctor does not say {says:?}: {doctor:?}"))?;
        anyhow::ensure!(
            south.log()?.contains(says),
            "{what}: the log does not say {says:?}"
        );
        println!("{what}: {found}");
        said.push(what);
        shown.figure(
            format!("{what}: until a text came again"),
            began.elapsed().as_secs_f64(),
            "s",
            None,
        );
        for node in [&mut north, &mut south] {
            anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
        }
    }
    shown.says = format!("it went on after {}, and doctor said so", said.join(", "));
    Ok(shown)
}

/// Breaks something of south's, and mends it.
fn blow(lab: &mut Lab, what: &str, north: &Node, south: &mut Node) -> anyhow::Result<()> {
    match what {
        "power" => {
            lab.bluetooth.power(1, false)?;
            sleep(BROKEN);
            lab.bluetooth.power(1, true)
        }
        "unplugged" => {
            lab.bluetooth.controllers()?.unplug(1);
            sleep(BROKEN);
            lab.bluetooth.controllers()?.plug(1);
            Ok(())
        }
        "bluetoothd" => {
            lab.bluetooth.kill_daemon();
            sleep(BROKEN);
            lab.bluetooth.start_daemon()
        }
        "vanished" => {
            meet(north, south, "ble-l2cap")?;
            let air = lab.bluetooth.controllers()?;
            // In the middle of a file, out of range, and back.
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    sleep(Duration::from_secs(3));
                    air.apart(0, 1, true);
                    sleep(BROKEN);
                    air.apart(0, 1, false);
                });
                send_file(lab, north, south, "vanished.bin", FILE_LEN).map(drop)
            })
        }
        "silent" => {
            let hostile = Hostile::on("hci2")?;
            let mut hung_up = false;
            for prey in hostile.hunt(2)? {
                hung_up |= hostile.say_nothing(prey, LIMIT)?;
            }
            anyhow::ensure!(hung_up, "nobody hung up");
            Ok(())
        }
        "mute" => {
            meet(north, south, "ble-l2cap")?;
            let air = lab.bluetooth.controllers()?;
            let told = || anyhow::Ok(south.log()?.matches("hears nobody").count());
            let before = told()?;
            air.apart(0, 1, true);
            wait::until("south to hear nobody", LIMIT * 2, || {
                Ok((told()? > before).then_some(()))
            })?;
            air.apart(0, 1, false);
            Ok(())
        }
        "stopped" => {
            south.stop();
            lab.bluetooth.freeze_daemon(true)?;
            let started = south.start();
            lab.bluetooth.freeze_daemon(false)?;
            started
        }
        _ => anyhow::bail!("nothing is called {what}"),
    }
}
