//! `wifi-direct-ferry`: two groups that never hear each other; a relay that goes from one to the other carries.

use std::fs;
use std::time::Duration;

use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::introduce;
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
    let here = lab.path("here");
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
    for (group, mask) in [("n", NORTH), ("s", SOUTH)] {
        lab.wifi.groups(2, mask)?;
        wait::until("the group's file", GROUP_LIMIT, || {
            Ok(lab.path(group).exists().then_some(()))
        })?;
        let _ = fs::remove_file(&here);
        fs::copy(lab.path(group), &here)?;
        let owner = if mask == NORTH { &north } else { &south };
        let what = format!("the ferry to arrive in the {}", owner.name);
        wait::until(&what, GROUP_LIMIT, || {
            Ok((wifi_links(owner)? == 1).then_some(()))
        })?;
        if mask == NORTH {
            wait::until("the ferry to take it aboard", TEXT_LIMIT, || {
                let status = ferry.json(&["status"])?;
                let carried = status
                    .first()
                    .and_then(|status| status.get("envelopes")?.as_u64());
                Ok((carried.unwrap_or_default() > 0).then_some(()))
            })?;
        }
    }
    south.receives("by ferry", TEXT_LIMIT)?;
    Ok(Shown::new(
        "a relay carried a text between two groups that never hear each other",
    ))
}
