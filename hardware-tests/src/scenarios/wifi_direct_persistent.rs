//! `wifi-direct-persistent`: wpa_supplicant was given the radio by somebody else, who has a persistent group there. A node makes
//! a group, makes it anew after the kernel has taken it away, and ends: its own persistent groups do not become more, none is
//! left, and the other one stays.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::lab::Lab;
use crate::report::Shown;
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(120);
/// How long wpa_supplicant may take until it can be asked.
const CONTROL_LIMIT: Duration = Duration::from_secs(30);
/// The name of somebody else's group.
const OTHERS: &str = "DIRECT-zz-of-others";
/// The kernel takes the group away so often.
const LOSSES: usize = 2;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(1)?;
    let control = lab.path("control").display().to_string();
    lab.wifi.restart_supplicant_with(
        0,
        &format!(
            "ctrl_interface={control}\nnetwork={{\nssid=\"{OTHERS}\"\npsk=\"of somebody else\"\nmode=3\ndisabled=2\n}}\n"
        ),
    )?;
    // It is on its bus before it has taken the radio.
    wait::until("somebody else's group", CONTROL_LIMIT, || {
        let there = groups(lab, &control).unwrap_or_default();
        Ok((there == [OTHERS]).then_some(()))
    })?;
    let file = lab.path("group").display().to_string();
    let mut node = lab
        .node("north", &format!("{},own={file}", lab.wifi.radio(0)))
        .person()?;
    node.start()?;
    let mut shown = Shown::new(format!(
        "a node's group came back after {LOSSES} losses; of its persistent groups none is left, and somebody else's is"
    ));
    for loss in 0..=LOSSES {
        let began = Instant::now();
        if loss > 0 {
            lab.wifi.tear_down(0)?;
            wait::until("the group to be gone", GROUP_LIMIT, || {
                Ok(lab.wifi.group_interface(0).is_err().then_some(()))
            })?;
        }
        wait::until("the group", GROUP_LIMIT, || {
            Ok(lab.wifi.group_interface(0).ok().map(drop))
        })?;
        if loss > 0 {
            let took = began.elapsed().as_secs_f64();
            shown.figure(format!("loss {loss} to the group"), took, "s", None);
        }
        let there = groups(lab, &control)?;
        // wpa_supplicant keeps one more of the same name once a group is up.
        let own = there.iter().filter(|name| *name != OTHERS).count();
        anyhow::ensure!(
            (1..=2).contains(&own) && there.len() == own + 1,
            "after {loss} losses there are {there:?}"
        );
    }
    anyhow::ensure!(node.runs(), "the node ended by itself; see its log");
    node.stop();
    let there = groups(lab, &control)?;
    anyhow::ensure!(
        there == [OTHERS],
        "after the node's end there are {there:?}"
    );
    Ok(shown)
}

/// The names of the persistent groups that wpa_supplicant knows.
fn groups(lab: &Lab, control: &str) -> anyhow::Result<Vec<String>> {
    let interface = lab.wifi.interface(0)?;
    let told = lab.wifi.inside(
        0,
        &format!("wpa_cli -p {control} -i {interface} list_networks"),
    )?;
    let lines = told.lines().filter(|line| line.contains("P2P-PERSISTENT"));
    // Number, name, address, flags, parted by tabs.
    let names = lines.map(|line| line.split('\t').nth(1).map(str::to_owned));
    names.collect::<Option<_>>().context("a list of networks")
}
