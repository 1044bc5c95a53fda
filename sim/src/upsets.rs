//! What goes wrong with nodes, and when.

use std::time::Duration;

use crate::event::{NodeIndex, SimTime};
use crate::scenario::{Behaviour, Faults};

/// Something that goes wrong, or is right again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Upset {
    /// A node stops, until then.
    Crash(NodeIndex, SimTime),
    /// A node starts again.
    Restart(NodeIndex),
    /// A node that floods writes to nobody.
    Junk(NodeIndex),
}

/// All crashes, and when those who flood write first.
pub(crate) fn first(faults: &Faults) -> impl Iterator<Item = (SimTime, Upset)> {
    let crashes = faults.crashes.iter();
    let crashes = crashes.map(|crash| (crash.at, Upset::Crash(crash.node, crash.until)));
    let nodes = (0..).map(NodeIndex::new).zip(&faults.nodes);
    let floods = nodes.filter_map(|(node, fault)| match fault.behaviour {
        Behaviour::Flood { every, .. } => Some((after(SimTime::ZERO, every), Upset::Junk(node))),
        _ => None,
    });
    crashes.chain(floods)
}

/// How a node behaves.
pub(crate) fn behaviour(faults: &Faults, node: NodeIndex) -> Behaviour {
    let fault = faults.nodes.get(node.as_usize());
    fault.map_or(Behaviour::Honest, |fault| fault.behaviour)
}

/// So many seconds later, and at least a microsecond, so that time goes on.
pub(crate) fn after(now: SimTime, seconds: f64) -> SimTime {
    now.after(Duration::from_micros(((seconds * 1e6) as u64).max(1)))
}
