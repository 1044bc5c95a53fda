//! What goes wrong in a world.

use super::file::FaultFile;
use crate::draws::{Draws, Purpose};
use crate::event::{NodeIndex, SimTime};

/// What goes wrong, node by node and link by link. The engine acts on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// On every link.
    pub links: LinkFaults,
    /// Of every node.
    pub nodes: Vec<NodeFaults>,
    /// In order of time.
    pub crashes: Vec<Crash>,
}

/// Which parts of the packets something happens to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkFaults {
    /// Do not come.
    pub loss: f64,
    /// Come twice.
    pub duplication: f64,
    /// Come later than what was sent after them.
    pub reordering: f64,
    /// By how many seconds at most.
    pub reordering_within: f64,
    /// Come with flipped bits.
    pub corruption: f64,
}

/// What is wrong with a node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeFaults {
    /// How it behaves.
    pub behaviour: Behaviour,
    /// By how many seconds its clock is wrong.
    pub clock: f64,
}

/// How a node treats others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Behaviour {
    /// As it should.
    #[default]
    Honest,
    /// Takes everything, passes nothing on.
    DropAll,
    /// Loses this part of what it takes.
    DropSome(f64),
    /// Writes this many bytes to nobody every so many seconds. Where only routers run it says of all that it hands over that
    /// as many copies go along as there can be.
    Flood {
        /// Seconds between two.
        every: f64,
        /// Bytes of each.
        size: u64,
    },
    /// Makes up receipts.
    ForgeReceipts,
    /// Says that messages are so many seconds younger; older, where that is negative.
    LieAboutAge(f64),
}

/// A node stops, and starts again without what it had not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crash {
    /// When it stops.
    pub at: SimTime,
    /// Which node.
    pub node: NodeIndex,
    /// When it starts again.
    pub until: SimTime,
}

impl Faults {
    /// Of this many nodes. `members` says who is in the groups of these names; all, if there are none.
    pub(super) fn new(
        files: &[FaultFile],
        nodes: u32,
        members: impl Fn(&[String]) -> Vec<NodeIndex>,
        seed: u64,
        end: SimTime,
    ) -> Self {
        let mut faults = Self {
            nodes: vec![NodeFaults::default(); nodes as usize],
            ..Self::default()
        };
        for (part, file) in (0..).zip(files) {
            let mut draws = Draws::shared(seed, Purpose::Faults, part);
            faults.add(file, &members, &mut draws, end);
        }
        faults.crashes.sort_unstable();
        faults
    }

    fn add(
        &mut self,
        file: &FaultFile,
        members: impl Fn(&[String]) -> Vec<NodeIndex>,
        draws: &mut Draws,
        end: SimTime,
    ) {
        let (groups, share, behaviour) = match file {
            FaultFile::Loss { probability } => return self.links.loss = *probability,
            FaultFile::Corruption { probability } => return self.links.corruption = *probability,
            FaultFile::Duplication { probability } => return self.links.duplication = *probability,
            FaultFile::Reordering {
                probability,
                within,
            } => {
                self.links.reordering = *probability;
                return self.links.reordering_within = within.0;
            }
            FaultFile::Crash {
                groups,
                every,
                down,
            } => {
                for node in members(groups) {
                    let mut now = draws.exponential(every.0);
                    while now < end.as_secs_f64() {
                        let again = now + down.any(draws);
                        let time = |seconds: f64| SimTime::from_micros((seconds * 1e6) as u64);
                        let (at, until) = (time(now), time(again));
                        self.crashes.push(Crash { at, node, until });
                        now = again + draws.exponential(every.0);
                    }
                }
                return;
            }
            FaultFile::Clocks { groups, share, by } => {
                for node in some(members(groups), *share, draws) {
                    if let Some(node) = self.nodes.get_mut(node.as_usize()) {
                        node.clock = draws.between(-by.0, by.0);
                    }
                }
                return;
            }
            FaultFile::DropAll { groups, share } => (groups, share, Behaviour::DropAll),
            FaultFile::DropSome {
                groups,
                share,
                probability,
            } => (groups, share, Behaviour::DropSome(*probability)),
            FaultFile::Flood {
                groups,
                share,
                every,
                size,
            } => {
                let (every, size) = (every.0, size.0);
                (groups, share, Behaviour::Flood { every, size })
            }
            FaultFile::ForgeReceipts { groups, share } => (groups, share, Behaviour::ForgeReceipts),
            FaultFile::LieAboutAge { groups, share, by } => {
                (groups, share, Behaviour::LieAboutAge(by.0))
            }
        };
        for node in some(members(groups), *share, draws) {
            if let Some(node) = self.nodes.get_mut(node.as_usize()) {
                node.behaviour = behaviour;
            }
        }
    }
}

/// A part of the nodes, any of them: exactly the share, rounded.
fn some(mut nodes: Vec<NodeIndex>, share: f64, draws: &mut Draws) -> Vec<NodeIndex> {
    let wanted = libm::round(nodes.len() as f64 * share) as usize;
    let mut chosen = Vec::new();
    while chosen.len() < wanted && !nodes.is_empty() {
        chosen.push(nodes.swap_remove(draws.below(nodes.len())));
    }
    chosen
}
