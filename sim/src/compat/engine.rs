//! The engine: events, ticks, rounds of updates, transfers, buffers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;
use std::iter::Peekable;
use std::slice::Iter;
use std::time::Duration;

use chappe_gossip::policy::{Endpoint, Habits, Policy, Surroundings};
use chappe_wire::{ByteCount, Instant};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::node::{Held, Node, PathIndex, Sending};
use crate::bits::{Bits, Choice};
use crate::buffers::Buffers;
use crate::event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, NodeIndex, SimTime, UnknownNode,
};
use crate::log::{Handed, Keep, What};
use crate::outcome::{Course, Outcome, Release, Tally};
use crate::slots::{Slot, Slots};
use crate::table::Table;
use crate::units::Rate;

/// How a trace is replayed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often all nodes update.
    pub tick: Duration,
    /// The rate of contacts for which the trace tells none.
    pub rate: Rate,
    /// The nodes' buffers.
    pub buffers: Buffers,
    /// The messages' lifetime.
    pub ttl: Duration,
    /// When the run ends; otherwise with the trace or its last message, whichever is later.
    pub end: Option<SimTime>,
}

/// Contacts and messages, ready to be replayed with any policy and seed.
///
/// ```
/// use std::time::Duration;
///
/// use chappe_gossip::policies::Prophet;
/// use chappe_sim::compat::{Replay, Settings};
/// use chappe_sim::*;
/// use chappe_wire::ByteCount;
///
/// let event = |secs, up| ContactEvent {
///     at: SimTime::from_secs(secs),
///     a: NodeIndex::new(0),
///     b: NodeIndex::new(1),
///     up,
///     rate: None,
/// };
/// let contacts = ContactTrace {
///     nodes: 2,
///     events: vec![event(10, true), event(20, false)],
///     end: SimTime::from_secs(20),
/// };
/// let messages = [MessageEvent {
///     at: SimTime::ZERO,
///     index: MessageIndex::new(0),
///     name: MessageName::new("M1"),
///     from: NodeIndex::new(0),
///     to: NodeIndex::new(1),
///     size: ByteCount::new(500_000),
/// }];
/// let settings = Settings {
///     tick: Duration::from_millis(100),
///     rate: Rate::THE_ONE,
///     buffers: Buffers::all(ByteCount::new(5_000_000)),
///     ttl: Duration::from_secs(18_000),
///     end: None,
/// };
/// let outcome = Replay::new(&contacts, &messages, settings)?.run(Prophet::new, 1);
/// assert_eq!(outcome.latency_avg, Some(12.0));
/// # Ok::<(), UnknownNode>(())
/// ```
#[derive(Debug)]
pub struct Replay<'a> {
    contacts: &'a ContactTrace,
    messages: &'a [MessageEvent],
    settings: Settings,
    /// What is for whom.
    addressed: Table<NodeIndex, Vec<MessageIndex>>,
}

impl<'a> Replay<'a> {
    /// Checks that contacts and messages fit.
    ///
    /// # Errors
    /// [`UnknownNode`].
    pub fn new(
        contacts: &'a ContactTrace,
        messages: &'a [MessageEvent],
        settings: Settings,
    ) -> Result<Self, UnknownNode> {
        contacts.check(messages)?;
        let mut addressed = Table::new(vec![Vec::new(); contacts.nodes as usize]);
        for message in messages {
            addressed[message.to].push(message.index);
        }
        Ok(Self {
            contacts,
            messages,
            settings,
            addressed,
        })
    }

    /// When the last thing happens.
    fn last(&self) -> SimTime {
        let message = self.messages.last();
        let message = message.map_or(SimTime::ZERO, |message| message.at);
        message.max(self.contacts.end)
    }

    /// One run. `policy` makes each node's policy.
    pub fn run<P: Policy>(&self, policy: impl Fn() -> P, seed: u64) -> Outcome {
        self.course(policy, seed, Keep::Figures).outcome
    }

    /// One run, and what happened in it. `policy` makes each node's policy.
    pub fn course<P: Policy>(&self, policy: impl Fn() -> P, seed: u64, keep: Keep) -> Course {
        Engine::new(self, policy, seed, keep).run()
    }
}

/// One run.
pub(super) struct Engine<'a, P> {
    contact_events: Peekable<Iter<'a, ContactEvent>>,
    message_events: Peekable<Iter<'a, MessageEvent>>,
    pub(super) messages: &'a [MessageEvent],
    pub(super) addressed: &'a Table<NodeIndex, Vec<MessageIndex>>,
    settings: &'a Settings,
    end: SimTime,
    pub(super) habits: Habits,
    pub(super) policies: Table<NodeIndex, P>,
    pub(super) nodes: Table<NodeIndex, Node>,
    pub(super) links: Slots<Link>,
    pub(super) paths: Table<PathIndex, Step>,
    transfers: BinaryHeap<Reverse<(SimTime, NodeIndex)>>,
    purges: VecDeque<(SimTime, NodeIndex)>,
    round: Round,
    pub(super) now: SimTime,
    ticked: Option<SimTime>,
    /// Messages before this one are over.
    pub(super) first_live: MessageIndex,
    pub(super) tally: Tally,
    pub(super) rng: ChaCha8Rng,
    /// Room to think.
    pub(super) scratch: Choice,
}

/// Two nodes in reach of one another.
pub(super) struct Link {
    ends: [NodeIndex; 2],
    rate: Rate,
    moved: u64,
    pub(super) views: [View; 2],
}

/// What one end of a link gives to the other, as far as the policy was asked.
#[derive(Default)]
pub(super) struct View {
    /// The versions of both ends' knowledge.
    pub(super) versions: [u64; 2],
    pub(super) asked: Bits,
    pub(super) pushed: Bits,
}

/// A copy came to `node`, and before it along `before`.
pub(super) struct Step {
    node: NodeIndex,
    before: Option<PathIndex>,
}

/// The nodes that update in this round and the next, in an order that is shuffled for each.
struct Round {
    seed: u64,
    number: u64,
    /// The rank of the node that updates now.
    rank: Option<u64>,
    current: BinaryHeap<Reverse<(u64, NodeIndex)>>,
    next: Vec<NodeIndex>,
    /// There is a next round, even if nobody has anything to do in it: the order of later rounds depends on how many there
    /// were.
    follows: bool,
}

impl Round {
    fn rank(&self, node: NodeIndex) -> u64 {
        let mut z = self
            .seed
            .wrapping_add(self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_add(u64::from(node.get()).wrapping_mul(0xd134_2543_de82_ef95));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl<'a, P: Policy> Engine<'a, P> {
    fn new(replay: &'a Replay<'a>, policy: impl Fn() -> P, seed: u64, keep: Keep) -> Self {
        let nodes = || (0..replay.contacts.nodes).map(NodeIndex::new);
        let count = replay.messages.len();
        let settings = &replay.settings;
        let capacity = |node| settings.buffers.of(node).get();
        let first_purge = SimTime::ZERO.after(PURGE_INTERVAL);
        let habits = policy().habits();
        let node = |node| {
            let mut node = Node::new(capacity(node), count);
            if habits.acknowledges {
                node.acknowledged.reset(count);
            }
            node
        };
        Self {
            contact_events: replay.contacts.events.iter().peekable(),
            message_events: replay.messages.iter().peekable(),
            messages: replay.messages,
            addressed: &replay.addressed,
            settings,
            end: settings.end.unwrap_or_else(|| replay.last()),
            habits,
            policies: Table::new(nodes().map(|_| policy()).collect()),
            nodes: Table::new(nodes().map(node).collect()),
            links: Slots::new(),
            paths: Table::new(Vec::new()),
            transfers: BinaryHeap::new(),
            purges: nodes().map(|node| (first_purge, node)).collect(),
            round: Round {
                seed,
                number: 0,
                rank: None,
                current: BinaryHeap::new(),
                next: Vec::new(),
                follows: false,
            },
            now: SimTime::ZERO,
            ticked: None,
            first_live: MessageIndex::new(0),
            tally: Tally::new(keep, replay.contacts.nodes),
            rng: ChaCha8Rng::seed_from_u64(seed),
            scratch: Choice::default(),
        }
    }

    fn run(mut self) -> Course {
        loop {
            let contact = self.contact_events.peek().map(|event| event.at);
            let message = self.message_events.peek().map(|event| event.at);
            let tick = self.next_tick();
            let next = [contact, message, tick].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= self.end) else {
                return self.tally.course();
            };
            self.advance(next);
            if contact == Some(next) {
                if let Some(event) = self.contact_events.next() {
                    self.handle_contact(event);
                }
            } else if message == Some(next) {
                if let Some(event) = self.message_events.next() {
                    self.create(event);
                }
            } else {
                self.ticked = tick;
            }
            self.update_all();
        }
    }

    /// The first tick at which a node has something to do.
    fn next_tick(&self) -> Option<SimTime> {
        let waiting = self.round.follows.then_some(self.now);
        let transfer = self.transfers.peek().map(|Reverse((done, _))| *done);
        let purge = self.purges.front().map(|(at, _)| *at);
        let due = [waiting, transfer, purge].into_iter().flatten().min()?;
        let tick = self.settings.tick.as_micros() as u64;
        let due = due.max(self.now).as_micros().div_ceil(tick) * tick;
        let after = self
            .ticked
            .map_or(SimTime::ZERO, |last| last.after(self.settings.tick));
        Some(SimTime::from_micros(due).max(after))
    }

    fn advance(&mut self, now: SimTime) {
        self.now = now;
        // Lifetimes are in whole minutes: with less than one left they are over.
        let relayed = self.settings.ttl.saturating_sub(PURGE_INTERVAL);
        while self
            .messages
            .get(self.first_live.as_usize())
            .is_some_and(|message| message.at <= now && now.since(message.at) > relayed)
        {
            self.first_live = MessageIndex::new(self.first_live.get() + 1);
        }
    }

    fn update_all(&mut self) {
        while let Some(Reverse((done, node))) = self.transfers.peek().copied()
            && done <= self.now
        {
            self.transfers.pop();
            self.wake(node);
        }
        while let Some((at, node)) = self.purges.front().copied()
            && at <= self.now
        {
            self.purges.pop_front();
            self.nodes[node].purge_due = true;
            if self.nodes[node].sending.is_none() {
                self.purge(node);
            }
        }
        self.round.number += 1;
        self.round.follows = false;
        let mut next = std::mem::take(&mut self.round.next);
        for node in next.drain(..) {
            let rank = self.round.rank(node);
            self.round.current.push(Reverse((rank, node)));
        }
        self.round.next = next;
        while let Some(Reverse((rank, node))) = self.round.current.pop() {
            self.round.rank = Some(rank);
            self.nodes[node].queued = false;
            self.update(node);
        }
        self.round.rank = None;
    }

    /// Something about `node` has changed. It updates in this round if its turn is still to come, else in the next.
    fn wake(&mut self, node: NodeIndex) {
        if self.nodes[node].queued {
            return;
        }
        let rank = self.round.rank(node);
        let in_this = self.round.rank.is_some_and(|now| now < rank);
        self.round.follows |= !in_this;
        // Who is at work takes no notice; whatever ends that wakes it again.
        if self.nodes[node].is_at_work(self.now) {
            return;
        }
        self.nodes[node].queued = true;
        if in_this {
            self.round.current.push(Reverse((rank, node)));
        } else {
            self.round.next.push(node);
        }
    }

    fn wake_around(&mut self, node: NodeIndex) {
        self.wake(node);
        for place in 0..self.nodes[node].links.len() {
            if let Some((peer, _)) = self.nodes[node].links.get(place).copied() {
                self.wake(peer);
            }
        }
    }

    fn update(&mut self, node: NodeIndex) {
        if let Some(sending) = self.nodes[node].sending {
            if sending.done <= self.now {
                self.complete(node, &sending);
            } else if !sending.linked {
                self.abort(node, &sending);
            } else {
                return;
            }
            if self.nodes[node].is_over_full() {
                self.make_room(node, 0);
            }
        }
        if self.nodes[node].purge_due {
            self.purge(node);
        }
        let this = &self.nodes[node];
        if this.is_busy() || this.held().is_empty() || this.links.is_empty() {
            return;
        }
        let _ = self.deliver(node) || self.ask(node) || self.choose(node);
    }

    fn handle_contact(&mut self, event: &ContactEvent) {
        let ContactEvent { a, b, .. } = *event;
        let known = self.nodes[a].links.iter().find(|(peer, _)| *peer == b);
        match (event.up, known.copied()) {
            (true, None) => self.link_up(a, b, event.rate.unwrap_or(self.settings.rate)),
            (false, Some((_, link))) => self.link_down(a, b, link),
            _ => {}
        }
    }

    fn link_up(&mut self, a: NodeIndex, b: NodeIndex, rate: Rate) {
        self.tally.contacts += 1;
        self.tally.note(self.now, What::Up { a, b });
        let link = Link {
            ends: [a, b],
            rate,
            moved: 0,
            views: Default::default(),
        };
        let slot = self.links.fill(link);
        self.nodes[a].links.push((b, slot));
        self.nodes[b].links.push((a, slot));
        if self.habits.acknowledges {
            self.exchange_acknowledgements(a, b);
        }
        if self.habits.sees_destinations {
            let now = Instant::from_micros(self.now.as_micros());
            if let Some([left, right]) = self.policies.two(a, b) {
                left.meet(now, endpoint(b));
                right.meet(now, endpoint(a));
                left.learn(now, endpoint(b), right);
                right.learn(now, endpoint(a), left);
            }
        }
        for node in [a, b] {
            // Where what is shared follows from knowledge, all links may have something to carry now.
            if self.habits.tells_neighbours_apart {
                self.nodes[node].version += 1;
                self.wake_around(node);
            } else {
                self.wake(node);
            }
        }
    }

    fn link_down(&mut self, a: NodeIndex, b: NodeIndex, link: Slot) {
        self.tally.links_down += 1;
        self.tally.note(self.now, What::Down { a, b });
        for (node, peer) in [(a, b), (b, a)] {
            self.nodes[node].links.retain(|(other, _)| *other != peer);
            let sending = self.nodes[node].sending.as_mut();
            if let Some(sending) = sending.filter(|sending| sending.link == link) {
                // The receiver is free at once, the sender at its next update.
                sending.linked = false;
                self.links[link].moved += sending.sent(self.now);
                self.nodes[peer].receiving = false;
                self.wake_around(node);
                self.wake_around(peer);
            }
        }
        if self.habits.sees_destinations {
            let moved = ByteCount::new(self.links[link].moved);
            self.policies[a].part(moved);
            self.policies[b].part(moved);
        }
        self.links.free(link);
    }

    fn create(&mut self, event: &MessageEvent) {
        self.tally.created += 1;
        let message = event.index;
        self.tally.note(self.now, What::Written { message });
        let size = event.size.get();
        self.make_room(event.from, size);
        let copies = self.policies[event.from].initial_copies(&Surroundings::default());
        let path = self.step(event.from, None);
        let copy = Held {
            message: event.index,
            size,
            copies,
            hops: 0,
            path,
            received: self.now,
        };
        self.store(event.from, copy);
        self.wake_around(event.from);
    }

    /// Begins a transfer, if the receiver takes it: false if not. The receiver is not busy and lacks the message.
    pub(super) fn start(
        &mut self,
        from: NodeIndex,
        to: NodeIndex,
        link: Slot,
        message: MessageIndex,
    ) -> bool {
        let Some(copy) = self.nodes[from].find(message).copied() else {
            return false;
        };
        let is_for = self.destination(message) == to;
        if (!is_for && message < self.first_live) || !self.make_room(to, copy.size) {
            return false;
        }
        if !self.habits.returns && self.has_been(copy.path, to) {
            return false;
        }
        let rate = self.links[link].rate;
        let took = rate.time_for(ByteCount::new(copy.size));
        // Complete when less than a byte is missing.
        let byte = rate.time_for(ByteCount::new(1));
        let almost = took.saturating_sub(byte);
        let done = self.now.after(almost);
        self.tally.started += 1;
        self.nodes[from].sending = Some(Sending {
            to,
            link,
            rate,
            copy,
            started: self.now,
            done,
            linked: true,
        });
        self.nodes[to].receiving = true;
        self.transfers.push(Reverse((done, from)));
        true
    }

    fn complete(&mut self, from: NodeIndex, sending: &Sending) {
        let Sending { to, copy, .. } = *sending;
        self.nodes[from].sending = None;
        if sending.linked {
            self.nodes[to].receiving = false;
            self.links[sending.link].moved += copy.size;
        }
        self.tally.relayed += 1;
        self.tally.data_bytes += copy.size;
        let message = copy.message;
        let time = self.now.since(sending.started);
        self.tally.on_air(from, to, time, copy.size);
        let handed = Handed {
            from,
            to,
            message: Some(message),
        };
        self.tally.note(self.now, What::Handed(handed));
        let delivered = self.destination(message) == to;
        let handed = self.policies[from].handed_over(copy.copies);
        if let Some(kept) = self.nodes[from].find_mut(message) {
            kept.copies = kept.copies.saturating_sub(handed);
            self.reconsider(from, message);
        }
        if !self.habits.repeats {
            let count = self.messages.len();
            let handed = &mut self.nodes[from].handed;
            let handed = handed.entry(to).or_insert_with(|| Bits::new(count));
            handed.insert(message.get());
        }
        if delivered {
            if !self.nodes[to].done.contains(message.get()) {
                self.nodes[to].done.insert(message.get());
                let written = self.written(message);
                let hops = copy.hops + 1;
                self.tally.deliver(message, written, self.now, hops);
            }
            if self.habits.acknowledges {
                self.nodes[from].acknowledged.insert(message.get());
                self.nodes[to].acknowledged.insert(message.get());
                self.forget(from, message, false);
            }
        } else {
            let path = self.step(to, Some(copy.path));
            let arrived = Held {
                message,
                size: copy.size,
                copies: self.policies[to].received_copies(handed),
                hops: copy.hops + 1,
                path,
                received: self.now,
            };
            self.store(to, arrived);
        }
        if !self.habits.keeps_copy {
            self.forget(from, message, false);
        }
        self.wake_around(from);
        self.wake_around(to);
    }

    fn abort(&mut self, from: NodeIndex, sending: &Sending) {
        self.nodes[from].sending = None;
        self.tally.aborted += 1;
        let sent = sending.sent(self.now);
        self.tally.data_bytes += sent;
        let Sending { to, rate, copy, .. } = *sending;
        let time = rate.time_for(ByteCount::new(sent));
        self.tally.on_air(from, to, time, sent);
        let what = What::Cut {
            from,
            to,
            message: Some(copy.message),
        };
        self.tally.note(self.now, what);
    }

    /// Evicts until `size` bytes fit: false if they cannot.
    fn make_room(&mut self, node: NodeIndex, size: u64) -> bool {
        if size > self.nodes[node].capacity {
            return false;
        }
        while self.nodes[node].room() < size || self.nodes[node].is_over_full() {
            let victim = if self.habits.ranks_custody {
                self.last_ranked(node)
            } else {
                self.nodes[node].oldest()
            };
            let Some(victim) = victim else {
                return false;
            };
            self.forget(node, victim, true);
        }
        true
    }

    fn store(&mut self, node: NodeIndex, copy: Held) {
        self.nodes[node].store(copy);
        let what = What::Taken {
            node,
            message: Some(copy.message),
            size: copy.size,
        };
        self.tally.note(self.now, what);
        self.reconsider(node, copy.message);
    }

    pub(super) fn forget(&mut self, node: NodeIndex, message: MessageIndex, dropped: bool) {
        if let Some(copy) = self.nodes[node].remove(message) {
            let release = Release {
                node,
                message: Some(message),
                size: copy.size,
                received: copy.received,
                dropped,
            };
            self.tally.release(self.now, release);
        }
    }

    /// Drops what is over, not before the next minute again.
    fn purge(&mut self, node: NodeIndex) {
        self.nodes[node].purge_due = false;
        while let Some(message) = self.nodes[node].held_before(self.first_live) {
            self.forget(node, message, true);
        }
        self.purges
            .push_back((self.now.after(PURGE_INTERVAL), node));
    }

    fn exchange_acknowledgements(&mut self, a: NodeIndex, b: NodeIndex) {
        if let Some([left, right]) = self.nodes.two(a, b) {
            left.acknowledged.unite(&right.acknowledged);
            right.acknowledged.unite(&left.acknowledged);
        }
        for node in [a, b] {
            let mut known = self.nodes[node].have.clone();
            known.intersect(&self.nodes[node].acknowledged);
            for message in known.iter().map(MessageIndex::new) {
                if !self.nodes[node].is_sending(message) {
                    self.forget(node, message, false);
                }
            }
        }
    }

    fn step(&mut self, node: NodeIndex, before: Option<PathIndex>) -> PathIndex {
        if self.habits.returns {
            return PathIndex(0);
        }
        self.paths.push(Step { node, before });
        PathIndex(self.paths.len() as u32 - 1)
    }

    pub(super) fn has_been(&self, path: PathIndex, node: NodeIndex) -> bool {
        let mut path = Some(path);
        while let Some(index) = path {
            let step = &self.paths[index];
            if step.node == node {
                return true;
            }
            path = step.before;
        }
        false
    }

    pub(super) fn end_of(&self, link: Slot, node: NodeIndex) -> usize {
        let [first, _] = self.links[link].ends;
        usize::from(first != node)
    }

    pub(super) fn destination(&self, message: MessageIndex) -> NodeIndex {
        self.event(message)
            .map_or(NodeIndex::new(0), |event| event.to)
    }

    pub(super) fn written(&self, message: MessageIndex) -> SimTime {
        self.event(message).map_or(SimTime::ZERO, |event| event.at)
    }

    fn event(&self, message: MessageIndex) -> Option<&'a MessageEvent> {
        self.messages.get(message.as_usize())
    }
}

/// How often a node drops what is over, and in what lifetimes are counted.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);

pub(super) const fn endpoint(node: NodeIndex) -> Endpoint {
    Endpoint::new(node.get())
}
