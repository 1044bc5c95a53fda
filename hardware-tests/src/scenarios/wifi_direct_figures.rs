//! `wifi-direct-figures`: a file between two nodes in a group beside the same bytes over bare TCP: bytes on air, goodput
//! and processor time, in pairs. Both ends of the group are capped, since the guest is bound by its processor.

use std::time::{Duration, Instant};

use super::wifi_direct_star::wifi_links;
use crate::bare_tcp;
use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::pcap::{self, Frame, Kind};
use crate::report::{Shown, Target, median};
use crate::wait;

const GROUP_LIMIT: Duration = Duration::from_secs(120);
const FILE_LIMIT: Duration = Duration::from_secs(120);
/// A multiple of what iperf3 sends at once.
const FILE_LEN: usize = 40 * 128 * 1024;
const CAP: &str = "20mbit";
/// So many pairs, A B A B.
const PAIRS: usize = 5;
/// A frame that is so long is full of data.
const FULL: usize = 1_000;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(2)?;
    let file = lab.path("group").display().to_string();
    let mut north = lab
        .node("north", &format!("{},own={file}", lab.wifi.radio(0)))
        .person()?;
    let mut south = lab
        .node("south", &format!("{},join={file}", lab.wifi.radio(1)))
        .person()?;
    north.start()?;
    south.start()?;
    wait::until("a link in the group", GROUP_LIMIT, || {
        Ok((wifi_links(&north)? == 1).then_some(()))
    })?;
    introduce(&north, &south)?;
    lab.wifi.cap(0, CAP)?;
    lab.wifi.cap(1, CAP)?;

    let mut pairs = Pairs::default();
    for number in 0..PAIRS {
        let (bare, ()) = leg(lab, |lab| bare_tcp::stream(lab, 0, 1, FILE_LEN))?;
        let (iperf, told) = leg(lab, |lab| bare_tcp::iperf3(lab, 0, 1, FILE_LEN))?;
        let used = north.cpu()? + south.cpu()?;
        let (nodes, took) = leg(lab, |lab| send(lab, &north, &south, number))?;
        let used = north.cpu()? + south.cpu()? - used;
        println!(
            "pair {number}: bare {bare:?}, iperf3 {iperf:?} ({told} bit/s), nodes {nodes:?} in {took:?}, {used:?}"
        );
        pairs.bytes.push(nodes.bytes as f64 / bare.bytes as f64);
        pairs
            .goodput
            .push(iperf.span.as_secs_f64() / nodes.span.as_secs_f64());
        pairs.told.push(told / 1e6);
        pairs
            .nodes
            .push(FILE_LEN as f64 * 8.0 / 1e6 / nodes.span.as_secs_f64());
        pairs.used.push(used.as_secs_f64() * 1e6 / FILE_LEN as f64);
    }
    let again = north.retransmitted()? + south.retransmitted()?;
    north.stop();
    south.stop();
    let mut shown = Shown::new(format!(
        "{PAIRS} pairs of bare TCP, iperf3 and two nodes, 5.2 MB each, capped at 20 Mbit/s"
    ));
    let names = [
        (
            "bytes on air beside bare TCP",
            pairs.bytes,
            "times",
            Some(Target::AtMost(1.05)),
        ),
        (
            "goodput beside iperf3",
            pairs.goodput,
            "times",
            Some(Target::AtLeast(0.80)),
        ),
        ("goodput of iperf3, as it says", pairs.told, "Mbit/s", None),
        (
            "goodput of the nodes, first to last full frame",
            pairs.nodes,
            "Mbit/s",
            None,
        ),
        (
            "processor time of both nodes, emulated",
            pairs.used,
            "s/MB",
            None,
        ),
    ];
    for (name, values, unit, target) in names {
        shown.figure(name, median(values), unit, target);
    }
    shown.figure(
        format!("records sent again in {PAIRS} files"),
        again as f64,
        "",
        None,
    );
    Ok(shown)
}

#[derive(Default)]
struct Pairs {
    bytes: Vec<f64>,
    goodput: Vec<f64>,
    told: Vec<f64>,
    nodes: Vec<f64>,
    used: Vec<f64>,
}

/// What was on the air meanwhile.
#[derive(Debug)]
struct Leg {
    /// All bytes of data frames, both ways, with their headers.
    bytes: usize,
    /// From the first full frame to the last.
    span: Duration,
}

fn leg<T>(lab: &Lab, work: impl FnOnce(&Lab) -> anyhow::Result<T>) -> anyhow::Result<(Leg, T)> {
    let before = pcap::read(lab.wifi.capture()?)?.len();
    let done = work(lab)?;
    let frames = pcap::read(lab.wifi.capture()?)?;
    let data = || {
        frames
            .iter()
            .skip(before)
            .filter(|one| one.kind == Kind::Data)
    };
    let full = || data().filter(|one| one.len() >= FULL);
    let (first, last) = (full().next(), full().next_back());
    let at = |frame: Option<&Frame>| frame.map_or(Duration::ZERO, |frame| frame.at);
    let leg = Leg {
        bytes: data().map(Frame::len).sum(),
        span: at(last).saturating_sub(at(first)),
    };
    anyhow::ensure!(!leg.span.is_zero(), "nothing was seen on the air");
    Ok((leg, done))
}

fn send(lab: &Lab, from: &Node, to: &Node, number: usize) -> anyhow::Result<Duration> {
    let name = format!("file{number}.bin");
    let file = lab.file(&name, FILE_LEN)?;
    let began = Instant::now();
    from.say(&["send", &to.name, "--file", &file.to_string_lossy()])?;
    wait::until("the file", FILE_LIMIT, || {
        Ok((to.arrived(&name)? >= 1.0).then_some(()))
    })?;
    let took = began.elapsed();
    to.has_file(&file)?;
    Ok(took)
}
