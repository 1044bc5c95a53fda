//! `no-server`: every system call that makes a socket or says where it leads is traced while two nodes meet over
//! Bluetooth LE and move up to Wi-Fi Direct: there is nothing but the machine's own sockets, Bluetooth, and IPv6
//! link-local ones on the group's interface. The guest has no network, and the radios' namespaces have nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::wifi_direct_pair::meet;
use super::wifi_direct_star::wifi_links;
use crate::lab::{Lab, shell};
use crate::node::introduce;
use crate::report::Shown;
use crate::trace::{self, Allowed, Made};
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(180);
const FILE_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(120);
const FILE_LEN: usize = 300_000;
/// What the guest's own namespace has; `hwsim0` shows what is on the air, and sends nothing.
const OWN: [&str; 2] = ["hwsim0", "lo"];

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    lab.wifi_radios(2)?;
    let program = tracer(lab)?;
    let mut nodes = Vec::new();
    for (number, name) in ["north", "south"].into_iter().enumerate() {
        let radios = format!("ble:hci{number} {}", lab.wifi.radio(number));
        let mut node = lab.node(name, &radios).person()?.run_by(&program);
        node.start()?;
        nodes.push(node);
    }
    let [north, south] = nodes.as_mut_slice() else {
        anyhow::bail!("two nodes were started");
    };
    meet(north, south)?;
    introduce(north, south)?;
    let file = lab.file("file.bin", FILE_LEN)?;
    north.say(&["send", "south", "--file", &file.to_string_lossy()])?;
    wait::until("a link in the group", GROUP_LIMIT, || {
        Ok((wifi_links(north)? == 1).then_some(()))
    })?;
    wait::until("the file", FILE_LIMIT, || {
        Ok(south.has_file(&file).is_ok().then_some(()))
    })?;
    south.say(&["send", "north", "traced"])?;
    north.receives("traced", TEXT_LIMIT)?;
    let allowed = groups(lab)?;
    north.stop();
    south.stop();

    let (mut calls, mut all) = (0, Made::new());
    for entry in fs::read_dir(lab.logs())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("strace.") {
            let text = fs::read_to_string(entry.path())?;
            calls += text.lines().count();
            let made = trace::check(&text, &allowed)
                .with_context(|| entry.file_name().to_string_lossy().into_owned())?;
            for (kind, count) in made {
                *all.entry(kind).or_default() += count;
            }
        }
    }
    let of = |kind| all.get(kind).copied().unwrap_or_default();
    anyhow::ensure!(
        of("AF_INET6") >= 3 && of("AF_BLUETOOTH") >= 1,
        "the trace does not show the sockets that there have to be: {all:?}"
    );
    finds_others(lab, &allowed)?;
    let mut shown = Shown::new(
        "no socket but Bluetooth, unix, netlink, and those bound to the group's interface and its addresses",
    );
    shown.figure("system calls checked", calls as f64, "", None);
    for (kind, count) in all {
        shown.figure(kind, count as f64, "sockets", None);
    }
    Ok(shown)
}

/// A program that runs `chappe` under strace. Each process leaves a trace of its own.
fn tracer(lab: &Lab) -> anyhow::Result<std::path::PathBuf> {
    let path = lab.path("traced");
    let script = format!(
        "#!/bin/bash\nexec {} -o {}.$$ {} \"$@\"\n",
        strace(),
        lab.logs().join("strace").display(),
        lab.program().display()
    );
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn strace() -> String {
    format!("strace -f --seccomp-bpf -qq -e trace={}", trace::CALLS)
}

/// The interfaces and addresses of the groups; fails if a namespace has any other interface.
fn groups(lab: &Lab) -> anyhow::Result<Allowed> {
    let own: BTreeSet<String> = names(&shell("ls /sys/class/net")?);
    anyhow::ensure!(
        own == OWN.map(str::to_owned).into(),
        "the guest has other interfaces: {own:?}"
    );
    // A node tries at its start whether it may bind a socket to an interface, on the loopback's.
    let mut allowed = Allowed::default();
    allowed.interfaces.insert("lo".to_owned());
    for number in 0..2 {
        let there = names(&lab.wifi.inside(number, "ls /sys/class/net")?);
        let known = |name: &&String| *name == "lo" || name.starts_with("wlan");
        let others: Vec<&String> = there.iter().filter(|name| !known(name)).collect();
        let group = lab.wifi.group_interface(number)?;
        anyhow::ensure!(
            others == [&group],
            "the radio's namespace has other interfaces: {there:?}"
        );
        allowed.addresses.insert(lab.wifi.group_address(number)?);
        allowed.interfaces.insert(group);
    }
    Ok(allowed)
}

fn names(list: &str) -> BTreeSet<String> {
    let words = list.split_ascii_whitespace();
    words.map(str::to_owned).collect()
}

/// The check is one that can fail: it does for a program that uses IPv4.
fn finds_others(lab: &Lab, allowed: &Allowed) -> anyhow::Result<()> {
    let path = lab.path("ping.trace");
    shell(&format!(
        "{} -o {} ping -c 1 127.0.0.1",
        strace(),
        path.display()
    ))?;
    let text = fs::read_to_string(Path::new(&path))?;
    let found = trace::check(&text, allowed);
    anyhow::ensure!(
        found.is_err(),
        "the check does not see the sockets of ping: {found:?}"
    );
    Ok(())
}
