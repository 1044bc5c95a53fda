//! `ble-bytes`: a 200 kB file between two nodes beside the same bytes over a bare channel: bytes on the connection and
//! goodput, in pairs; what it takes from a link to the first envelope; set-up and latency. `ble-gatt-bytes`: the same
//! beside bare notifications.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::ble_pair::{FILE_LEN, meet, send_file};
use crate::bare::{self, Bare};
use crate::bluetooth::Kind;
use crate::capture::{self, Sent};
use crate::controllers::Octets;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::{Shown, Target, median};
use crate::wait;

/// So many pairs, A B A B.
const PAIRS: usize = 5;
/// Shorter payloads than this are no part of a file.
const BULK: usize = 128;
/// No packet of a handshake or of a comparison of two stores with one message is so long; every envelope is longer. The
/// kernel cuts packets into frames of 247 bytes.
const ENVELOPE: usize = 200;
/// `btmon` may be late with what it writes.
const LATE: Duration = Duration::from_secs(2);
const COMPLETE_LIMIT: Duration = Duration::from_secs(180);
/// So many bytes in that time are no transfer.
const FEW: u64 = 16_000;
const TEXT_LIMIT: Duration = Duration::from_secs(90);

/// A bearer, and what it is compared with.
struct Subject {
    name: &'static str,
    bearer: &'static str,
    options: &'static str,
    bare: Bare,
    most: Target,
    least: Option<Target>,
}

const L2CAP: Subject = Subject {
    name: "L2CAP",
    bearer: "ble-l2cap",
    options: "",
    bare: Bare::L2cap,
    most: Target::AtMost(1.15),
    least: Some(Target::AtLeast(0.85)),
};

const GATT: Subject = Subject {
    name: "GATT",
    bearer: "ble-gatt",
    options: ",bearer=gatt",
    bare: Bare::Notify,
    most: Target::AtMost(1.25),
    least: None,
};

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    beside(lab, &L2CAP)
}

pub(super) fn run_gatt(lab: &mut Lab) -> anyhow::Result<Shown> {
    beside(lab, &GATT)
}

fn beside(lab: &mut Lab, subject: &Subject) -> anyhow::Result<Shown> {
    // Short packets: the air is slower than the emulated processor, as it is outside.
    lab.radios_of(4, Kind::Lab(Octets::Short))?;
    let mut shown = Shown::new(format!(
        "{PAIRS} pairs of bare bytes and two nodes over {}, 200 kB each",
        subject.name
    ));
    compare(lab, subject, &mut shown)?;
    Ok(shown)
}

fn compare(lab: &Lab, subject: &Subject, shown: &mut Shown) -> anyhow::Result<()> {
    let Subject {
        name,
        bearer,
        options,
        ..
    } = subject;
    let node = |name: &str, adapter: usize| {
        let name = format!("{name}-{}", subject.name.to_lowercase());
        lab.node(&name, &format!("ble:hci{adapter}{options}"))
            .person()
    };
    let (mut north, mut south) = (node("north", 0)?, node("south", 1)?);
    north.start()?;
    south.start()?;
    introduce(&north, &south)?;
    meet(&north, &south, bearer)?;
    if let Some(rtt) = round_trip(&north)? {
        shown.figure(format!("{name}: round trip, idle"), rtt / 1e3, "ms", None);
    }

    let (mut byte_ratios, mut rate_ratios, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let before = Traffic::of(lab, [2, 3], 0)?;
        bare::run(subject.bare, "hci2", "hci3", FILE_LEN)?;
        let bare = Traffic::of(lab, [2, 3], before.bytes + FILE_LEN)?.since(&before);

        let before = Traffic::of(lab, [0, 1], 0)?;
        send_file(lab, &north, &south, &format!("{name}{pair}.bin"), FILE_LEN)?;
        let ours = Traffic::of(lab, [0, 1], before.bytes + FILE_LEN)?.since(&before);
        println!("{name} {pair}: bare {bare:?}, nodes {ours:?}");
        byte_ratios.push(ours.bytes as f64 / bare.bytes as f64);
        rate_ratios.push(bare.micros() as f64 / ours.micros() as f64);
        rates.push(FILE_LEN as f64 * 1e3 / ours.micros() as f64);
    }
    let again = north.retransmitted()? + south.retransmitted()?;
    let figure = format!("{name}: records sent again in {PAIRS} files");
    shown.figure(figure, again as f64, "", None);
    let figure = format!("{name}: bytes on the connection beside bare");
    shown.figure(figure, median(byte_ratios), "times", Some(subject.most));
    let figure = format!("{name}: goodput beside bare");
    shown.figure(figure, median(rate_ratios), "times", subject.least);
    let figure = format!("{name}: goodput, emulated");
    shown.figure(figure, median(rates), "kB/s", None);
    if let Some(rtt) = round_trip(&north)? {
        let figure = format!("{name}: round trip, after a file");
        shown.figure(figure, rtt / 1e3, "ms", None);
    }
    south.stop();
    first_envelope(lab, subject, &north, &mut south, shown)?;
    north.stop();
    south.stop();
    Ok(())
}

/// A message waits when the link comes up.
fn first_envelope(
    lab: &Lab,
    subject: &Subject,
    north: &Node,
    south: &mut Node,
    shown: &mut Shown,
) -> anyhow::Result<()> {
    let name = subject.name;
    wait::until("the link to be gone", TEXT_LIMIT, || {
        Ok(north.peers()?.is_empty().then_some(()))
    })?;
    north.say(&["send", &south.name, "who waits"])?;
    Traffic::of(lab, [0, 1], 0)?;
    let since = last(&read(lab)?);
    south.start()?;
    south.receives("who waits", TEXT_LIMIT)?;
    let sent = wait::until("the link in the capture", COMPLETE_LIMIT, || {
        sleep(LATE);
        let sent = read(lab)?;
        let (a, b) = (adapter(&sent, 0)?, adapter(&sent, 1)?);
        let told = match subject.bare {
            Bare::L2cap => handed(&capture::flights(a, b, since)).is_some(),
            Bare::Notify => greeted(a, since).or_else(|| greeted(b, since)).is_some(),
        };
        Ok(told.then_some(sent))
    })?;
    let (a, b) = (adapter(&sent, 0)?, adapter(&sent, 1)?);
    let connects = a.connects.iter().chain(&b.connects);
    if subject.bare == Bare::Notify {
        let greeted = greeted(a, since).into_iter().chain(greeted(b, since)).min();
        let begun = connects
            .filter(|at| Some(**at) < greeted && **at > since)
            .max();
        if let (Some(greeted), Some(begun)) = (greeted, begun) {
            let took = (greeted - begun) as f64 / 1e6;
            shown.figure(format!("{name}: connect to link"), took, "s", None);
        }
        return Ok(());
    }
    let flights = capture::flights(a, b, since);
    let told: Vec<_> = flights
        .iter()
        .take(16)
        .map(|it| (it.of_first, &it.packets))
        .collect();
    println!("{name}: after the link: {told:?}");
    // The first two are the greetings.
    let handed = handed(&flights).context("no envelope in the capture")?;
    let [_, answer, rest @ ..] = flights.as_slice() else {
        anyhow::bail!("no link in the capture");
    };
    let before = rest
        .iter()
        .take(handed)
        .flat_map(|it| &it.packets)
        .sum::<usize>();
    let half = (handed + 1) as f64 / 2.0;
    let figure = format!("{name}: link up to the first envelope");
    shown.figure(figure, half, "round trips", Some(Target::AtMost(3.0)));
    shown.figure(format!("{name}: before it"), before as f64, "bytes", None);
    let begun = connects.filter(|at| **at < answer.at && **at > since).max();
    if let Some(begun) = begun {
        let took = (answer.at - begun) as f64 / 1e6;
        shown.figure(format!("{name}: connect to link"), took, "s", None);
    }
    Ok(())
}

/// Which flight after the greetings has the first envelope.
fn handed(flights: &[capture::Flight]) -> Option<usize> {
    let rest = flights.get(2..)?;
    rest.iter()
        .position(|it| it.packets.iter().any(|it| *it > ENVELOPE))
}

/// When an adapter notified of a greeting, by itself or as BlueZ does between two of its kind: with its length.
fn greeted(sent: &Sent, since: u64) -> Option<u64> {
    const GREETING: usize = 17;
    let greets = |bytes: &[u8]| match bytes {
        [0x1b, _, _, value @ ..] => value.len() == GREETING,
        [0x23, _, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])) == GREETING,
        _ => false,
    };
    let payloads = sent.payloads.iter();
    let mut payloads = payloads.filter(|it| it.at > since && it.attributes);
    payloads.find(|it| greets(&it.bytes)).map(|it| it.at)
}

/// What two adapters sent over connections so far.
#[derive(Debug)]
struct Traffic {
    bytes: usize,
    /// When long payloads were sent.
    bulk: Vec<u64>,
}

impl Traffic {
    /// As the capture tells it, once nothing more comes and so many bytes in all have come: `btmon` may be late.
    fn of(lab: &Lab, adapters: [u16; 2], least: usize) -> anyhow::Result<Self> {
        let path = lab.logs().join("btmon.snoop");
        let length = || anyhow::Ok(std::fs::metadata(&path)?.len());
        let mut before = length()?;
        wait::until("the capture to be complete", COMPLETE_LIMIT, || {
            sleep(LATE);
            let now = length()?;
            // An idle link sends a packet now and then.
            let quiet = now - before <= FEW;
            before = now;
            if !quiet {
                return Ok(None);
            }
            let traffic = Self::in_capture(lab, adapters)?;
            Ok((traffic.bytes >= least).then_some(traffic))
        })
    }

    fn in_capture(lab: &Lab, adapters: [u16; 2]) -> anyhow::Result<Self> {
        let sent = read(lab)?;
        let both = || adapters.iter().filter_map(|number| sent.get(number));
        let payloads = both().flat_map(|sent| &sent.payloads);
        let mut bulk: Vec<u64> = payloads
            .filter(|payload| payload.bytes.len() >= BULK)
            .map(|payload| payload.at)
            .collect();
        bulk.sort_unstable();
        Ok(Self {
            bytes: both().map(|sent| sent.acl_bytes).sum(),
            bulk,
        })
    }

    fn since(mut self, before: &Self) -> Moved {
        let bulk = self.bulk.split_off(before.bulk.len().min(self.bulk.len()));
        Moved {
            bytes: self.bytes - before.bytes,
            from: bulk.first().copied().unwrap_or_default(),
            to: bulk.last().copied().unwrap_or_default(),
        }
    }
}

/// A transfer: its bytes, and when its first and last long payload was sent.
#[derive(Debug)]
struct Moved {
    bytes: usize,
    from: u64,
    to: u64,
}

impl Moved {
    const fn micros(&self) -> u64 {
        self.to - self.from
    }
}

fn round_trip(node: &Node) -> anyhow::Result<Option<f64>> {
    let peers = node.peers()?;
    let rtt = peers.first().and_then(|peer| peer.get("rtt_micros"));
    Ok(rtt.and_then(Value::as_f64))
}

fn read(lab: &Lab) -> anyhow::Result<BTreeMap<u16, Sent>> {
    capture::read(&lab.logs().join("btmon.snoop"))
}

fn adapter(sent: &BTreeMap<u16, Sent>, number: u16) -> anyhow::Result<&Sent> {
    sent.get(&number)
        .with_context(|| format!("the capture has nothing of hci{number}"))
}

/// When something was sent last.
fn last(sent: &BTreeMap<u16, Sent>) -> u64 {
    let payloads = sent.values().filter_map(|sent| sent.payloads.last());
    payloads.map(|payload| payload.at).max().unwrap_or_default()
}
