//! `wifi-direct-privacy`: two owners and two members, in two groups and then in two others. Nothing that a node sends for
//! everybody to read links the one time with the other: no address, and no string of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

use super::wifi_direct_star::wifi_links;
use crate::lab::Lab;
use crate::node::Node;
use crate::pcap::{self, Frame, Mac};
use crate::recurring::{self, Recurring};
use crate::report::Shown;
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(120);
/// The same for all. wpa_supplicant draws one of three for each group: two owners may draw different ones, and one of them the
/// same twice.
const CHANNEL: &str = "frequency=2437";
/// Nodes in the order of their radios: the owners, then the members.
const NAMES: [&str; 4] = ["north", "south", "east", "west"];
/// Whom a member joins, by the epoch.
const JOINS: [[usize; 2]; 2] = [[0, 1], [1, 0]];

/// Which node had an address, and when.
type Addresses = BTreeMap<Mac, (usize, usize)>;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(NAMES.len())?;
    let mut nodes = Vec::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let word = if number < 2 { "own" } else { "join" };
        let file = lab.path(&format!("group-{name}")).display().to_string();
        let radio = format!("{},{CHANNEL},{word}={file}", lab.wifi.radio(number));
        nodes.push(lab.node(name, &radio).person()?);
    }
    let lasting = lasting(lab)?;
    let mut addresses = Addresses::new();
    for (epoch, joins) in JOINS.into_iter().enumerate() {
        for (number, node) in nodes.iter_mut().enumerate() {
            // Owners are started anew for another group; members go from one to the other.
            if epoch == 0 || number < 2 {
                node.stop();
                node.start()?;
            }
        }
        form(lab, &nodes, joins)?;
        for number in 0..NAMES.len() {
            for address in lab.wifi.addresses(number)? {
                let before = addresses.insert(address, (number, epoch));
                anyhow::ensure!(
                    before.is_none_or(|before| before == (number, epoch)),
                    "{address:?} of {} was seen before",
                    NAMES.get(number).copied().unwrap_or_default()
                );
            }
        }
    }
    for node in &mut nodes {
        node.stop();
    }
    let frames = pcap::read(lab.wifi.capture()?)?;
    for from in frames.iter().filter_map(|frame| frame.from) {
        anyhow::ensure!(
            !lasting.contains(&from),
            "{from:?} was sent, which a radio has for good"
        );
    }
    let of = |frame: &Frame| addresses.get(&frame.from?).copied();
    names_differ(&frames, of)?;
    let mut shown =
        Shown::new("no address and no string of its own links two groups that a node was in");
    shown.figure("addresses shown", addresses.len() as f64, "", None);
    let mut searched = 0;
    for [one, other] in [[0, 1], [1, 0], [2, 3], [3, 2]] {
        let recurring = search(&frames, of, one, other)?;
        anyhow::ensure!(
            recurring.found.is_empty(),
            "{} shows in both groups {:02x?}",
            NAMES.get(one).copied().unwrap_or_default(),
            recurring.found
        );
        searched += recurring.searched;
    }
    shown.figure("frames read", frames.len() as f64, "", None);
    let found = finds_what_recurs(&frames, of)?;
    shown.figure(
        "found where it has to: in one group",
        found as f64,
        "",
        None,
    );
    shown.figure("strings searched", searched as f64, "", None);
    Ok(shown)
}

/// The addresses that the radios were made with.
fn lasting(lab: &Lab) -> anyhow::Result<BTreeSet<Mac>> {
    let mut all = BTreeSet::new();
    for number in 0..NAMES.len() {
        let told = lab
            .wifi
            .inside(number, "cat /sys/class/ieee80211/*/addresses")?;
        for address in told.split_ascii_whitespace() {
            all.insert(address.parse()?);
        }
    }
    anyhow::ensure!(all.len() >= NAMES.len(), "the kernel tells of {all:?} only");
    Ok(all)
}

/// Leads each member to its owner, and waits until they have links.
fn form(lab: &Lab, nodes: &[Node], joins: [usize; 2]) -> anyhow::Result<()> {
    for (member, owner) in [(2, joins[0]), (3, joins[1])] {
        let path = |number: usize| {
            let name = NAMES.get(number).copied().unwrap_or_default();
            lab.path(&format!("group-{name}"))
        };
        wait::until("the group's file", GROUP_LIMIT, || {
            Ok(path(owner).exists().then_some(()))
        })?;
        let part = lab.path("part");
        fs::copy(path(owner), &part)?;
        fs::rename(&part, path(member))?;
    }
    for node in nodes {
        let what = format!("{} to have its link", node.name);
        wait::until(&what, GROUP_LIMIT, || {
            Ok((wifi_links(node)? == 1).then_some(()))
        })?;
    }
    Ok(())
}

/// The names of an owner's two groups: their two letters are random, so that one owner may draw the same twice, but not both.
///
/// # Errors
/// When both did, or a name was not seen.
fn names_differ(
    frames: &[Frame],
    of: impl Fn(&Frame) -> Option<(usize, usize)>,
) -> anyhow::Result<()> {
    let mut names: BTreeMap<(usize, usize), BTreeSet<[u8; 2]>> = BTreeMap::new();
    for frame in frames {
        if let (Some(whose), Some(letters)) = (of(frame), frame.letters) {
            names.entry(whose).or_default().insert(letters);
        }
    }
    let mut same = 0;
    for owner in [0, 1] {
        let [first, second] = [(owner, 0), (owner, 1)].map(|whose| names.get(&whose));
        let (first, second) = first
            .zip(second)
            .context("the capture has no group's name")?;
        same += usize::from(!first.is_disjoint(second));
    }
    anyhow::ensure!(
        same < 2,
        "both owners gave their groups the same name again: {names:?}"
    );
    Ok(())
}

/// The search is one that can fail: within one group an owner's address does recur, and it finds it. Gives how many
/// strings it finds of each owner, at least.
fn finds_what_recurs(
    frames: &[Frame],
    of: impl Fn(&Frame) -> Option<(usize, usize)>,
) -> anyhow::Result<usize> {
    let mut fewest = usize::MAX;
    for [one, other] in [[0, 1], [1, 0]] {
        let mut times: Vec<Duration> = frames
            .iter()
            .filter(|frame| of(frame) == Some((one, 0)))
            .map(|frame| frame.at)
            .collect();
        times.sort();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        // The first group alone: what was sent early in it, and what late.
        let halves = |frame: &Frame| {
            let (node, epoch) = of(frame)?;
            (epoch == 0).then_some((node, usize::from(frame.at > middle)))
        };
        let found = search(frames, halves, one, other)?.found.len();
        anyhow::ensure!(
            found > 0,
            "the search does not find even what recurs within one group"
        );
        fewest = fewest.min(found);
    }
    Ok(fewest)
}

/// Looks for strings that a node sent in both epochs; `of` tells whose a frame is, and of which epoch. An address that a radio
/// had only for an attempt is nobody's: it is told apart before.
///
/// # Errors
/// When the node sent nothing.
fn search<'a>(
    frames: &'a [Frame],
    of: impl Fn(&Frame) -> Option<(usize, usize)>,
    node: usize,
    other: usize,
) -> anyhow::Result<Recurring<'a>> {
    let sent = |whose: usize| {
        let of = &of;
        frames.iter().filter_map(move |frame| {
            let (who, epoch) = of(frame)?;
            (who == whose).then(|| (epoch, frame.readable()))
        })
    };
    let recurring = recurring::search(sent(node), sent(other).map(|(_, bytes)| bytes));
    anyhow::ensure!(recurring.searched > 0, "the capture has nothing of a node");
    Ok(recurring)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn frame(from: u8, body: &[u8]) -> Frame {
        let mut bytes = vec![0x80, 0, 0, 0];
        bytes.extend([0xff; 6]);
        bytes.extend([2, 0, 0, 0, 0, from]);
        bytes.extend(body);
        let packet = [&[0, 0, 4, 0], bytes.as_slice()].concat();
        Frame::parse(Duration::ZERO, &packet, packet.len()).unwrap()
    }

    fn mac(last: u8) -> Mac {
        format!("02:00:00:00:00:{last:02x}").parse().unwrap()
    }

    #[test]
    fn one_owner_may_draw_the_same_name_again_and_two_do_not() {
        let addresses = Addresses::from([
            (mac(1), (0, 0)),
            (mac(2), (0, 1)),
            (mac(3), (1, 0)),
            (mac(4), (1, 1)),
        ]);
        let of = |frame: &Frame| addresses.get(&frame.from?).copied();
        let names = |names: [&[u8]; 4]| {
            let frames: Vec<Frame> = (1..)
                .zip(names)
                .map(|(from, name)| frame(from, name))
                .collect();
            names_differ(&frames, of).is_ok()
        };
        assert!(names([
            b"DIRECT-ab",
            b"DIRECT-cd",
            b"DIRECT-ef",
            b"DIRECT-gh"
        ]));
        assert!(names([
            b"DIRECT-ab",
            b"DIRECT-ab",
            b"DIRECT-ef",
            b"DIRECT-gh"
        ]));
        assert!(!names([
            b"DIRECT-ab",
            b"DIRECT-ab",
            b"DIRECT-ef",
            b"DIRECT-ef"
        ]));
        assert!(!names([
            b"DIRECT-ab",
            b"DIRECT-cd",
            b"DIRECT-ef",
            b"nothing"
        ]));
    }

    #[test]
    fn what_recurs_and_is_not_the_protocols_is_found() {
        let frames = [
            frame(1, b"protocol serial1"),
            frame(2, b"protocol fresh-1"),
            frame(3, b"protocol serial1"),
        ];
        let addresses = Addresses::from([(mac(1), (0, 0)), (mac(2), (1, 0)), (mac(3), (0, 1))]);
        let of = |frame: &Frame| addresses.get(&frame.from?).copied();
        let found = search(&frames, of, 0, 1).unwrap().found;
        assert!(found.contains(&b"serial"[..]), "{found:?}");
        assert!(!found.contains(&b"protoc"[..]), "{found:?}");
        assert!(search(&frames, |_| None, 0, 1).is_err());
    }
}
