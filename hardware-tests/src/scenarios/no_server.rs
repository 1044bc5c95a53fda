//! `no-server`: every system call that makes or addresses a socket is traced while two nodes talk over Wi-Fi Direct: they
//! use unix sockets, netlink, and IPv6 link-local addresses on the group's interface, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::introduce;
use crate::report::Shown;
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(180);
const TEXT_LIMIT: Duration = Duration::from_secs(120);
/// Families of sockets that lead nowhere but to this machine and its Bluetooth.
const LOCAL: [&str; 3] = ["AF_UNIX", "AF_NETLINK", "AF_BLUETOOTH"];

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(2)?;
    let program = lab.path("traced");
    let trace = lab.logs().join("strace");
    fs::write(
        &program,
        format!(
            "#!/bin/bash\nexec strace -f -qq -o {}.$$ -e trace=socket,bind,connect,setsockopt {} \"$@\"\n",
            trace.display(),
            lab.program().display()
        ),
    )?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let file = lab.path("group").display().to_string();
    let mut nodes = Vec::new();
    for (number, (name, word)) in [("north", "own"), ("south", "join")]
        .into_iter()
        .enumerate()
    {
        let radio = format!("{},{word}={file}", lab.wifi.radio(number));
        let mut node = lab.node(name, &radio).person()?.run_by(&program);
        node.start()?;
        nodes.push(node);
    }
    let [north, south] = nodes.as_mut_slice() else {
        anyhow::bail!("two nodes were started");
    };
    wait::until("a link in the group", GROUP_LIMIT, || {
        Ok((wifi_links(north)? == 1).then_some(()))
    })?;
    introduce(north, south)?;
    north.say(&["send", "south", "traced"])?;
    south.receives("traced", TEXT_LIMIT)?;
    north.stop();
    south.stop();
    let (mut lines, mut bound) = (0, 0);
    for entry in fs::read_dir(lab.logs())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("strace.") {
            let text = fs::read_to_string(entry.path())?;
            lines += text.lines().count();
            bound += check(&text)?;
        }
    }
    anyhow::ensure!(
        bound >= 3,
        "the trace shows {bound} sockets of the group; expected 3 or more"
    );
    Ok(Shown::new(format!(
        "{lines} system calls traced: {bound} sockets, each bound to the group's interface, and local ones"
    )))
}

/// Fails at the first socket that leads anywhere else; counts those that are bound to the group's interface.
fn check(trace: &str) -> anyhow::Result<usize> {
    let (mut made, mut bound) = (0, 0);
    for line in trace.lines() {
        let local = LOCAL.iter().any(|family| line.contains(family));
        if line.contains("socket(") && !line.contains("resumed>") {
            made += usize::from(line.contains("AF_INET6"));
            anyhow::ensure!(
                local || line.contains("AF_INET6"),
                "a socket of another kind: {line}"
            );
        }
        if line.contains("SO_BINDTODEVICE") {
            anyhow::ensure!(
                line.contains("\"p2p-"),
                "bound to another interface: {line}"
            );
            bound += 1;
        }
        if line.contains("sa_family=AF_INET") {
            anyhow::ensure!(
                line.contains("\"fe80:"),
                "an address beyond the link: {line}"
            );
        }
    }
    anyhow::ensure!(
        made == bound,
        "{made} sockets of IPv6, {bound} of them bound to an interface"
    );
    Ok(bound)
}
