//! `wifi-direct-beside`: NetworkManager owns the Wi-Fi of one of two machines, and ends every group that it has not made.
//! Doctor and node say what to do, and once it is done, the node that runs has its group.

use std::fs;
use std::time::{Duration, Instant};

use super::wifi_direct_star::wifi_links;
use crate::lab::{Lab, background, kill};
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
const MANAGED_LIMIT: Duration = Duration::from_secs(60);
/// It looks at no other settings, and asks nobody for rights.
const SETTINGS: &str = "[main]\nplugins=keyfile\nauth-polkit=false\ndhcp=internal\n\
    [connectivity]\nenabled=false\n[logging]\nlevel=INFO\n";

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(2)?;
    let settings = lab.path("nm.conf");
    fs::write(&settings, SETTINGS)?;
    // Without udev it would wait for ever, unless nobody can write to /sys.
    let line = format!(
        "mount -o remount,ro /sys && mkdir -p /run/NetworkManager && \
         exec NetworkManager --debug --config={}",
        settings.display()
    );
    let mut manager = lab.wifi.command(0, "bash")?;
    manager.args(["-c", &line]);
    manager.env("DBUS_SYSTEM_BUS_ADDRESS", lab.wifi.bus(0)?);
    let mut manager = background(&mut manager, &lab.logs().join("NetworkManager.log"))?;
    let shown = beside(lab);
    kill(&mut manager);
    shown
}

fn beside(lab: &mut Lab) -> anyhow::Result<Shown> {
    let interface = lab.wifi.interface(0)?;
    let state = |lab: &Lab| lab.wifi.nmcli(0, "-t -f DEVICE,STATE device");
    wait::until("NetworkManager to manage the radio", MANAGED_LIMIT, || {
        let told = state(lab).unwrap_or_default();
        Ok(told
            .contains(&format!("{interface}:disconnected"))
            .then_some(()))
    })?;
    let file = lab.path("group").display().to_string();
    let mut north = lab
        .node("north", &format!("{},own={file}", lab.wifi.radio(0)))
        .person()?;
    let mut south = lab
        .node("south", &format!("{},join={file}", lab.wifi.radio(1)))
        .person()?;
    let mut shown = Shown::new(
        "NetworkManager ends groups; doctor and node say so, and what to do; it is done, and the group is there",
    );

    let advice = format!("run `nmcli device set {interface} managed no`");
    let told = doctor(lab, &north)?;
    anyhow::ensure!(
        told.contains(&advice),
        "the doctor does not say \"{advice}\": {told}"
    );
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    let log = lab.logs().join("north.log");
    wait::until("the node to say what to do", GROUP_LIMIT, || {
        Ok(fs::read_to_string(&log)?.contains(&advice).then_some(()))
    })?;

    lab.wifi
        .nmcli(0, &format!("device set {interface} managed no"))?;
    let began = Instant::now();
    linked(&north, &south, "without NetworkManager")?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("told to leave the radio, to a text", took, "s", None);
    let told = doctor(lab, &north)?;
    // It tells what was wrong before, too: that is all right.
    let wrong = |line: &str| line.contains(&advice) && !line.starts_with("ok");
    anyhow::ensure!(
        !told.lines().any(wrong),
        "the doctor is not content: {told}"
    );
    Ok(shown)
}

fn linked(north: &Node, south: &Node, text: &str) -> anyhow::Result<()> {
    wait::until("a link in the group", GROUP_LIMIT, || {
        Ok((wifi_links(north)? == 1).then_some(()))
    })?;
    north.say(&["send", "south", text])?;
    south.receives(text, TEXT_LIMIT)
}

fn doctor(lab: &Lab, node: &Node) -> anyhow::Result<String> {
    // It ends with a failure if it has found anything.
    let told = node.say(&["doctor", "--radio", &lab.wifi.radio(0)]);
    Ok(told.unwrap_or_else(|error| error.to_string()))
}
