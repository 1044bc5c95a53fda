//! The cheapest path first, young items before them.

use alloc::collections::BinaryHeap;
use alloc::collections::binary_heap::PeekMut;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cmp::Reverse;

use chappe_wire::{ByteCount, Instant};

use crate::Copies;
use crate::policy::{
    Candidate, Custody, Endpoint, Habits, Neighbour, Policy, Priority, Sharing, Surroundings,
};

/// MaxProp (Burgess, Gallagher, Jensen, Levine: "MaxProp: Routing for Vehicle-Based Disruption-Tolerant Networks",
/// INFOCOM 2006): everything is offered, and what is sent first and evicted last are items of few hops, then those
/// whose cheapest path to the destination costs least. Nodes tell one another how likely each meets whom next; a step
/// of a path costs what is missing to certainty. Acknowledgements are flooded.
#[derive(Clone, Debug, Default)]
pub struct MaxProp {
    /// How likely this node meets whom next.
    meetings: Told,
    /// The same of others, as far as it was told. By the number of the endpoint.
    told: Vec<Told>,
    moved: Moved,
    /// Items of fewer hops go first, whatever their path costs.
    few_hops: u32,
    /// The costs of paths to those that there are items for, as long as nothing is learnt.
    paths: Vec<Paths>,
    /// Which of them `priority` and `keeping` look at.
    towards: Option<usize>,
    room: Room,
}

/// What is known of whom a node meets, and since when.
#[derive(Clone, Debug)]
struct Told {
    meetings: Option<Arc<Meetings>>,
    /// What the cheapest step from the node costs.
    least_cost: f64,
    updated: Instant,
}

/// How likely a node meets whom next. All likelihoods add up to 1.
#[derive(Debug)]
struct Meetings {
    /// Most likely first.
    likely: Vec<(f64, Endpoint)>,
    /// Those that are so unlikely that a step to them costs 1 in floating point, by their numbers.
    unlikely: Arc<[Endpoint]>,
}

/// What paths from an endpoint cost, where that was asked for.
#[derive(Clone, Debug)]
struct Paths {
    from: Endpoint,
    costs: Costs,
}

/// Room to think, kept for the next time.
#[derive(Clone, Debug, Default)]
struct Room {
    best: Costs,
    waiting: BinaryHeap<Reverse<Step>>,
    targets: Vec<Endpoint>,
    sizes: Vec<u64>,
    spare: Vec<Costs>,
}

/// A step of a path. Costs are positive, so that their bits are in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    /// What the path with this step costs.
    cost: u64,
    to: Endpoint,
    from: Endpoint,
    /// Which of the steps from there, the cheapest being 0.
    place: usize,
    /// What the path costs without it.
    before: u64,
}

/// Less than this, taken from 1, leaves 1.
const UNLIKELY: f64 = f64::EPSILON / 4.0;

impl Default for Told {
    fn default() -> Self {
        Self {
            meetings: None,
            least_cost: f64::MAX,
            updated: Instant::ZERO,
        }
    }
}

impl Told {
    fn likely(&self) -> &[(f64, Endpoint)] {
        self.meetings
            .as_ref()
            .map_or(&[], |meetings| &meetings.likely)
    }

    fn unlikely(&self) -> &[Endpoint] {
        self.meetings
            .as_ref()
            .map_or(&[], |meetings| &meetings.unlikely)
    }

    /// What a path of this cost costs with the step in this place after it, the cheapest being 0, and where it leads.
    fn step(&self, before: f64, place: usize) -> Option<(f64, Endpoint)> {
        let likely = self.likely();
        if let Some((likelihood, to)) = likely.get(place) {
            return Some((before + 1.0 - likelihood, *to));
        }
        let to = self.unlikely().get(place - likely.len())?;
        Some((before + 1.0, *to))
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
        let was_unlikely = self.unlikely().binary_search(&neighbour).is_ok();
        let unlikely = if split == likely.len() && !was_unlikely {
            let before = self.meetings.as_ref();
            before.map_or_else(Arc::default, |before| before.unlikely.clone())
        } else {
            let fallen = likely.drain(split..).map(|(_, to)| to);
            let rest = self.unlikely().iter().filter(|to| **to != neighbour);
            let mut all: Vec<_> = rest.copied().chain(fallen).collect();
            all.sort_unstable();
            all.into()
        };
        Self {
            meetings: Some(Arc::new(Meetings { likely, unlikely })),
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
    fn threshold(&mut self, custody: &Custody<'_>) -> u32 {
        let (moved, capacity) = (self.moved.average(), custody.capacity.get());
        let mut left = if moved < capacity / 2 {
            moved
        } else {
            capacity.saturating_sub(moved)
        };
        let sizes = &mut self.room.sizes;
        sizes.clear();
        for item in custody.items {
            let hops = item.clear.map_or(0, |clear| clear.hops) as usize;
            if sizes.len() <= hops {
                sizes.resize(hops + 1, 0);
            }
            if let Some(size) = sizes.get_mut(hops) {
                *size = size.saturating_add(item.size.get());
            }
        }
        let mut threshold = 0;
        for (hops, size) in (1..).zip(sizes.iter().copied()) {
            if left == 0 {
                break;
            }
            if size > 0 {
                left = left.saturating_sub(size);
                threshold = hops;
            }
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
        let paths = self.towards.and_then(|place| self.paths.get(place));
        let cost = paths.map_or(f64::MAX, |paths| paths.costs.of(clear.destination));
        let tie = u8::try_from(clear.hops).unwrap_or(u8::MAX);
        Priority::cheap_first(cost, tie)
    }

    /// The place of the paths that begin there.
    fn place_of(&mut self, from: Endpoint) -> usize {
        let known = self.paths.iter().position(|paths| paths.from == from);
        known.unwrap_or_else(|| {
            let costs = self.room.spare.pop().unwrap_or_default();
            self.paths.push(Paths { from, costs });
            self.paths.len() - 1
        })
    }

    /// What was learnt may have changed every path.
    fn forget_paths(&mut self) {
        self.towards = None;
        for mut paths in self.paths.drain(..) {
            paths.costs.clear();
            self.room.spare.push(paths.costs);
        }
    }

    /// Dijkstra's algorithm, as far as `targets` need it. Those without a path cost the most. A node that was reached puts
    /// its cheapest step into the queue, and the next one only when that comes out again.
    fn find_paths(
        &self,
        here: Endpoint,
        from: Endpoint,
        targets: &[Endpoint],
        best: &mut Costs,
        waiting: &mut BinaryHeap<Reverse<Step>>,
    ) {
        best.lower(from, 0.0);
        best.expand(from, 0.0);
        let dearest = |best: &Costs| targets.iter().map(|to| best.of(*to)).fold(0.0, f64::max);
        let mut limit = f64::MAX;
        let mut reached = Some((from, 0.0_f64));
        loop {
            if let Some((node, cost)) = reached.take()
                && let Some(told) = self.told_by(here, node)
            {
                // Where there is no path yet any will do, so that the search ends sooner.
                if limit == f64::MAX {
                    for (likelihood, to) in told.likely() {
                        best.lower(*to, cost + 1.0 - likelihood);
                    }
                }
                for to in targets {
                    if best.of(*to) > cost + 1.0 && told.unlikely().binary_search(to).is_ok() {
                        best.lower(*to, cost + 1.0);
                    }
                }
                limit = dearest(best);
                let search = (here, targets, &*best, limit);
                if let Some(step) = self.next_step(node, cost, 0, search) {
                    waiting.push(Reverse(step));
                }
            }
            let Some(mut first) = waiting.peek_mut() else {
                return;
            };
            let Reverse(step) = *first;
            let cost = f64::from_bits(step.cost);
            if cost >= limit {
                break;
            }
            let before = f64::from_bits(step.before);
            let search = (here, targets, &*best, limit);
            match self.next_step(step.from, before, step.place + 1, search) {
                Some(next) => *first = Reverse(next),
                None => drop(PeekMut::pop(first)),
            }
            if cost > best.of(step.to) {
                continue;
            }
            if cost < best.of(step.to) {
                best.lower(step.to, cost);
                if targets.contains(&step.to) {
                    limit = dearest(best);
                }
            }
            // Steps to whom a node always meets next cost nothing: without the last condition a search for who cannot be
            // reached would go round between two such nodes for ever.
            if cost + self.least_cost(here, step.to) < limit && best.expand(step.to, cost) {
                reached = Some((step.to, cost));
            }
        }
        waiting.clear();
    }

    /// The next step from a node that a path of this cost leads to, from this place on, that can still make a target
    /// cheaper, or lead to one that does.
    fn next_step(
        &self,
        from: Endpoint,
        before: f64,
        mut place: usize,
        (here, targets, best, limit): (Endpoint, &[Endpoint], &Costs, f64),
    ) -> Option<Step> {
        let told = self.told_by(here, from)?;
        loop {
            let (cost, to) = told.step(before, place)?;
            if cost >= limit {
                return None;
            }
            let known = best.of(to);
            let leads_on = cost <= known && cost + self.least_cost(here, to) < limit;
            if leads_on || (cost < known && targets.contains(&to)) {
                return Some(Step {
                    cost: cost.to_bits(),
                    to,
                    from,
                    place,
                    before: before.to_bits(),
                });
            }
            place += 1;
        }
    }

    /// What the cheapest step from a node costs.
    fn least_cost(&self, here: Endpoint, node: Endpoint) -> f64 {
        let told = self.told_by(here, node);
        told.map_or(f64::MAX, |told| told.least_cost)
    }

    fn told_by(&self, here: Endpoint, node: Endpoint) -> Option<&Told> {
        if node == here {
            Some(&self.meetings)
        } else {
            self.told.get(node.place())
        }
    }
}

/// The least costs so far, by the number of the endpoint. What is not there costs the most.
#[derive(Clone, Debug, Default)]
struct Costs {
    by_place: Vec<f64>,
    /// At which cost the steps from an endpoint were last looked at.
    expanded: Vec<f64>,
    /// Those that are there.
    known: Vec<Endpoint>,
}

impl Costs {
    fn of(&self, endpoint: Endpoint) -> f64 {
        let cost = self.by_place.get(endpoint.place());
        cost.copied().unwrap_or(UNKNOWN).min(f64::MAX)
    }

    fn knows(&self, endpoint: Endpoint) -> bool {
        let cost = self.by_place.get(endpoint.place());
        cost.is_some_and(|cost| *cost < UNKNOWN)
    }

    fn lower(&mut self, endpoint: Endpoint, cost: f64) {
        if self.by_place.len() <= endpoint.place() {
            self.by_place.resize(endpoint.place() + 1, UNKNOWN);
            self.expanded.resize(endpoint.place() + 1, UNKNOWN);
        }
        if let Some(known) = self.by_place.get_mut(endpoint.place())
            && cost < *known
        {
            if *known == UNKNOWN {
                self.known.push(endpoint);
            }
            *known = cost;
        }
    }

    /// Whether the steps from an endpoint that is there are to be looked at: unless they were, at no more than this cost.
    fn expand(&mut self, endpoint: Endpoint, cost: f64) -> bool {
        match self.expanded.get_mut(endpoint.place()) {
            Some(before) if cost < *before => {
                *before = cost;
                true
            }
            _ => false,
        }
    }

    fn clear(&mut self) {
        for endpoint in self.known.drain(..) {
            for costs in [&mut self.by_place, &mut self.expanded] {
                if let Some(cost) = costs.get_mut(endpoint.place()) {
                    *cost = UNKNOWN;
                }
            }
        }
    }
}

/// More than any cost.
const UNKNOWN: f64 = f64::INFINITY;

impl Policy for MaxProp {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(
        &self,
        _item: &Candidate<'_>,
        _neighbour: &Neighbour<'_>,
        _surroundings: &Surroundings,
    ) -> Sharing {
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
        self.forget_paths();
    }

    fn learn(&mut self, _now: Instant, neighbour: Endpoint, theirs: &dyn Any) {
        let Some(theirs) = theirs.downcast_ref::<Self>() else {
            return;
        };
        let length = theirs.told.len().max(neighbour.place() + 1);
        if self.told.len() < length {
            self.told.resize(length, Told::default());
        }
        for (ours, told) in self.told.iter_mut().zip(&theirs.told) {
            if ours.updated < told.updated {
                ours.clone_from(told);
            }
        }
        if let Some(ours) = self.told.get_mut(neighbour.place()) {
            ours.clone_from(&theirs.meetings);
        }
        self.forget_paths();
    }

    fn part(&mut self, moved: ByteCount) {
        self.moved.add(moved.get());
    }

    fn survey(&mut self, here: Endpoint, towards: Endpoint, custody: &Custody<'_>) {
        self.few_hops = self.threshold(custody);
        let place = self.place_of(towards);
        self.towards = Some(place);
        let mut room = core::mem::take(&mut self.room);
        room.targets.clear();
        if let Some(paths) = self.paths.get(place) {
            let clear = custody.items.iter().filter_map(|item| item.clear);
            let far = clear.filter(|clear| clear.hops >= self.few_hops);
            let unknown = far.filter(|clear| !paths.costs.knows(clear.destination));
            room.targets.extend(unknown.map(|clear| clear.destination));
        }
        if !room.targets.is_empty() {
            self.find_paths(
                here,
                towards,
                &room.targets,
                &mut room.best,
                &mut room.waiting,
            );
            if let Some(paths) = self.paths.get_mut(place) {
                for to in &room.targets {
                    paths.costs.lower(*to, room.best.of(*to));
                }
            }
            room.best.clear();
        }
        self.room = room;
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        self.rank(item)
    }
}
