//! What nodes that mean harm can do to the router that ships, among the walkers of rwp200.

use std::error::Error;
use std::time::Duration;

use chappe_sim::log::{Keep, What};
use chappe_sim::routers::Router;
use chappe_sim::routing::Network;
use chappe_sim::scenario::{Behaviour, Faults, NodeFaults};
use chappe_sim::{MessageEvent, MessageIndex, MessageName, NodeIndex, SimTime};

use crate::cases::{Case, TTL};

/// Hours that the README's figures are of.
pub(crate) const HOURS: u32 = 6;
/// So many times as many honest messages as in the trace, so that chance decides less.
const DENSER: u32 = 4;
/// People who have pinned each other.
const CIRCLE: u32 = 8;
/// A month, in seconds: who lies about ages says that messages are so much older.
const MONTH: f64 = 30.0 * 86_400.0;

/// What the harm comes to. Figures are means of some runs.
pub(crate) struct Harm {
    /// Of what is delivered among honest nodes, the part that is delivered although 30 % drop everything.
    pub(crate) dropping: f64,
    /// 10 % flood with pieces that are much larger than what others write.
    pub(crate) flood: Flood,
    /// The same bytes in pieces as small as what others write.
    pub(crate) small_flood: Flood,
    /// Copies that honest nodes lost before their time to forged receipts.
    pub(crate) forged: f64,
    /// Copies that honest nodes lost before their time to inflated ages.
    pub(crate) inflated: f64,
}

/// What a flood comes to.
pub(crate) struct Flood {
    /// Of what is delivered among honest nodes, the part that is delivered in spite of it.
    pub(crate) delivered: f64,
    /// The 99th percentile of the delay to somebody whom one has pinned, as times of what it is without a flood.
    pub(crate) pinned: f64,
}

pub(crate) fn print(seeds: u64, hours: u32) -> Result<(), Box<dyn Error>> {
    println!(
        "Simulated; rwp200, light, {hours} hours; the default router; {seeds} run(s) of each.\n"
    );
    tell(&harm(seeds, hours)?);
    Ok(())
}

/// The table of it.
pub(crate) fn tell(harm: &Harm) {
    println!("| who does what | what it comes to |\n|---|---|");
    println!(
        "| 30 % drop all that they take | {:.1} % of the deliveries among the others |",
        harm.dropping * 100.0
    );
    for (what, flood) in [
        ("100 kB each half minute", &harm.flood),
        ("10 kB each three seconds", &harm.small_flood),
    ] {
        println!(
            "| 10 % flood: {what}, from stores of 200 MB | {:.1} % of the deliveries among the others |",
            flood.delivered * 100.0
        );
        println!(
            "| the same; circles of {CIRCLE} who have pinned each other | the 99th percentile of delays in them is {:.2} times as long |",
            flood.pinned
        );
    }
    println!(
        "| 10 % forge a receipt for each message that they take | {:.0} copies lost at others |",
        harm.forged
    );
    println!(
        "| 10 % say that each message is a month older | {:.0} copies lost at others |",
        harm.inflated
    );
}

pub(crate) fn harm(seeds: u64, hours: u32) -> Result<Harm, Box<dyn Error>> {
    let case = Case::rwp200()?.within(hours);
    let nodes = case.contacts.nodes;
    let case = case.clone().with_messages(denser(&case.messages, nodes));
    // Every tenth, and three of ten, by number.
    let tenth = |node: u32| node % 10 == 7;
    let thirds = |node: u32| matches!(node % 10, 1 | 4 | 7);
    let among = |bad: &dyn Fn(u32) -> bool| honest(&case.messages, bad);
    let small = case.clone().with_messages(among(&thirds));
    let dropping = Deeds::of(&small, seeds, |network| {
        network.with_faults(faults(nodes, &thirds, Behaviour::DropAll))
    })?;
    let good = Deeds::of(&small, seeds, |network| network)?;

    let written = circles(&among(&tenth), &tenth);
    let mut roomy = case.clone().with_messages(written);
    for node in (0..nodes).filter(|node| tenth(*node)) {
        roomy = roomy.with_buffer(format!("{node}-{node}=200MB").parse()?);
    }
    let calm_in_circles = Deeds::of(&roomy, seeds, in_circles)?;
    let mixed = roomy.clone().with_messages(among(&tenth));
    let calm = Deeds::of(&mixed, seeds, in_circles)?;
    let flood = |every, size| -> Result<Flood, Box<dyn Error>> {
        let flooded = |case: &Case| {
            Deeds::of(case, seeds, |network| {
                let flood = Behaviour::Flood { every, size };
                in_circles(network).with_faults(faults(nodes, &tenth, flood))
            })
        };
        Ok(Flood {
            delivered: flooded(&mixed)?.delivered() / calm.delivered(),
            pinned: flooded(&roomy)?.late() / calm_in_circles.late(),
        })
    };

    let lost = |behaviour| -> Result<f64, Box<dyn Error>> {
        let deeds = Deeds::of(&case, seeds, |network| {
            network.with_faults(faults(nodes, &tenth, behaviour))
        })?;
        Ok(deeds.lost_at(&tenth) as f64)
    };
    Ok(Harm {
        dropping: dropping.delivered() / good.delivered(),
        flood: flood(30.0, 100_000)?,
        small_flood: flood(3.0, 10_000)?,
        forged: lost(Behaviour::ForgeReceipts)?,
        inflated: lost(Behaviour::LieAboutAge(-MONTH))?,
    })
}

fn in_circles(network: Network<'_>) -> Network<'_> {
    network.with_circles_of(CIRCLE)
}

fn faults(nodes: u32, bad: &dyn Fn(u32) -> bool, behaviour: Behaviour) -> Faults {
    let of = |node| NodeFaults {
        behaviour: if bad(node) {
            behaviour
        } else {
            Behaviour::Honest
        },
        ..NodeFaults::default()
    };
    Faults {
        nodes: (0..nodes).map(of).collect(),
        ..Faults::default()
    }
}

/// The same messages some times over, each time a little later and between others.
fn denser(messages: &[MessageEvent], nodes: u32) -> Vec<MessageEvent> {
    let other = |node: NodeIndex, by: u32| NodeIndex::new((node.get() + by) % nodes);
    let again = |time: u32, message: &MessageEvent| {
        let (from, to) = (other(message.from, 47 * time), other(message.to, 83 * time));
        MessageEvent {
            at: message.at.after(Duration::from_secs(20) * time),
            name: MessageName::new(&format!("{}.{time}", message.name)),
            from,
            to: if from == to { other(to, 1) } else { to },
            ..message.clone()
        }
    };
    let times = 0..DENSER;
    let mut denser: Vec<_> = times
        .flat_map(|time| messages.iter().map(move |message| again(time, message)))
        .collect();
    denser.sort_by_key(|message| message.at);
    for (index, message) in (0..).zip(&mut denser) {
        message.index = MessageIndex::new(index);
    }
    denser
}

/// Messages between those who mean no harm: to the next who does not.
fn honest(messages: &[MessageEvent], bad: &dyn Fn(u32) -> bool) -> Vec<MessageEvent> {
    let good = |node: NodeIndex| {
        let next = (node.get()..).find(|node| !bad(*node));
        NodeIndex::new(next.unwrap_or_default())
    };
    let both = messages
        .iter()
        .map(|message| (good(message.from), good(message.to), message));
    let other = |node: NodeIndex| good(NodeIndex::new((node.get() + 1) % 190));
    both.map(|(from, to, message)| MessageEvent {
        from,
        to: if from == to { other(to) } else { to },
        ..message.clone()
    })
    .collect()
}

/// The same messages, each to somebody of the writer's own circle.
fn circles(messages: &[MessageEvent], bad: &dyn Fn(u32) -> bool) -> Vec<MessageEvent> {
    let friend = |message: &MessageEvent| {
        let first = message.from.get() / CIRCLE * CIRCLE;
        let turn = message.to.get() % CIRCLE;
        let friends = (turn..turn + CIRCLE).map(|turn| first + turn % CIRCLE);
        let mut friends = friends.filter(|node| !bad(*node) && *node != message.from.get());
        NodeIndex::new(friends.next().unwrap_or(first))
    };
    messages
        .iter()
        .map(|message| MessageEvent {
            to: friend(message),
            ..message.clone()
        })
        .collect()
}

/// What became of the messages in some runs.
struct Deeds {
    runs: usize,
    delays: Vec<Duration>,
    /// Copies that went before the message's time was over, and who had them. A delivered message is not counted.
    lost: Vec<NodeIndex>,
}

impl Deeds {
    fn of(
        case: &Case,
        seeds: u64,
        change: impl Fn(Network<'_>) -> Network<'_>,
    ) -> Result<Self, Box<dyn Error>> {
        let router = Router::named("default").ok_or("there is no default")?;
        let mut deeds = Self {
            runs: seeds as usize,
            delays: Vec::new(),
            lost: Vec::new(),
        };
        for seed in 1..=seeds {
            let network = change(case.network()?);
            let course = network.course(&|| router.policy(), seed, Keep::Everything);
            let mut delivered = vec![None; case.messages.len()];
            for happening in &course.log.happenings {
                let at = happening.at;
                match happening.what {
                    What::Delivered { message, .. } => {
                        delivered[message.as_usize()] = Some(at);
                        deeds
                            .delays
                            .push(at.since(case.messages[message.as_usize()].at));
                    }
                    What::Released {
                        message: Some(message),
                        node,
                        ..
                    } => {
                        let place = message.as_usize();
                        let young = at.since(case.messages[place].at) < TTL;
                        if young && delivered[place].is_none_or(|time: SimTime| time > at) {
                            deeds.lost.push(node);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(deeds)
    }

    fn delivered(&self) -> f64 {
        self.delays.len() as f64
    }

    /// The 99th percentile of delays, in seconds.
    fn late(&self) -> f64 {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let place = delays.len() * 99 / 100;
        delays.get(place).map_or(0.0, Duration::as_secs_f64)
    }

    /// Copies lost at honest nodes, in one run.
    fn lost_at(&self, bad: &dyn Fn(u32) -> bool) -> usize {
        let lost = self.lost.iter().filter(|node| !bad(node.get())).count();
        lost.div_ceil(self.runs)
    }
}
