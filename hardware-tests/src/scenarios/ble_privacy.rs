//! `ble-privacy`: nothing that a node sends before its tunnel, or shows to everybody, links two of its addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use super::ble_pair::meet;
use crate::capture::{self, Sent};
use crate::lab::Lab;
use crate::node::introduce;
use crate::report::Shown;

/// Short, so that there is something to compare.
const OPTIONS: &str = ",epoch=25,scan=3,rest=1";
const WATCH: Duration = Duration::from_secs(110);
/// Between two texts.
const PAUSE: Duration = Duration::from_secs(5);
/// Rotations without which nothing is shown.
const LEAST: usize = 3;
/// The shortest string that is looked for.
const STRING: usize = 6;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let mut north = lab.node("north", &format!("ble:hci0{OPTIONS}")).person()?;
    let mut south = lab.node("south", &format!("ble:hci1{OPTIONS}")).person()?;
    introduce(&north, &south)?;
    north.start()?;
    south.start()?;
    meet(&north, &south, "ble-l2cap")?;
    for round in 0..WATCH.as_secs() / PAUSE.as_secs() {
        north.say(&["send", "south", &format!("round {round}")])?;
        sleep(PAUSE);
    }
    north.stop();
    south.stop();
    lab.bluetooth.stop();

    let sent = capture::read(&lab.logs().join("btmon.snoop"))?;
    let (a, b) = (adapter(&sent, 0)?, adapter(&sent, 1)?);
    let mut searched = 0;
    for (own, other) in [(a, b), (b, a)] {
        one_to_one(own)?;
        searched += search(own, other)?;
    }
    let rotations = a.adverts.len() + b.adverts.len();
    let mut shown =
        Shown::new("no string links two addresses of a node; tokens and addresses change together");
    shown.figure("addresses shown", rotations as f64, "", None);
    shown.figure("strings searched", searched as f64, "", None);
    Ok(shown)
}

fn adapter(sent: &BTreeMap<u16, Sent>, number: u16) -> anyhow::Result<&Sent> {
    sent.get(&number)
        .with_context(|| format!("the capture has nothing of hci{number}"))
}

/// Each address was shown with one content, and each content with one address.
fn one_to_one(sent: &Sent) -> anyhow::Result<()> {
    let addresses: BTreeSet<_> = sent.adverts.iter().map(|advert| &advert.address).collect();
    let contents: BTreeSet<_> = sent.adverts.iter().map(|advert| &advert.data).collect();
    let pairs: BTreeSet<_> = sent
        .adverts
        .iter()
        .map(|advert| (&advert.address, &advert.data))
        .collect();
    anyhow::ensure!(
        pairs.len() >= LEAST,
        "only {} addresses were shown",
        pairs.len()
    );
    anyhow::ensure!(
        addresses.len() == pairs.len() && contents.len() == pairs.len(),
        "{} addresses, {} contents, {} pairs of them: one outlived the other",
        addresses.len(),
        contents.len(),
        pairs.len()
    );
    Ok(())
}

/// Looks for strings that recur in two epochs of a node. What the other node sends as well is the protocol's.
/// Answers with how many different strings there were.
fn search(own: &Sent, other: &Sent) -> anyhow::Result<usize> {
    let common: BTreeSet<&[u8]> = windows(other).map(|(_, string)| string).collect();
    let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (at, string) in windows(own) {
        let epoch = own.adverts.iter().filter(|advert| advert.at <= at).count();
        let first = *seen.entry(string).or_insert(epoch);
        anyhow::ensure!(
            first == epoch || common.contains(string),
            "{string:02x?} recurs in the epochs {first} and {epoch}"
        );
    }
    Ok(seen.len())
}

fn windows(sent: &Sent) -> impl Iterator<Item = (u64, &[u8])> {
    let adverts = sent.adverts.iter().map(|advert| (advert.at, &advert.data));
    let payloads = sent
        .payloads
        .iter()
        .map(|payload| (payload.at, &payload.bytes));
    adverts
        .chain(payloads)
        .flat_map(|(at, bytes)| bytes.windows(STRING).map(move |string| (at, string)))
}
