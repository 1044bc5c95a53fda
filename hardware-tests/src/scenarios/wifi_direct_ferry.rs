//! `wifi-direct-ferry`: two groups that never hear each other; a relay that goes from one to the other carries.

use std::fs;
use std::time::{Duration, Instant};

use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(120);
const TEXT_LIMIT: Duration = Duration::from_secs(60);
const NORTH: u8 = 1;
const SOUTH: u8 = 2;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(3)?;
    lab.wifi.groups(0, NORTH)?;
    lab.wifi.groups(1, SOUTH)?;
    lab.wifi.groups(2, NORTH)?;
    let path = |name: &str| lab.path(name).display().to_string();
    let mut north = lab
        .node("north", &format!("{},own={}", lab.wifi.radio(0), path("n")))
        .person()?;
    let mut south = lab
        .node("south", &format!("{},own={}", lab.wifi.radio(1), path("s")))
        .person()?;
    let mut ferry = lab
        .node(
            "ferry",
            &format!("{},join={}", lab.wifi.radio(2), path("here")),
        )
        .relay()?;
    for node in [&mut north, &mut south, &mut ferry] {
        node.start()?;
    }
    // Contact URIs go from hand to hand.
    introduce(&north, &south)?;
    north.say(&["send", "south", "by ferry"])?;
    let mut shown = Shown::new(
        "a relay carried a text from one group to another that never hears it, and the answer back",
    );
    travel(lab, &north, "n", NORTH)?;
    wait::until("the ferry to take it aboard", TEXT_LIMIT, || {
        Ok((ferry.count("envelopes")? > 0).then_some(()))
    })?;
    anyhow::ensure!(
        wifi_links(&south)? == 0 && south.texts()?.is_empty(),
        "the groups hear each other"
    );
    let began = Instant::now();
    travel(lab, &south, "s", SOUTH)?;
    south.receives("by ferry", TEXT_LIMIT)?;
    let took = began.elapsed().as_secs_f64();
    shown.figure("the ferry leaves to the text there", took, "s", None);
    south.say(&["send", "north", "and back"])?;
    wait::until("the ferry to take the answer aboard", TEXT_LIMIT, || {
        Ok((south.count("handed_over")? > 0).then_some(()))
    })?;
    travel(lab, &north, "n", NORTH)?;
    north.receives("and back", TEXT_LIMIT)?;
    Ok(shown)
}

/// The ferry goes where only this owner hears it, and learns how its group is joined.
fn travel(lab: &Lab, owner: &Node, group: &str, mask: u8) -> anyhow::Result<()> {
    lab.wifi.groups(2, mask)?;
    wait::until("the group's file", GROUP_LIMIT, || {
        Ok(lab.path(group).exists().then_some(()))
    })?;
    let part = lab.path("part");
    fs::copy(lab.path(group), &part)?;
    fs::rename(part, lab.path("here"))?;
    let what = format!("the ferry to arrive in the {}", owner.name);
    wait::until(&what, GROUP_LIMIT, || {
        Ok((wifi_links(owner)? == 1).then_some(()))
    })
}
