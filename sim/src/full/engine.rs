//! The engine: contacts, the air, timers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chappe_node::{Command, Input, MemoryStore, Node, NodeConfig, PolicyChoice, Profile, Reply};
use chappe_wire::{ByteCount, Instant, ItemId, Lifetime, LinkId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::introduction::link_up;
use super::letter;
use super::node::{Link, Member, State};
use crate::event::{ContactEvent, MessageEvent, MessageIndex, NodeIndex, SimTime};
use crate::log::{Keep, What};
use crate::outages::Outages;
use crate::outcome::{Course, Tally};
use crate::scenario::World;
use crate::slots::{Slot, Slots};
use crate::table::Table;
use crate::timers::{Happening, Happenings, Timers};
use crate::units::Rate;
use crate::upsets::{self, Upset};

/// The longest packet of a link, in bytes.
pub const MTU: usize = 1_024;
/// How many packets a node may have on their way out on a link: few, so that it decides late what goes next.
pub(super) const QUEUE: usize = 2;
/// No store comes near it: what a node carries is bounded by the scenario's buffers.
const STORE: ByteCount = ByteCount::from_mib(4_096);

/// Why whole nodes cannot run a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FullError {
    /// A node cannot get to know another.
    #[error("node {0} cannot get to know those it writes to; give it fewer people to write to")]
    Introduction(NodeIndex),
    /// A store failed.
    #[error("the store of node {0} failed; it has room for 4 GiB")]
    Store(NodeIndex),
    /// A message is larger than a file can be.
    #[error("message {0} is larger than what a device sends, 32 MiB; give it `pieces`")]
    TooLarge(u32),
}

/// One run of a world with whole nodes, whose links are taken as they come.
///
/// # Errors
/// [`FullError`].
pub fn run_world(
    world: &World,
    links: impl Iterator<Item = ContactEvent>,
    policy: PolicyChoice,
    seed: u64,
    keep: Keep,
) -> Result<Course, FullError> {
    Engine::new(world, policy, seed, keep)?.run(links)
}

pub(super) struct Engine<'a> {
    pub(super) world: &'a World,
    pub(super) nodes: Table<NodeIndex, Member>,
    pub(super) links: Slots<Link>,
    pub(super) slots: BTreeMap<LinkId, Slot>,
    link_count: u64,
    pub(super) outages: Outages,
    /// Of each envelope of a message, which.
    pub(super) items: BTreeMap<ItemId, MessageIndex>,
    /// How often each message was handed over on its way to the recipient.
    pub(super) hops: Table<MessageIndex, u32>,
    pub(super) delivered: Table<MessageIndex, bool>,
    /// Packets that others overtake: for which node, of which link.
    pub(super) late: BTreeMap<u64, (NodeIndex, LinkId, Vec<u8>)>,
    pub(super) late_count: u64,
    pub(super) timers: Timers<Timer>,
    pub(super) now: SimTime,
    /// What the nodes' clocks show when the run begins.
    pub(super) start: Instant,
    pub(super) tally: Tally,
    pub(super) failure: Option<FullError>,
    pub(super) rng: ChaCha8Rng,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// What is on the air over a link has arrived, if that is still this link.
    Landed(Slot, LinkId),
    /// A packet that was overtaken arrives.
    Late(u64),
    /// Something goes wrong.
    Upset(Upset),
    /// A node is to be woken.
    Wake(NodeIndex),
}

impl<'a> Engine<'a> {
    fn new(
        world: &'a World,
        policy: PolicyChoice,
        seed: u64,
        keep: Keep,
    ) -> Result<Self, FullError> {
        let ttl = chappe_wire::Duration::from_micros(world.ttl.as_micros());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut members = Vec::new();
        for (node, buffer) in (0..).map(NodeIndex::new).zip(&world.buffers) {
            let mut config = NodeConfig::person(Profile {
                name: format!("node {node}"),
                jid: None,
                identity: None,
            });
            config.capacity = ByteCount::new(*buffer);
            config.lifetime = Lifetime::at_least(ttl);
            config.policy = policy;
            let store = MemoryStore::new(STORE);
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            let running = Node::new(Instant::ZERO, config.clone(), store, seed)
                .map_err(|_| FullError::Store(node))?;
            members.push(Member {
                config,
                state: State::Runs(Box::new(running)),
                links: Vec::new(),
                on_air: false,
                contacts: BTreeMap::new(),
                nobody: None,
                held: BTreeMap::new(),
                unsent: Vec::new(),
                wakes: SimTime::NEVER,
                commands: 0,
            });
        }
        let mut engine = Self {
            world,
            nodes: Table::new(members),
            links: Slots::new(),
            slots: BTreeMap::new(),
            link_count: 0,
            outages: Outages::default(),
            items: BTreeMap::new(),
            hops: Table::new(vec![0; world.messages.len()]),
            delivered: Table::new(vec![false; world.messages.len()]),
            late: BTreeMap::new(),
            late_count: 0,
            timers: Timers::new(),
            now: SimTime::ZERO,
            start: Instant::ZERO,
            tally: Tally::new(keep, world.nodes),
            failure: None,
            rng,
        };
        engine.introduce_all()?;
        Ok(engine)
    }

    fn run(mut self, contacts: impl Iterator<Item = ContactEvent>) -> Result<Course, FullError> {
        for (at, upset) in upsets::first(&self.world.faults) {
            self.timers.schedule(at, Timer::Upset(upset));
        }
        for node in (0..self.world.nodes).map(NodeIndex::new) {
            self.nodes[node].wakes = SimTime::NEVER;
            self.input(node, Input::Timeout);
        }
        let world = self.world;
        let mut happenings = Happenings::new(contacts, &world.messages, world.end);
        while self.failure.is_none()
            && let Some((now, happening)) = happenings.next(&mut self.timers)
        {
            self.now = now;
            match happening {
                Happening::Due(timer) => self.handle_timer(timer),
                Happening::Contact(event) => self.handle_contact(&event),
                Happening::Written(event) => self.write(event),
            }
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.course()),
        }
    }

    fn course(mut self) -> Course {
        // What cannot be told apart from outside: every transfer that was begun and not cut was completed.
        self.tally.started = self.tally.relayed;
        self.tally.course()
    }

    fn handle_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Landed(slot, id) => {
                if self.links[slot].id == id
                    && let Some((end, packet)) = self.links[slot].flight.take()
                {
                    self.land(slot, end, packet);
                }
            }
            Timer::Late(number) => {
                if let Some((to, link, packet)) = self.late.remove(&number) {
                    let packet = packet.as_slice();
                    self.input(to, Input::Received { link, packet });
                }
            }
            Timer::Upset(Upset::Crash(node, until)) => self.crash(node, until),
            Timer::Upset(Upset::Restart(node)) => self.restart(node),
            Timer::Upset(Upset::Junk(node)) => self.write_junk(node),
            Timer::Wake(node) => {
                if self.nodes[node].wakes == self.now {
                    self.nodes[node].wakes = SimTime::NEVER;
                    self.input(node, Input::Timeout);
                }
            }
        }
    }

    fn handle_contact(&mut self, event: &ContactEvent) {
        let ContactEvent { a, b, .. } = *event;
        let known = self.nodes[a].links.iter().find(|(peer, _)| *peer == b);
        match (event.up, known.copied()) {
            (true, None) if self.outages.keep_back(event) => {}
            (true, None) => self.link_up(event),
            (false, Some((_, slot))) => self.link_down(slot),
            (false, None) => self.outages.forget(event),
            (true, Some(_)) => {}
        }
    }

    pub(super) fn link_up(&mut self, event: &ContactEvent) {
        let ContactEvent { a, b, .. } = *event;
        self.tally.contacts += 1;
        self.tally.note(self.now, What::Up { a, b });
        let id = self.next_link();
        let link = Link {
            ends: [a, b],
            id,
            rate: event.rate.unwrap_or(Rate::THE_ONE),
            queues: Default::default(),
            last: 1,
            flight: None,
        };
        let slot = self.links.fill(link);
        self.slots.insert(id, slot);
        self.nodes[a].links.push((b, slot));
        self.nodes[b].links.push((a, slot));
        self.input(a, Input::LinkUp(link_up(id, true)));
        self.input(b, Input::LinkUp(link_up(id, false)));
    }

    /// A link ends. What is on the air over it is lost.
    pub(super) fn link_down(&mut self, slot: Slot) {
        let link = &mut self.links[slot];
        let ([a, b], id) = (link.ends, link.id);
        let flight = link.flight.take();
        if self.slots.remove(&id).is_none() {
            return;
        }
        self.tally.links_down += 1;
        self.tally.note(self.now, What::Down { a, b });
        if flight.is_some() {
            self.nodes[a].on_air = false;
            self.nodes[b].on_air = false;
        }
        for (node, peer) in [(a, b), (b, a)] {
            self.nodes[node].links.retain(|(other, _)| *other != peer);
        }
        self.links.free(slot);
        for node in [a, b] {
            self.input(node, Input::LinkDown(id));
        }
    }

    fn write(&mut self, event: &MessageEvent) {
        self.tally.created += 1;
        let message = event.index;
        self.tally.note(self.now, What::Written { message });
        if self.outages.has(event.from) {
            self.nodes[event.from].unsent.push(event.index);
        } else {
            self.post(event.from, event.index);
        }
    }

    /// Somebody sends a message, if there is room for it.
    pub(super) fn post(&mut self, from: NodeIndex, message: MessageIndex) {
        let Some(event) = self.world.messages.get(message.as_usize()) else {
            return;
        };
        let Some(contact) = self.nodes[from].contacts.get(&event.to).copied() else {
            return;
        };
        let Some(draft) = letter::draft(event) else {
            self.failure = Some(FullError::TooLarge(message.get()));
            return;
        };
        if let Some(Reply::Accepted(_)) = self.ask(from, Command::Send(contact, draft, None)) {
            self.note_own(from, message);
        }
    }

    /// The envelopes that a message has just become.
    fn note_own(&mut self, node: NodeIndex, message: MessageIndex) {
        let Some(Reply::Carried(carried)) = self.ask(node, Command::Carried) else {
            return;
        };
        for envelope in carried.iter().filter(|envelope| envelope.own) {
            if let Entry::Vacant(place) = self.nodes[node].held.entry(envelope.id) {
                let copy = super::node::Copy {
                    received: self.now,
                    hops: 0,
                    size: envelope.size.get(),
                };
                place.insert(copy);
                self.items.insert(envelope.id, message);
                let what = What::Taken {
                    node,
                    message: Some(message),
                    size: copy.size,
                };
                self.tally.note(self.now, what);
            }
        }
    }

    /// Puts the next packet on the air that `node` sends or receives.
    pub(super) fn transmit(&mut self, node: NodeIndex) {
        if self.nodes[node].on_air {
            return;
        }
        for place in 0..self.nodes[node].links.len() {
            let Some((peer, slot)) = self.nodes[node].links.get(place).copied() else {
                return;
            };
            if self.nodes[peer].on_air {
                continue;
            }
            let first = 1 - self.links[slot].last;
            for end in [first, 1 - first] {
                if let Some(packet) = self.links[slot].queue(end).pop_front() {
                    self.take_off(slot, end, packet);
                    // Who was served goes to the end of the queue.
                    self.nodes[node].links.rotate_left(place + 1);
                    return;
                }
            }
        }
    }

    fn take_off(&mut self, slot: Slot, end: usize, packet: Vec<u8>) {
        let size = ByteCount::new(packet.len() as u64);
        self.tally.control_bytes += size.get();
        let link = &mut self.links[slot];
        let (time, id) = (link.rate.time_for(size), link.id);
        let (sender, receiver) = (link.node(end), link.node(1 - end));
        self.tally.on_air(sender, receiver, time, size.get());
        let lands = self.now.after(time);
        link.last = end;
        link.flight = Some((end, packet));
        for node in link.ends {
            self.nodes[node].on_air = true;
        }
        self.timers.schedule(lands, Timer::Landed(slot, id));
    }

    fn land(&mut self, slot: Slot, end: usize, packet: Vec<u8>) {
        let link = &self.links[slot];
        let (id, sender, receiver) = (link.id, link.node(end), link.node(1 - end));
        self.nodes[sender].on_air = false;
        self.nodes[receiver].on_air = false;
        for packet in self.weather(receiver, id, packet) {
            let packet = packet.as_slice();
            self.input(receiver, Input::Received { link: id, packet });
        }
        let (link, packets) = (id, 1);
        self.input(sender, Input::Drained { link, packets });
        self.transmit(receiver);
    }

    pub(super) fn next_link(&mut self) -> LinkId {
        self.link_count += 1;
        LinkId::new(self.link_count)
    }

    pub(super) fn random(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// What the nodes' clocks show now.
    pub(super) const fn instant(&self) -> Instant {
        self.start
            .after(chappe_wire::Duration::from_micros(self.now.as_micros()))
    }
}
