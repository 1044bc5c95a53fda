//! Figures of a trace: contacts, durations, times between contacts, components.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use petgraph::unionfind::UnionFind;
use serde::Serialize;

use crate::event::{ContactTrace, NodeIndex, SimTime};

/// At how many evenly spaced instants the links of the moment are looked at.
const SNAPSHOTS: u64 = 100;

/// What a trace is like. Times are in seconds.
///
/// ```
/// use chappe_sim::{ContactEvent, ContactTrace, NodeIndex, SimTime, trace::statistics::Statistics};
///
/// let event = |at, up| ContactEvent {
///     at: SimTime::from_secs(at),
///     a: NodeIndex::new(0),
///     b: NodeIndex::new(1),
///     up,
///     rate: None,
/// };
/// let trace = ContactTrace {
///     nodes: 3,
///     events: vec![event(10, true), event(25, false)],
///     end: SimTime::from_secs(100),
/// };
/// let statistics = Statistics::of(&trace);
/// assert_eq!(statistics.contacts, 1);
/// assert_eq!(statistics.duration.mean, Some(15.0));
/// assert_eq!(statistics.components.largest, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// How many nodes there are.
    pub nodes: u32,
    /// How many of them meet anyone.
    pub nodes_with_contacts: usize,
    /// When the trace ends.
    pub end: f64,
    /// How many contacts begin.
    pub contacts: usize,
    /// How many are open at the end.
    pub open_at_end: usize,
    /// How many pairs meet.
    pub pairs: usize,
    /// Contacts of a node an hour, on average.
    pub contacts_per_node_hour: f64,
    /// How long contacts last. Those that are open at the end end with the trace.
    pub duration: Distribution,
    /// Between the end of a pair's contact and the start of its next.
    pub inter_contact: Distribution,
    /// The graph in which everyone is joined who ever meets.
    pub components: Components,
    /// The graphs of the moment.
    pub moments: Moments,
}

/// A distribution of times; nothing where there are none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// How many.
    pub count: usize,
    /// The mean.
    pub mean: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// One in ten is below.
    pub p10: Option<f64>,
    /// The median; of an even number the upper one, as The ONE has it.
    pub median: Option<f64>,
    /// One in ten is above.
    pub p90: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// Connected components.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Components {
    /// How many; a node that meets nobody is one too.
    pub count: usize,
    /// How many nodes the largest has.
    pub largest: usize,
}

/// What the network looks like at evenly spaced instants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moments {
    /// At how many instants.
    pub count: u64,
    /// Links that are up, on average.
    pub mean_links: f64,
    /// Nodes of the largest component, on average.
    pub mean_largest: f64,
    /// Nodes of the largest component of all these instants.
    pub max_largest: usize,
}

impl Statistics {
    /// Of a trace.
    pub fn of(trace: &ContactTrace) -> Self {
        let mut open: BTreeMap<(NodeIndex, NodeIndex), SimTime> = BTreeMap::new();
        let mut last_end: BTreeMap<(NodeIndex, NodeIndex), Option<SimTime>> = BTreeMap::new();
        let mut graph = Graph::new(trace.nodes);
        let (mut durations, mut gaps, mut contacts) = (Vec::new(), Vec::new(), 0);
        for event in &trace.events {
            let pair = (event.a.min(event.b), event.a.max(event.b));
            if event.up {
                contacts += 1;
                graph.join(pair);
                open.insert(pair, event.at);
                if let Some(Some(ended)) = last_end.insert(pair, None) {
                    gaps.push(event.at.since(ended).as_secs_f64());
                }
            } else if let Some(began) = open.remove(&pair) {
                durations.push(event.at.since(began).as_secs_f64());
                last_end.insert(pair, Some(event.at));
            }
        }
        let open_at_end = open.len();
        durations.extend(
            open.values()
                .map(|began| trace.end.since(*began).as_secs_f64()),
        );
        let meeting: BTreeSet<NodeIndex> = last_end.keys().flat_map(|(a, b)| [*a, *b]).collect();
        let hours = trace.end.as_secs_f64() / 3600.0;
        let node_hours = hours * f64::from(trace.nodes);
        Self {
            nodes: trace.nodes,
            nodes_with_contacts: meeting.len(),
            end: trace.end.as_secs_f64(),
            contacts,
            open_at_end,
            pairs: last_end.len(),
            contacts_per_node_hour: if node_hours > 0.0 {
                2.0 * contacts as f64 / node_hours
            } else {
                0.0
            },
            duration: Distribution::of(durations),
            inter_contact: Distribution::of(gaps),
            components: graph.components(),
            moments: Moments::of(trace),
        }
    }
}

impl Distribution {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |place: usize| times.get(place).copied();
        let count = times.len();
        Self {
            count,
            mean: (count > 0).then(|| times.iter().sum::<f64>() / count as f64),
            min: at(0),
            p10: at(count / 10),
            median: at(count / 2),
            p90: at(count * 9 / 10),
            max: times.last().copied(),
        }
    }
}

impl Moments {
    fn of(trace: &ContactTrace) -> Self {
        let mut events = trace.events.iter().peekable();
        let mut links = BTreeSet::new();
        let (mut sum_links, mut sum_largest, mut max_largest) = (0, 0, 0);
        for moment in 0..SNAPSHOTS {
            // The middles of equal parts of the time.
            let part = u128::from(trace.end.as_micros()) * u128::from(2 * moment + 1);
            let at = SimTime::from_micros((part / u128::from(2 * SNAPSHOTS)) as u64);
            while let Some(event) = events.next_if(|event| event.at <= at) {
                let pair = (event.a.min(event.b), event.a.max(event.b));
                if event.up {
                    links.insert(pair);
                } else {
                    links.remove(&pair);
                }
            }
            let mut graph = Graph::new(trace.nodes);
            links.iter().for_each(|pair| graph.join(*pair));
            let largest = graph.components().largest;
            sum_links += links.len();
            sum_largest += largest;
            max_largest = max_largest.max(largest);
        }
        Self {
            count: SNAPSHOTS,
            mean_links: sum_links as f64 / SNAPSHOTS as f64,
            mean_largest: sum_largest as f64 / SNAPSHOTS as f64,
            max_largest,
        }
    }
}

/// Who is joined to whom, directly or through others.
struct Graph(UnionFind<u32>);

impl Graph {
    fn new(nodes: u32) -> Self {
        Self(UnionFind::new(nodes as usize))
    }

    fn join(&mut self, (a, b): (NodeIndex, NodeIndex)) {
        self.0.union(a.get(), b.get());
    }

    fn components(self) -> Components {
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        for root in self.0.into_labeling() {
            *sizes.entry(root).or_default() += 1;
        }
        Components {
            count: sizes.len(),
            largest: sizes.values().copied().max().unwrap_or(0),
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: String| {
            writeln!(f, "{name:<24}{value}")
        };
        let nodes = format!(
            "{} ({} with contacts)",
            self.nodes, self.nodes_with_contacts
        );
        row(f, "nodes", nodes)?;
        row(f, "length", format!("{} s", self.end))?;
        let contacts = format!("{} ({} open at the end)", self.contacts, self.open_at_end);
        row(f, "contacts", contacts)?;
        row(f, "pairs", self.pairs.to_string())?;
        let hourly = format!("{:.3}", self.contacts_per_node_hour);
        row(f, "contacts/node/hour", hourly)?;
        row(f, "duration", self.duration.to_string())?;
        row(f, "time between contacts", self.inter_contact.to_string())?;
        let Components { count, largest } = self.components;
        row(
            f,
            "components",
            format!("{count}, the largest of {largest} nodes"),
        )?;
        let moments = &self.moments;
        let text = format!(
            "{:.1} links; largest component {:.1} nodes on average, {} at most ({} instants)",
            moments.mean_links, moments.mean_largest, moments.max_largest, moments.count
        );
        row(f, "at a moment", text)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(mean), Some(min), Some(p10), Some(median), Some(p90), Some(max)) = (
            self.mean,
            self.min,
            self.p10,
            self.median,
            self.p90,
            self.max,
        ) else {
            return f.write_str("none");
        };
        write!(
            f,
            "mean {mean:.1} s, median {median:.1} s (min {min:.1}, 10 % {p10:.1}, 90 % {p90:.1}, max {max:.1})"
        )
    }
}
