//! `wifi-direct-star`: an owner and two members in three namespaces, agreed by a file; all pairs talk; the owner's
//! wpa_supplicant crashes, then the owner itself: the group comes back each time.

use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

/// How long a group may take to be there with all its links. The guest is emulated.
const GROUP_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new(
        "owner and two members, all pairs; the group came back after wpa_supplicant and after the owner were killed",
    );
    lab.wifi_radios(3)?;
    let file = lab.path("group").display().to_string();
    let mut nodes = Vec::new();
    for (number, (name, word)) in [("hub", "own"), ("east", "join"), ("west", "join")]
        .into_iter()
        .enumerate()
    {
        let radio = format!("{},{word}={file}", lab.wifi.radio(number));
        let mut node = lab.node(name, &radio).person()?;
        node.start()?;
        nodes.push(node);
    }
    let began = Instant::now();
    all_linked(&nodes)?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("start to all links", took, "s", None);
    let [hub, east, west] = nodes.as_mut_slice() else {
        anyhow::bail!("three nodes were started");
    };
    introduce(east, west)?;
    introduce(hub, west)?;
    introduce(hub, east)?;
    for (from, to) in [(&*east, &*west), (west, east), (hub, east), (hub, west)] {
        let text = format!("{} to {}", from.name, to.name);
        from.say(&["send", &to.name, &text])?;
        to.receives(&text, TEXT_LIMIT)?;
    }

    lab.wifi.restart_supplicant(0)?;
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    all_linked(&nodes)?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("wpa_supplicant killed to all links", took, "s", None);

    let [hub, east, west] = nodes.as_mut_slice() else {
        anyhow::bail!("three nodes were started");
    };
    hub.kill();
    hub.start()?;
    let began = Instant::now();
    east.say(&["send", &west.name, "after the owner's end"])?;
    west.receives("after the owner's end", GROUP_LIMIT)?;
    all_linked(&nodes)?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("owner killed to all links", took, "s", None);
    Ok(shown)
}

/// Waits until each has a link over Wi-Fi Direct to each of the others.
fn all_linked(nodes: &[Node]) -> anyhow::Result<()> {
    for node in nodes {
        let what = format!("{} to have a link with each of the others", node.name);
        wait::until(&what, GROUP_LIMIT, || {
            let count = wifi_links(node)?;
            Ok((count == nodes.len() - 1).then_some(()))
        })?;
    }
    Ok(())
}

/// How many links over Wi-Fi Direct a node has.
pub(super) fn wifi_links(node: &Node) -> anyhow::Result<usize> {
    let peers = node.peers()?;
    let bearers = peers.iter().filter_map(|peer| peer.get("bearer")?.as_str());
    Ok(bearers.filter(|bearer| *bearer == "wifi-direct").count())
}
