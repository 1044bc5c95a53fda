//! `ble-privacy`: nothing that a node sends before its tunnel, or shows to everybody, links two of its addresses. A
//! stranger connects to both again and again and reads all that they give.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::ble_pair::meet;
use crate::capture::{self, Advert, Payload, Sent};
use crate::hostile::Hostile;
use crate::lab::Lab;
use crate::node::introduce;
use crate::recurring::{self, Recurring, STRING};
use crate::report::{Shown, Target};

/// Short, so that there is something to compare; longer than the kernel keeps an address, as outside.
const OPTIONS: &str = ",epoch=33,scan=3,rest=1";
const KEPT: &str = "30";
const WATCH: Duration = Duration::from_secs(120);
/// Between two texts.
const PAUSE: Duration = Duration::from_secs(5);
/// Rotations without which nothing is shown.
const LEAST: usize = 3;
/// Where the token is in what is advertised: behind length, type, service, version and PSM.
const TOKEN: std::ops::Range<usize> = 20..28;
/// What strangers are to read as a name, and what they are not.
const NAME: &[u8] = b"chappe";
const HOST: &[u8] = b"radio-lab";
/// What begins a packet: its length, its kind and a number that counts from 0 on every link.
const COUNTERS: usize = 5;
/// The search is shown that it finds this.
const PLANTED: &[u8] = b"my-key";

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(3)?;
    for adapter in ["hci0", "hci1", "hci2"] {
        let path = format!("/sys/kernel/debug/bluetooth/{adapter}/rpa_timeout");
        std::fs::write(&path, KEPT).with_context(|| path.clone())?;
    }
    let mut north = lab.node("north", &format!("ble:hci0{OPTIONS}")).person()?;
    let mut south = lab.node("south", &format!("ble:hci1{OPTIONS}")).person()?;
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, "ble-l2cap")?;
    let stranger = Hostile::on("hci2")?;
    let (began, mut round, mut read) = (Instant::now(), 0, 0);
    while began.elapsed() < WATCH {
        round += 1;
        north.say(&["send", "south", &format!("round {round}")])?;
        // A node may be just about to change.
        for prey in stranger.hunt(2).unwrap_or_default() {
            read += stranger.look_around(prey).unwrap_or_default();
        }
        sleep(PAUSE);
    }
    north.stop();
    south.stop();
    lab.bluetooth.stop();

    let mut sent = capture::read(&lab.logs().join("btmon.snoop"))?;
    let (a, b) = (adapter(&sent, 0)?, adapter(&sent, 1)?);
    let mut names = 0;
    for (own, other) in [(a, b), (b, a)] {
        said_by_both(own, other)?;
        one_epoch_each(own)?;
        names += gap_names(own);
    }
    let searched = nothing_recurs(a, b)?;
    anyhow::ensure!(names > 0, "nobody read a name: nothing was shown of it");
    let rotations = a.adverts.len() + b.adverts.len();
    let spoilt = spoil(sent.remove(&0).unwrap_or_default());
    for attributes in [false, true] {
        let found = search(&spoilt, adapter(&sent, 1)?, attributes).found;
        anyhow::ensure!(
            found.contains(PLANTED),
            "the search overlooks what recurs: it finds {found:02x?}"
        );
    }
    let mut shown = Shown::new(
        "tokens and addresses change together; no string of the node's own links two addresses",
    );
    shown.figure("addresses shown", rotations as f64, "", None);
    shown.figure("values that a stranger read", read as f64, "", None);
    shown.figure("strings searched", searched as f64, "", None);
    shown.figure("recurring strings", 0.0, "", Some(Target::AtMost(0.0)));
    shown.figure("names read, all the same", names as f64, "", None);
    Ok(shown)
}

/// Fails if a token outlives its address or the other way, or if a string of a node's own recurs in two of its epochs. How many
/// strings were searched.
pub(super) fn nothing_recurs(a: &Sent, b: &Sent) -> anyhow::Result<usize> {
    let mut searched = 0;
    for (own, other) in [(a, b), (b, a)] {
        one_to_one(own)?;
        for (attributes, place) in [(false, "its channels"), (true, "the attribute protocol")] {
            let recurring = search(own, other, attributes);
            anyhow::ensure!(
                recurring.found.is_empty(),
                "two epochs share {:02x?} in {place}",
                recurring.found
            );
            searched += recurring.searched;
        }
    }
    Ok(searched)
}

/// What a node must not send, in its first epoch and in its last.
fn spoil(mut sent: Sent) -> Sent {
    let ends = [sent.payloads.first(), sent.payloads.last()];
    let times: Vec<u64> = ends.into_iter().flatten().map(|one| one.at).collect();
    for at in times {
        for attributes in [false, true] {
            sent.payloads.push(Payload {
                at,
                first: false,
                attributes,
                bytes: PLANTED.to_vec(),
            });
        }
    }
    sent.payloads.sort_by_key(|one| one.at);
    sent
}

/// Each address that it showed as a scanner or when it connected belongs to one epoch.
fn one_epoch_each(sent: &Sent) -> anyhow::Result<()> {
    let mut epochs: BTreeMap<&[u8], usize> = BTreeMap::new();
    for shown in &sent.shown {
        let epoch = epoch(sent, shown.at);
        let first = *epochs.entry(&shown.address).or_insert(epoch);
        anyhow::ensure!(
            first == epoch,
            "the address {:02x?} was shown in the epochs {first} and {epoch}",
            shown.address
        );
    }
    anyhow::ensure!(
        epochs.len() >= LEAST,
        "only {} addresses scanned",
        epochs.len()
    );
    Ok(())
}

/// Which epoch that was. One begins when the last token is off the air: what it shows then is not to be linked to that.
fn epoch(sent: &Sent, at: u64) -> usize {
    let mut tokens = BTreeSet::new();
    let mut off = None;
    for advert in &sent.adverts {
        let token = advert.data.get(TOKEN).unwrap_or_default();
        if !tokens.contains(token) && off.unwrap_or(advert.at).min(advert.at) > at {
            break;
        }
        tokens.insert(token);
        off = advert.until;
    }
    tokens.len()
}

/// How often it was asked for its name and gave the constant one. The host's own name is in nothing it sends.
fn gap_names(sent: &Sent) -> usize {
    let payloads = sent.payloads.iter().filter(|payload| payload.attributes);
    let named = |name: &'static [u8]| {
        payloads
            .clone()
            .filter(|payload| payload.bytes.windows(name.len()).any(|it| it == name))
            .count()
    };
    if named(HOST) > 0 { 0 } else { named(NAME) }
}

/// What an adapter sent.
///
/// # Errors
/// When the capture has nothing of it.
pub(super) fn adapter(sent: &BTreeMap<u16, Sent>, number: u16) -> anyhow::Result<&Sent> {
    sent.get(&number)
        .with_context(|| format!("the capture has nothing of hci{number}"))
}

/// Each address was shown with one content, and no token came back. Within an epoch a token has several addresses, one to each time
/// that the advertisement was registered.
fn one_to_one(sent: &Sent) -> anyhow::Result<()> {
    let addresses: BTreeSet<_> = sent.adverts.iter().map(|advert| &advert.address).collect();
    let pairs: BTreeSet<_> = sent
        .adverts
        .iter()
        .map(|advert| (&advert.address, &advert.data))
        .collect();
    anyhow::ensure!(
        addresses.len() == pairs.len(),
        "{} addresses were shown with {} contents: one outlived its token",
        addresses.len(),
        pairs.len()
    );
    let token = |advert: &Advert| advert.data.get(TOKEN).unwrap_or_default().to_vec();
    let mut tokens: Vec<Vec<u8>> = sent.adverts.iter().map(token).collect();
    tokens.dedup();
    let different: BTreeSet<_> = tokens.iter().collect();
    anyhow::ensure!(
        different.len() == tokens.len(),
        "of {} tokens one came back",
        tokens.len()
    );
    anyhow::ensure!(different.len() >= LEAST, "only {} tokens", tokens.len());
    Ok(())
}

/// Whatever kind of packet of the attribute protocol one sends in two epochs, the other sends too: an answer is the same
/// in all epochs where the question is, and whether it is a node's own shows only beside another node's answer to the
/// same question.
fn said_by_both(own: &Sent, other: &Sent) -> anyhow::Result<()> {
    let kinds = |sent: &Sent| -> BTreeMap<u8, BTreeSet<usize>> {
        let mut kinds: BTreeMap<u8, BTreeSet<usize>> = BTreeMap::new();
        let payloads = sent.payloads.iter();
        for packet in payloads.filter(|it| it.attributes && it.first && it.bytes.len() >= STRING) {
            if let Some(kind) = packet.bytes.first() {
                let epochs = kinds.entry(*kind).or_default();
                epochs.insert(epoch(sent, packet.at));
            }
        }
        kinds
    };
    let other = kinds(other);
    let again = kinds(own).into_iter().filter(|(_, it)| it.len() >= 2);
    let alone: Vec<u8> = again
        .map(|(kind, _)| kind)
        .filter(|kind| !other.contains_key(kind))
        .collect();
    anyhow::ensure!(
        alone.is_empty(),
        "one node alone sent {alone:02x?} in two epochs: nothing can be said of these answers"
    );
    Ok(())
}

/// Looks for strings that recur in two epochs of a node: in its own bytes, or in those of the attribute protocol.
fn search<'a>(own: &'a Sent, other: &'a Sent, attributes: bool) -> Recurring<'a> {
    let (mut last, mut now) = (0, 0);
    let own_pieces = pieces(own, attributes).map(|(at, bytes)| {
        if at != last {
            (last, now) = (at, epoch(own, at));
        }
        (now, bytes)
    });
    let others = pieces(other, attributes).map(|(_, bytes)| bytes);
    recurring::search(own_pieces, others)
}

fn pieces(sent: &Sent, attributes: bool) -> impl Iterator<Item = (u64, &[u8])> {
    let adverts = sent.adverts.iter().filter(move |_| !attributes);
    let adverts = adverts.map(|advert| (advert.at, advert.data.get(TOKEN).unwrap_or_default()));
    let payloads = sent.payloads.iter();
    let payloads = payloads
        .filter(move |payload| payload.attributes == attributes)
        .map(|payload| {
            let begins = payload.first && !payload.attributes;
            let counters = if begins { COUNTERS } else { 0 };
            let bytes = payload.bytes.get(counters..).unwrap_or_default();
            (payload.at, bytes)
        });
    adverts.chain(payloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advert(address: u8, token: u8) -> Advert {
        Advert {
            address: vec![address],
            data: vec![token; TOKEN.end],
            at: 0,
            until: None,
        }
    }

    fn shown(adverts: &[(u8, u8)]) -> Sent {
        Sent {
            adverts: adverts
                .iter()
                .map(|(address, token)| advert(*address, *token))
                .collect(),
            ..Sent::default()
        }
    }

    #[test]
    fn an_address_that_outlives_its_token_is_found_and_so_is_a_token_that_comes_back() {
        assert!(one_to_one(&shown(&[(1, 1), (2, 1), (3, 2), (4, 3)])).is_ok());
        assert!(one_to_one(&shown(&[(1, 1), (1, 2), (3, 2), (4, 3)])).is_err());
        assert!(one_to_one(&shown(&[(1, 1), (2, 2), (3, 3), (4, 1)])).is_err());
        assert!(one_to_one(&shown(&[(1, 1), (2, 2)])).is_err());
    }
}
