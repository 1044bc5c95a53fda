//! The cheapest path first, young items before them.

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cmp::Reverse;

use chappe_wire::{ByteCount, Instant};

use crate::Copies;
use crate::policy::{Candidate, Custody, Endpoint, Habits, Neighbour, Policy, Priority, Sharing};

/// MaxProp (Burgess, Gallagher, Jensen, Levine: "MaxProp: Routing for Vehicle-Based Disruption-Tolerant Networks",
/// INFOCOM 2006): everything is offered, and what is sent first and evicted last are items of few hops, then those
/// whose cheapest path to the destination costs least. Nodes tell one another how likely each meets whom next; a step
/// of a path costs what is missing to certainty. Acknowledgements are flooded.
#[derive(Clone, Debug, Default)]
pub struct MaxProp {
    /// How likely this node meets whom next.
    meetings: Meetings,
    /// The same of others, as far as it was told. By the number of the endpoint.
    told: Vec<Meetings>,
    moved: Moved,
    /// Items of fewer hops go first, whatever their path costs.
    few_hops: u32,
    /// The costs of paths from endpoints to those that there are items for, as long as nothing is learnt.
    costs: BTreeMap<Endpoint, BTreeMap<Endpoint, f64>>,
    /// From where `priority` and `keeping` count.
    towards: Option<Endpoint>,
}

/// How likely a node meets whom next. All likelihoods add up to 1.
#[derive(Clone, Debug)]
struct Meetings {
    /// Most likely first.
    likely: Option<Arc<[(f64, Endpoint)]>>,
    /// Those that are so unlikely that a step to them costs 1 in floating point, by their numbers.
    unlikely: Option<Arc<[Endpoint]>>,
    /// What the cheapest step from the node costs.
    least_cost: f64,
    updated: Instant,
}

/// Less than this, taken from 1, leaves 1.
const UNLIKELY: f64 = f64::EPSILON / 4.0;

impl Default for Meetings {
    fn default() -> Self {
        Self {
            likely: None,
            unlikely: None,
            least_cost: f64::MAX,
            updated: Instant::ZERO,
        }
    }
}

impl Meetings {
    fn likely(&self) -> &[(f64, Endpoint)] {
        self.likely.as_deref().unwrap_or_default()
    }

    fn unlikely(&self) -> &[Endpoint] {
        self.unlikely.as_deref().unwrap_or_default()
    }

    /// All likelihoods count half as much as before, and who is met now gets the other half. (The paper's alpha is 1.)
    fn meet(&self, now: Instant, neighbour: Endpoint) -> Self {
        let known = self.likely().iter().find(|(_, to)| *to == neighbour);
        let before = known.map_or(0.0, |(likelihood, _)| *likelihood);
        let met = if self.likely().is_empty() {
            1.0
        } else {
            (before + 1.0) / 2.0
        };
        let others = self.likely().iter().filter(|(_, to)| *to != neighbour);
        let halved = others.map(|(likelihood, to)| (likelihood / 2.0, *to));
        let mut likely: Vec<_> = core::iter::once((met, neighbour)).chain(halved).collect();
        let split = likely.partition_point(|(likelihood, _)| *likelihood >= UNLIKELY);
        let fallen: Vec<_> = likely.drain(split..).map(|(_, to)| to).collect();
        let was_unlikely = self.unlikely().binary_search(&neighbour).is_ok();
        let unlikely = if fallen.is_empty() && !was_unlikely {
            self.unlikely.clone()
        } else {
            let rest = self.unlikely().iter().filter(|to| **to != neighbour);
            let mut all: Vec<_> = rest.copied().chain(fallen).collect();
            all.sort_unstable();
            Some(all.into())
        };
        Self {
            likely: Some(likely.into()),
            unlikely,
            least_cost: 1.0 - met,
            updated: now,
        }
    }
}

/// How much goes over a contact, on the average of the last ones over which anything went.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    samples: [u64; 10],
    next: usize,
}

impl Moved {
    fn add(&mut self, bytes: u64) {
        if let Some(sample) = self.samples.get_mut(self.next) {
            *sample = bytes;
        }
        self.next = (self.next + 1) % self.samples.len();
    }

    fn average(&self) -> u64 {
        let count = self.samples.iter().filter(|sample| **sample > 0).count() as u64;
        let sum = self
            .samples
            .iter()
            .fold(0_u64, |sum, sample| sum.saturating_add(*sample));
        sum.checked_div(count).unwrap_or(0)
    }
}

impl MaxProp {
    /// Below how many hops items go first: as many as fit into what a contact moves.
    fn threshold(&self, custody: &Custody<'_>) -> u32 {
        let (moved, capacity) = (self.moved.average(), custody.capacity.get());
        let mut left = if moved < capacity / 2 {
            moved
        } else {
            capacity.saturating_sub(moved)
        };
        if left == 0 {
            return 0;
        }
        let hops = |item: &Candidate<'_>| item.clear.map_or(0, |clear| clear.hops);
        let mut items: Vec<_> = custody.items.iter().map(|i| (hops(i), i.size)).collect();
        items.sort_unstable();
        let mut threshold = 0;
        for (hops, size) in items {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(size.get());
            threshold = hops + 1;
        }
        threshold
    }

    fn rank(&self, item: &Candidate<'_>) -> Priority {
        let Some(clear) = item.clear else {
            return Priority::new(0);
        };
        if clear.hops < self.few_hops {
            return Priority::new(clear.hops);
        }
        let costs = self.towards.and_then(|towards| self.costs.get(&towards));
        let cost = costs.and_then(|costs| costs.get(&clear.destination));
        let tie = u8::try_from(clear.hops).unwrap_or(u8::MAX);
        Priority::cheap_first(cost.copied().unwrap_or(f64::MAX), tie)
    }

    /// Dijkstra's algorithm, as far as `targets` need it. Those without a path cost the most.
    fn paths(
        &self,
        here: Endpoint,
        from: Endpoint,
        targets: &BTreeSet<Endpoint>,
    ) -> BTreeMap<Endpoint, f64> {
        let mut best = Costs::with_room(self.told.len());
        let mut waiting = BinaryHeap::new();
        best.lower(from, 0.0);
        waiting.push(Reverse((0.0_f64.to_bits(), from)));
        while let Some(Reverse((bits, node))) = waiting.pop() {
            let cost = f64::from_bits(bits);
            let costs_more = targets.iter().any(|to| best.of(*to) > cost);
            if !costs_more {
                break;
            }
            if cost > best.of(node) {
                continue;
            }
            let Some(meetings) = self.meetings_of(here, node) else {
                continue;
            };
            for (likelihood, to) in meetings.likely() {
                best.lower(*to, cost + 1.0 - likelihood);
            }
            for to in targets {
                if best.of(*to) > cost + 1.0 && meetings.unlikely().binary_search(to).is_ok() {
                    best.lower(*to, cost + 1.0);
                }
            }
            // From here on only those matter whose likeliest step can still make a target cheaper.
            let limit = targets.iter().map(|to| best.of(*to)).fold(0.0, f64::max);
            let unlikely = meetings.unlikely().iter().map(|to| (0.0, *to));
            for (likelihood, to) in meetings.likely().iter().copied().chain(unlikely) {
                let cost = cost + 1.0 - likelihood;
                if cost >= limit {
                    break;
                }
                let next = self.meetings_of(here, to);
                let rest = next.map_or(f64::MAX, |meetings| meetings.least_cost);
                if cost + rest < limit && cost <= best.of(to) {
                    best.lower(to, cost);
                    waiting.push(Reverse((cost.to_bits(), to)));
                }
            }
        }
        targets.iter().map(|to| (*to, best.of(*to))).collect()
    }

    fn meetings_of(&self, here: Endpoint, node: Endpoint) -> Option<&Meetings> {
        if node == here {
            Some(&self.meetings)
        } else {
            self.told.get(node.place())
        }
    }
}

/// The least costs so far, by the number of the endpoint.
struct Costs(Vec<f64>);

impl Costs {
    fn with_room(endpoints: usize) -> Self {
        Self(alloc::vec![f64::MAX; endpoints])
    }

    fn of(&self, endpoint: Endpoint) -> f64 {
        self.0.get(endpoint.place()).copied().unwrap_or(f64::MAX)
    }

    fn lower(&mut self, endpoint: Endpoint, cost: f64) {
        if self.0.len() <= endpoint.place() {
            self.0.resize(endpoint.place() + 1, f64::MAX);
        }
        if let Some(known) = self.0.get_mut(endpoint.place()) {
            *known = known.min(cost);
        }
    }
}

impl Policy for MaxProp {
    fn initial_copies(&self) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Sharing {
        Sharing::Push
    }

    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        self.rank(item)
    }

    fn handed_over(&self, _copies: Copies) -> Copies {
        Copies::NONE
    }

    fn habits(&self) -> Habits {
        Habits {
            sees_destinations: true,
            ranks_custody: true,
            returns: false,
            repeats: false,
            acknowledges: true,
            ..Habits::default()
        }
    }

    fn meet(&mut self, now: Instant, neighbour: Endpoint) {
        self.meetings = self.meetings.meet(now, neighbour);
        self.costs.clear();
    }

    fn learn(&mut self, _now: Instant, neighbour: Endpoint, theirs: &dyn Any) {
        let Some(theirs) = theirs.downcast_ref::<Self>() else {
            return;
        };
        let length = theirs.told.len().max(neighbour.place() + 1);
        if self.told.len() < length {
            self.told.resize(length, Meetings::default());
        }
        for (ours, told) in self.told.iter_mut().zip(&theirs.told) {
            if ours.updated < told.updated {
                ours.clone_from(told);
            }
        }
        if let Some(ours) = self.told.get_mut(neighbour.place()) {
            ours.clone_from(&theirs.meetings);
        }
        self.costs.clear();
    }

    fn part(&mut self, moved: ByteCount) {
        self.moved.add(moved.get());
    }

    fn survey(&mut self, here: Endpoint, towards: Endpoint, custody: &Custody<'_>) {
        self.few_hops = self.threshold(custody);
        self.towards = Some(towards);
        let few_hops = self.few_hops;
        let clear = custody.items.iter().filter_map(|item| item.clear);
        let clear = clear.filter(|clear| clear.hops >= few_hops);
        let mut targets: BTreeSet<_> = clear.map(|clear| clear.destination).collect();
        let known = self.costs.entry(towards).or_default();
        targets.retain(|to| !known.contains_key(to));
        if !targets.is_empty() {
            let more = self.paths(here, towards, &targets);
            self.costs.entry(towards).or_default().extend(more);
        }
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        self.rank(item)
    }
}
