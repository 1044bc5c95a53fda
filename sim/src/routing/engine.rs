//! The engine: contacts, the air, timers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use chappe_gossip::policy::Policy;
use chappe_gossip::{
    Change, Config, DropReason, Handover, Ingress, LinkSetup, OutFrame, Received, Router,
    Transferred,
};
use chappe_wire::{Age, ByteCount, HEADER_LEN, Instant, Lifetime, LinkId, LinkSalt, Tag};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::node::{Copy, Flight, Link, Node};
use super::post::{Letter, message_of, message_tagged};
use crate::buffers::Buffers;
use crate::event::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, NodeIndex, SimTime, UnknownNode,
};
use crate::log::{Handed, Keep, What};
use crate::outages::Outages;
use crate::outcome::{Course, Outcome, Release, Tally};
use crate::scenario::{Faults, World};
use crate::slots::{Slot, Slots};
use crate::table::Table;
use crate::timers::{Happening, Happenings, Timers};
use crate::units::Rate;
use crate::upsets::{self, Upset};

/// What goes along with a message when it is handed over: the envelope's header and the frame's fields.
const TRANSFER_OVERHEAD: u64 = HEADER_LEN as u64 + 16;
/// What counts of a message that was cut off.
const CHUNK: u64 = 4_096;
/// A recipient lets receipts go after half of this to all of it.
const RECEIPT_DELAY: Duration = Duration::from_secs(10);

/// How a trace is replayed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The rate of contacts for which the trace tells none.
    pub rate: Rate,
    /// How much the nodes can hold.
    pub buffers: Buffers,
    /// The messages' lifetime.
    pub ttl: Duration,
    /// When the run ends; otherwise with the trace or its last message, whichever is later.
    pub end: Option<SimTime>,
}

/// Contacts and messages, ready to be replayed with any policy and seed.
#[derive(Debug)]
pub struct Network<'a> {
    contacts: &'a ContactTrace,
    ground: Ground<'a>,
}

/// What a run needs besides contacts.
#[derive(Clone, Debug)]
pub(super) struct Ground<'a> {
    pub(super) nodes: u32,
    pub(super) messages: &'a [MessageEvent],
    pub(super) settings: Settings,
    pub(super) faults: Cow<'a, Faults>,
    /// Whether recipients let receipts go.
    receipts: bool,
    pub(super) end: SimTime,
    /// Whether what came of a message counts when its contact has ended.
    resumes: bool,
    /// So many nodes whose numbers follow each other have pinned each other.
    circle: u32,
}

impl<'a> Network<'a> {
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
        let last = messages.last().map_or(SimTime::ZERO, |message| message.at);
        let end = settings.end.unwrap_or(last.max(contacts.end));
        let ground = Ground {
            nodes: contacts.nodes,
            messages,
            settings,
            faults: Cow::Owned(Faults::default()),
            receipts: true,
            end,
            resumes: true,
            circle: 1,
        };
        Ok(Self { contacts, ground })
    }

    /// The same, and this goes wrong.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.ground.faults = Cow::Owned(faults);
        self
    }

    /// The same, where so many people whose numbers follow each other have pinned each other's devices.
    #[must_use]
    pub const fn with_circles_of(mut self, people: u32) -> Self {
        self.ground.circle = if people == 0 { 1 } else { people };
        self
    }

    /// The same, where nobody lets a receipt go.
    #[must_use]
    pub const fn without_receipts(mut self) -> Self {
        self.ground.receipts = false;
        self
    }

    /// The same, where a message that was cut off begins anew, as in The ONE.
    #[must_use]
    pub const fn without_resuming(mut self) -> Self {
        self.ground.resumes = false;
        self
    }

    /// One run. `policy` makes each node's policy.
    pub fn run(&self, policy: &dyn Fn() -> Box<dyn Policy + Send>, seed: u64) -> Outcome {
        self.course(policy, seed, Keep::Figures).outcome
    }

    /// One run, and what happened in it. `policy` makes each node's policy.
    pub fn course(
        &self,
        policy: &dyn Fn() -> Box<dyn Policy + Send>,
        seed: u64,
        keep: Keep,
    ) -> Course {
        let contacts = self.contacts.events.iter().copied();
        Engine::new(&self.ground, policy, seed, keep).run(contacts)
    }
}

/// One run of a world, whose contacts are taken as they come. Of its faults all but reordering count: hops put packets
/// into order, and time that this takes is not modelled here.
pub fn run_world(
    world: &World,
    contacts: impl Iterator<Item = ContactEvent>,
    policy: &dyn Fn() -> Box<dyn Policy + Send>,
    seed: u64,
    keep: Keep,
) -> Course {
    let ground = Ground {
        nodes: world.nodes,
        messages: &world.messages,
        settings: Settings {
            rate: Rate::THE_ONE,
            buffers: Buffers::each(&world.buffers),
            ttl: world.ttl.since(SimTime::ZERO),
            end: Some(world.end),
        },
        faults: Cow::Borrowed(&world.faults),
        receipts: world.receipts,
        end: world.end,
        resumes: true,
        circle: 1,
    };
    Engine::new(&ground, policy, seed, keep).run(contacts)
}

pub(super) struct Engine<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) nodes: Table<NodeIndex, Node>,
    pub(super) links: Slots<Link>,
    pub(super) letters: Table<MessageIndex, Letter>,
    /// Sizes of what is written to nobody, after the messages.
    pub(super) junk: Vec<ByteCount>,
    pub(super) outages: Outages,
    delivered: Table<MessageIndex, bool>,
    pub(super) timers: Timers<Timer>,
    pub(super) now: SimTime,
    pub(super) tally: Tally,
    pub(super) rng: ChaCha8Rng,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// What is on the air over a link has arrived, if that is still this link.
    Landed(Slot, LinkId),
    /// Something goes wrong.
    Upset(Upset),
    /// A node lets receipts go.
    Receipts(NodeIndex),
    /// A router is to be woken.
    Wake(NodeIndex),
}

impl<'a> Engine<'a> {
    fn new(
        ground: &'a Ground<'a>,
        policy: &dyn Fn() -> Box<dyn Policy + Send>,
        seed: u64,
        keep: Keep,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ttl = chappe_wire::Duration::from_micros(
            u64::try_from(ground.settings.ttl.as_micros()).unwrap_or(u64::MAX),
        );
        let lifetime = Lifetime::at_least(ttl);
        let letters = ground.messages.iter();
        let letters = letters.map(|message| Letter::new(message.index, lifetime, &mut rng));
        let letters = Table::new(letters.collect());
        let nodes = (0..ground.nodes).map(|node| {
            let config = Config {
                capacity: ground.settings.buffers.of(NodeIndex::new(node)),
                ..Config::default()
            };
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            Node {
                router: Router::new(config, policy(), seed),
                links: Vec::new(),
                on_air: false,
                held: BTreeMap::new(),
                begun: BTreeMap::new(),
                arrived: Vec::new(),
                wakes: SimTime::NEVER,
                unsent: Vec::new(),
            }
        });
        let mut engine = Self {
            ground,
            nodes: Table::new(nodes.collect()),
            links: Slots::new(),
            letters,
            junk: Vec::new(),
            outages: Outages::default(),
            delivered: Table::new(vec![false; ground.messages.len()]),
            timers: Timers::new(),
            now: SimTime::ZERO,
            tally: Tally::new(keep, ground.nodes),
            rng,
        };
        for (at, upset) in upsets::first(&ground.faults) {
            engine.timers.schedule(at, Timer::Upset(upset));
        }
        engine
    }

    fn run(mut self, contacts: impl Iterator<Item = ContactEvent>) -> Course {
        let ground = self.ground;
        let mut happenings = Happenings::new(contacts, ground.messages, ground.end);
        while let Some((now, happening)) = happenings.next(&mut self.timers) {
            self.now = now;
            match happening {
                Happening::Due(timer) => self.handle_timer(timer),
                Happening::Contact(event) => self.handle_contact(&event),
                Happening::Written(event) => self.write(event),
            }
        }
        self.tally.course()
    }

    fn handle_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Landed(slot, id) => {
                if self.links[slot].id == id
                    && let Some(flight) = self.links[slot].flight.take()
                {
                    self.land(slot, flight);
                }
            }
            Timer::Upset(Upset::Crash(node, until)) => self.crash(node, until),
            Timer::Upset(Upset::Restart(node)) => self.restart(node),
            Timer::Upset(Upset::Junk(node)) => self.write_junk(node),
            // It waits for the restart.
            Timer::Receipts(node) if self.outages.has(node) => {}
            Timer::Receipts(node) => {
                for message in std::mem::take(&mut self.nodes[node].arrived) {
                    let letter = self.letters[message];
                    let lifetime = letter.header.lifetime;
                    let now = self.instant();
                    let router = &mut self.nodes[node].router;
                    router.add_receipt(now, letter.preimage, lifetime);
                }
                self.settle(node);
            }
            Timer::Wake(node) => {
                if self.nodes[node].wakes == self.now {
                    self.nodes[node].wakes = SimTime::NEVER;
                    let now = self.instant();
                    self.nodes[node].router.handle_timeout(now);
                    self.settle(node);
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
        let declared = event.rate.unwrap_or(self.ground.settings.rate);
        let Some(rate) = self.useful_rate(declared) else {
            return;
        };
        self.tally.contacts += 1;
        self.tally.note(self.now, What::Up { a, b });
        let id = LinkId::new(self.tally.contacts);
        let link = Link {
            ends: [a, b],
            id,
            rate,
            declared,
            idle: [false; 2],
            last: 1,
            flight: None,
        };
        let slot = self.links.fill(link);
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        let now = self.instant();
        let circle = |node: NodeIndex| node.get() / self.ground.circle;
        let pinned = circle(a) == circle(b);
        for (node, peer, opener) in [(a, b, true), (b, a, false)] {
            self.nodes[node].links.push((peer, slot));
            let setup = LinkSetup {
                opener,
                salt: LinkSalt::new(salt),
                pinned,
                ingress: Ingress::new(u64::from(peer.get())),
            };
            self.nodes[node].router.link_up(now, id, setup);
        }
        self.settle(a);
        self.settle(b);
    }

    pub(super) fn link_down(&mut self, slot: Slot) {
        self.tally.links_down += 1;
        let [a, b] = self.links[slot].ends;
        self.tally.note(self.now, What::Down { a, b });
        let id = self.links[slot].id;
        if let Some(flight) = self.links[slot].flight.take() {
            self.cut(slot, &flight);
        }
        let now = self.instant();
        for (node, peer) in [(a, b), (b, a)] {
            self.nodes[node].links.retain(|(other, _)| *other != peer);
            self.nodes[node].router.link_down(now, id);
        }
        self.links.free(slot);
        self.settle(a);
        self.settle(b);
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

    /// Puts a message into custody of who writes it.
    pub(super) fn post(&mut self, from: NodeIndex, message: MessageIndex) {
        let letter = self.letters[message];
        let size = ByteCount::new(self.size(message));
        let now = self.instant();
        let router = &mut self.nodes[from].router;
        // Where there is no room for it, a device refuses to send it.
        if router.add_own(now, letter.id, letter.header, size).is_ok() {
            let copy = Copy {
                received: self.now,
                hops: 0,
            };
            self.hold(from, message, copy);
        }
        self.settle(from);
    }

    /// Puts the next frame on the air that `node` sends or receives.
    fn transmit(&mut self, node: NodeIndex) {
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
                if self.links[slot].is_idle(end) {
                    continue;
                }
                let (from, id) = (self.links[slot].node(end), self.links[slot].id);
                let now = self.instant();
                let frame = self.nodes[from].router.poll_frame(now, id);
                self.note_changes(from);
                match frame {
                    Some(frame) => {
                        self.take_off(slot, end, frame);
                        // Who was served goes to the end of the queue.
                        self.nodes[node].links.rotate_left(place + 1);
                        return;
                    }
                    None => self.links[slot].set_idle(end, true),
                }
            }
        }
    }

    fn take_off(&mut self, slot: Slot, from: usize, frame: OutFrame) {
        let sender = self.links[slot].node(from);
        let receiver = self.links[slot].node(1 - from);
        let mut flight = Flight {
            from,
            control: 0,
            data: 0,
            hops: 0,
            started: self.now,
            frame,
        };
        match &flight.frame {
            OutFrame::Bytes(bytes) => flight.control = bytes.len() as u64,
            OutFrame::Envelope(handover) => {
                let message = message_of(&handover.id);
                let begun = self.nodes[receiver].begun.get(&message).copied();
                flight.control = TRANSFER_OVERHEAD;
                flight.data = self.size(message).saturating_sub(begun.unwrap_or(0));
                flight.hops = self.nodes[sender].held.get(&message).map_or(0, |c| c.hops);
                self.tally.started += 1;
            }
        }
        let size = ByteCount::new(flight.control + flight.data);
        let lands = self.now.after(self.links[slot].rate.time_for(size));
        self.nodes[sender].on_air = true;
        self.nodes[receiver].on_air = true;
        let link = &mut self.links[slot];
        link.last = from;
        link.flight = Some(flight);
        let id = link.id;
        self.timers.schedule(lands, Timer::Landed(slot, id));
    }

    /// The contact ended while this was on the air.
    fn cut(&mut self, slot: Slot, flight: &Flight) {
        let link = &self.links[slot];
        let receiver = link.node(1 - flight.from);
        let micros = self.now.since(flight.started).as_micros();
        let sent = micros * u128::from(link.rate.bytes_per_second()) / 1_000_000;
        let sent = u64::try_from(sent).unwrap_or(u64::MAX);
        let control = sent.min(flight.control);
        let data = (sent - control).min(flight.data);
        self.tally.control_bytes += control;
        self.tally.data_bytes += data;
        let (sender, time) = (link.node(flight.from), self.now.since(flight.started));
        self.tally.on_air(sender, receiver, time, control + data);
        for node in self.links[slot].ends {
            self.nodes[node].on_air = false;
        }
        if let OutFrame::Envelope(handover) = &flight.frame {
            self.tally.aborted += 1;
            let message = message_of(&handover.id);
            let what = What::Cut {
                from: sender,
                to: receiver,
                message: self.is_message(message).then_some(message),
            };
            self.tally.note(self.now, what);
            let come = self.size(message).saturating_sub(flight.data) + data;
            let whole = come - come % CHUNK;
            if whole > 0 && self.ground.resumes {
                self.nodes[receiver].begun.insert(message, whole);
            }
        }
    }

    fn land(&mut self, slot: Slot, flight: Flight) {
        let (sender, receiver) = {
            let link = &self.links[slot];
            (link.node(flight.from), link.node(1 - flight.from))
        };
        let id = self.links[slot].id;
        self.nodes[sender].on_air = false;
        self.nodes[receiver].on_air = false;
        self.tally.control_bytes += flight.control;
        self.tally.data_bytes += flight.data;
        let (time, bytes) = (self.now.since(flight.started), flight.control + flight.data);
        self.tally.on_air(sender, receiver, time, bytes);
        let now = self.instant();
        match flight.frame {
            OutFrame::Bytes(bytes) => {
                let received = self.nodes[receiver].router.handle_frame(now, id, &bytes);
                if let Ok(Received::TagsShown(tags)) = received {
                    let own = tags.into_iter().filter(|tag| self.is_for(tag, receiver));
                    let own: Vec<Tag> = own.collect();
                    self.nodes[receiver].router.take(id, own);
                }
            }
            OutFrame::Envelope(handover) => {
                self.tally.relayed += 1;
                let message = message_of(&handover.id);
                self.nodes[receiver].begun.remove(&message);
                let handed = Handed {
                    from: sender,
                    to: receiver,
                    message: self.is_message(message).then_some(message),
                };
                self.note_choice(&handover, &handed);
                self.tally.note(self.now, What::Handed(handed));
                let transferred = Transferred {
                    id: handover.id,
                    header: self.letters[message].header,
                    size: ByteCount::new(self.size(message)),
                    age: Age::from_wire(self.told_age(sender, handover.age).to_wire()),
                    copies: self.told_copies(sender, handover.copies),
                };
                let router = &mut self.nodes[receiver].router;
                if let Some(arrival) = router.handle_transfer(now, id, &transferred) {
                    let hops = flight.hops + 1;
                    let taken = router.accept(now, arrival).is_ok();
                    if taken {
                        let received = self.now;
                        self.hold(receiver, message, Copy { received, hops });
                    }
                    self.open(receiver, message, hops);
                    if taken {
                        self.misbehave(receiver, &handover.id);
                    }
                }
            }
        }
        self.settle(receiver);
        self.settle(sender);
    }

    fn note_choice(&mut self, handover: &Handover, handed: &Handed) {
        if let Some(message) = handed.message.filter(|_| handover.by_tag) {
            let written = self.ground.messages.get(message.as_usize());
            let age = written.map_or(Duration::ZERO, |event| self.now.since(event.at));
            let by = handed.to;
            self.tally.note(self.now, What::Chosen { message, by, age });
        }
    }

    /// The recipient reads what is for it.
    fn open(&mut self, node: NodeIndex, message: MessageIndex, hops: u32) {
        let Some(event) = self.ground.messages.get(message.as_usize()) else {
            return;
        };
        if event.to != node || self.delivered[message] {
            return;
        }
        self.delivered[message] = true;
        if self.now.since(event.at) <= self.ground.settings.ttl {
            self.tally.deliver(message, event.at, self.now, hops);
        }
        if !self.ground.receipts {
            return;
        }
        if self.nodes[node].arrived.is_empty() {
            self.schedule_receipts(node);
        }
        self.nodes[node].arrived.push(message);
    }

    pub(super) fn schedule_receipts(&mut self, node: NodeIndex) {
        let half = RECEIPT_DELAY / 2;
        let random = self.rng.next_u64() % half.as_micros() as u64;
        let at = self.now.after(half + Duration::from_micros(random));
        self.timers.schedule(at, Timer::Receipts(node));
    }

    /// Something has happened to `node`: it may have something to send to anyone.
    pub(super) fn settle(&mut self, node: NodeIndex) {
        self.note_changes(node);
        for place in 0..self.nodes[node].links.len() {
            if let Some((_, slot)) = self.nodes[node].links.get(place).copied() {
                let end = self.links[slot].end_of(node);
                self.links[slot].set_idle(end, false);
            }
        }
        let wakes = self.nodes[node].router.poll_timeout();
        if wakes < Instant::NEVER {
            let wakes = SimTime::from_micros(wakes.as_micros()).max(self.now);
            if wakes < self.nodes[node].wakes {
                self.nodes[node].wakes = wakes;
                self.timers.schedule(wakes, Timer::Wake(node));
            }
        }
        self.transmit(node);
    }

    fn note_changes(&mut self, node: NodeIndex) {
        while let Some(change) = self.nodes[node].router.poll_change() {
            let Change::ItemDropped { id, reason, .. } = change else {
                continue;
            };
            let message = message_of(&id);
            if let Some(copy) = self.nodes[node].held.remove(&message) {
                let release = Release {
                    node,
                    message: self.is_message(message).then_some(message),
                    size: self.size(message),
                    received: copy.received,
                    dropped: matches!(reason, DropReason::Expired | DropReason::Quota),
                };
                self.tally.release(self.now, release);
            }
        }
    }

    /// `node` has a copy from now on.
    fn hold(&mut self, node: NodeIndex, message: MessageIndex, copy: Copy) {
        self.nodes[node].held.insert(message, copy);
        let what = What::Taken {
            node,
            message: self.is_message(message).then_some(message),
            size: self.size(message),
        };
        self.tally.note(self.now, what);
    }

    fn is_for(&self, tag: &Tag, node: NodeIndex) -> bool {
        let message = message_tagged(tag);
        let event = self.ground.messages.get(message.as_usize());
        event.is_some_and(|event| event.to == node) && !self.delivered[message]
    }

    fn size(&self, message: MessageIndex) -> u64 {
        let messages = self.ground.messages;
        let junk = || self.junk.get(message.as_usize() - messages.len());
        match messages.get(message.as_usize()) {
            Some(event) => event.size.get(),
            None => junk().map_or(0, |size| size.get()),
        }
    }

    fn is_message(&self, message: MessageIndex) -> bool {
        message.as_usize() < self.ground.messages.len()
    }

    pub(super) const fn instant(&self) -> Instant {
        Instant::from_micros(self.now.as_micros())
    }
}
