//! `wifi-direct-star`: an owner and two members in three namespaces, agreed by a file; all pairs talk; wpa_supplicant
//! crashes, the kernel takes the group away, the owner itself crashes: the group comes back each time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;
use crate::wifi::Driver;

/// How long a group may take to be there with all its links. The guest is emulated.
const GROUP_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    let mut shown = Shown::new(
        "owner and two members, all pairs; the group came back after each of five losses",
    );
    // As with a Raspberry Pi's radio.
    lab.wifi_radios_of(Driver::P2pDevice, 3)?;
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
    all_linked(&nodes, &Links::new())?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("start to all links", took, "s", None);
    let [hub, east, west] = nodes.as_mut_slice() else {
        anyhow::bail!("three nodes were started");
    };
    introduce(east, west)?;
    introduce(hub, west)?;
    introduce(hub, east)?;
    for (from, to) in [
        (&*east, &*west),
        (west, east),
        (hub, east),
        (hub, west),
        (east, hub),
        (west, hub),
    ] {
        let text = format!("{} to {}", from.name, to.name);
        from.say(&["send", &to.name, &text])?;
        to.receives(&text, TEXT_LIMIT)?;
    }

    let losses: [(&str, Loss); 5] = [
        ("the owner's wpa_supplicant killed", |lab, _| {
            lab.wifi.restart_supplicant(0)
        }),
        ("a member's wpa_supplicant killed", |lab, _| {
            lab.wifi.restart_supplicant(1)
        }),
        ("the owner's group taken by the kernel", |lab, _| {
            lab.wifi.tear_down(0)
        }),
        ("a member's group taken by the kernel", |lab, _| {
            lab.wifi.tear_down(2)
        }),
        ("the owner killed", |_, hub| {
            hub.kill();
            hub.start()
        }),
    ];
    for (name, lose) in losses {
        let before = links(&nodes)?;
        let hub = nodes.first_mut().context("the owner was started")?;
        lose(lab, hub)?;
        let began = Instant::now();
        all_linked(&nodes, &before)?;
        let took = began.elapsed().as_secs_f64();
        shown.figure(format!("{name} to all links"), took, "s", None);
        let [_, east, west] = nodes.as_slice() else {
            anyhow::bail!("three nodes were started");
        };
        let text = format!("after {name}");
        east.say(&["send", &west.name, &text])?;
        west.receives(&text, TEXT_LIMIT)?;
    }
    Ok(shown)
}

/// Something that the group is lost by.
type Loss = fn(&mut Lab, &mut Node) -> anyhow::Result<()>;

/// The links over Wi-Fi Direct that there are, by the name of their node.
type Links = BTreeSet<(String, u64)>;

/// Waits until each has a link over Wi-Fi Direct to each of the others, and not all of them are those of `before`.
fn all_linked(nodes: &[Node], before: &Links) -> anyhow::Result<()> {
    let wanted = nodes.len() * (nodes.len() - 1);
    wait::until(
        "each to have a link with each of the others",
        GROUP_LIMIT,
        || {
            let now = links(nodes)?;
            Ok((now.len() == wanted && now != *before).then_some(()))
        },
    )
}

fn links(nodes: &[Node]) -> anyhow::Result<Links> {
    let mut links = Links::new();
    for node in nodes {
        let ours = wifi_peers(node)?.into_iter();
        let numbers = ours.filter_map(|peer| peer.get("link")?.as_u64());
        links.extend(numbers.map(|number| (node.name.clone(), number)));
    }
    Ok(links)
}

/// How many links over Wi-Fi Direct a node has.
pub(super) fn wifi_links(node: &Node) -> anyhow::Result<usize> {
    Ok(wifi_peers(node)?.len())
}

fn wifi_peers(node: &Node) -> anyhow::Result<Vec<Value>> {
    let mut peers = node.peers()?;
    peers.retain(|peer| peer.get("bearer").and_then(Value::as_str) == Some("wifi-direct"));
    Ok(peers)
}
