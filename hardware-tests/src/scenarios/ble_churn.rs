//! `ble-churn`: four nodes that write to each other while adapters lose power, bluetoothd is killed twice and nodes
//! are killed; everything that was accepted arrives exactly once.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::lab::Lab;
use crate::node::{Node, introduce};
use crate::report::Shown;
use crate::wait;

const NODES: usize = 4;
/// How long it is made hard for them.
const STORM: Duration = Duration::from_secs(180);
/// How long everything may take to arrive afterwards.
const CALM: Duration = Duration::from_secs(240);
/// Between two blows.
const PAUSE: Duration = Duration::from_secs(8);

/// What happens to them, over and over.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Bluetoothd,
    Kill(usize),
    Power(usize),
}

const BLOWS: [Blow; 8] = [
    Blow::Kill(0),
    Blow::Power(1),
    Blow::Bluetoothd,
    Blow::Kill(2),
    Blow::Power(3),
    Blow::Kill(1),
    Blow::Power(0),
    Blow::Kill(3),
];
/// `bluetoothd` is killed so often.
const DAEMON_KILLS: usize = 2;

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(NODES)?;
    let mut nodes = Vec::new();
    for number in 0..NODES {
        let name = format!("node{number}");
        nodes.push(lab.node(&name, &format!("ble:hci{number}")).person()?);
    }
    for one in 0..NODES {
        for other in one + 1..NODES {
            introduce(at(&nodes, one)?, at(&nodes, other)?)?;
        }
    }
    nodes.iter_mut().try_for_each(Node::start)?;

    let mut sent = Sent::default();
    let mut blows = 0;
    let mut daemon_kills = 0;
    let began = Instant::now();
    for blow in BLOWS.into_iter().cycle() {
        if began.elapsed() >= STORM && daemon_kills >= DAEMON_KILLS {
            break;
        }
        sent.write(&nodes, blows)?;
        println!("{:>4} s  {blow:?}", began.elapsed().as_secs());
        blows += 1;
        match blow {
            Blow::Bluetoothd if daemon_kills == DAEMON_KILLS => {}
            Blow::Bluetoothd => {
                daemon_kills += 1;
                lab.bluetooth.kill_daemon();
                sleep(PAUSE / 4);
                lab.bluetooth.start_daemon()?;
            }
            Blow::Kill(number) => {
                let node = nodes.get_mut(number).context("a node")?;
                node.kill();
                sleep(PAUSE / 4);
                node.start()?;
            }
            Blow::Power(number) => {
                lab.bluetooth.power(number, false)?;
                sleep(PAUSE / 4);
                lab.bluetooth.power(number, true)?;
            }
        }
        for node in &mut nodes {
            anyhow::ensure!(node.runs(), "{} ended by itself; see its log", node.name);
        }
        sleep(PAUSE);
    }

    let calm = Instant::now();
    wait::until("everything to arrive", CALM, || {
        Ok(sent.missing(&nodes)?.is_empty().then_some(()))
    })
    .with_context(|| format!("missing: {:?}", sent.missing(&nodes).unwrap_or_default()))?;
    let settled = calm.elapsed();
    // What would come twice would come now.
    sleep(PAUSE);
    sent.each_once(&nodes)?;

    let mut shown = Shown::new(format!(
        "{} messages arrived exactly once through {blows} blows, bluetoothd killed {daemon_kills} times",
        sent.0.len()
    ));
    shown.figure(
        "all arrived after the last blow",
        settled.as_secs_f64(),
        "s",
        None,
    );
    Ok(shown)
}

/// What was accepted: text to receiver.
#[derive(Default)]
struct Sent(BTreeMap<String, usize>);

impl Sent {
    /// Everybody writes to the next one.
    fn write(&mut self, nodes: &[Node], round: usize) -> anyhow::Result<()> {
        for (number, node) in nodes.iter().enumerate() {
            let to = (number + 1 + round % (NODES - 1)) % NODES;
            let text = format!("{} to node{to}, round {round}", node.name);
            node.say(&["send", &format!("node{to}"), &text])?;
            self.0.insert(text, to);
        }
        Ok(())
    }

    fn missing(&self, nodes: &[Node]) -> anyhow::Result<Vec<String>> {
        let mut missing = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            let texts = node.texts()?;
            let due = self.0.iter().filter(|(_, to)| **to == number);
            missing.extend(
                due.filter(|(text, _)| !texts.contains(text))
                    .map(|(text, _)| text.clone()),
            );
        }
        Ok(missing)
    }

    fn each_once(&self, nodes: &[Node]) -> anyhow::Result<()> {
        let mut arrived = 0;
        for node in nodes {
            let mut texts = node.texts()?;
            arrived += texts.len();
            texts.sort();
            let twice = texts.windows(2).find(|pair| pair.first() == pair.last());
            anyhow::ensure!(twice.is_none(), "{} has {twice:?} twice", node.name);
        }
        anyhow::ensure!(
            arrived == self.0.len(),
            "{} messages were accepted and {arrived} arrived",
            self.0.len()
        );
        Ok(())
    }
}

fn at(nodes: &[Node], number: usize) -> anyhow::Result<&Node> {
    nodes.get(number).context("a node")
}
