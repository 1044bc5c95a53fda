//! From nodes in range to links that carry: discovery, set-up, and how many links a device holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::preset::Preset;
use crate::draws::{Draws, Purpose};
use crate::event::{ContactEvent, NodeIndex, SimTime};
use crate::units::Rate;

/// The links of a world, in order of time: an `up` when a link can carry, a `down` when the nodes leave each other.
///
/// Two nodes in range take the radio's time to find each other and to connect; a contact that is over before never comes
/// to a link. A device that holds all its links makes the next one wait until a link ends: whoever waits longest is first.
pub struct Links<I: Iterator<Item = ContactEvent>> {
    contacts: std::iter::Peekable<I>,
    kinds: Vec<Kind>,
    /// Of each node, which kind its radio is.
    kind_of: Vec<u8>,
    seed: u64,
    begun: u32,
    pairs: BTreeMap<Pair, State>,
    /// Who will have found each other when.
    pending: BTreeSet<(SimTime, Pair)>,
    /// Whom each node could connect to if there were room, longest wait first.
    waiting: BTreeMap<Pair, u64>,
    /// The same, by node and by how long they wait.
    queues: BTreeSet<(NodeIndex, u64, Pair)>,
    waits: u64,
    links: Vec<u16>,
    roles: Vec<Role>,
    ready: VecDeque<ContactEvent>,
    end: SimTime,
}

type Pair = (NodeIndex, NodeIndex);

/// A kind of radio, as far as links go.
struct Kind {
    preset: Preset,
    rate: Rate,
    limit: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting(SimTime),
    Linked,
    Waiting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Client,
    None,
    Owner,
}

impl<I: Iterator<Item = ContactEvent>> Links<I> {
    /// Over these contacts, until the end. `kind_of` has for each node the place of its radio in `presets`.
    pub fn new(
        contacts: I,
        presets: Vec<Preset>,
        kind_of: Vec<u8>,
        seed: u64,
        end: SimTime,
    ) -> Self {
        let kinds = presets.into_iter().map(|preset| Kind {
            rate: preset.mean_rate(),
            limit: preset.links.as_ref().map_or(u16::MAX, |links| {
                u16::try_from(links.value).unwrap_or(u16::MAX)
            }),
            preset,
        });
        Self {
            contacts: contacts.peekable(),
            kinds: kinds.collect(),
            links: vec![0; kind_of.len()],
            roles: vec![Role::None; kind_of.len()],
            kind_of,
            seed,
            begun: 0,
            pairs: BTreeMap::new(),
            pending: BTreeSet::new(),
            waiting: BTreeMap::new(),
            queues: BTreeSet::new(),
            waits: 0,
            ready: VecDeque::new(),
            end,
        }
    }

    fn kind(&self, node: NodeIndex) -> Option<&Kind> {
        let kind = self.kind_of.get(node.as_usize())?;
        self.kinds.get(usize::from(*kind))
    }

    /// Two nodes come into range.
    fn meet(&mut self, event: ContactEvent) {
        let pair = (event.a, event.b);
        let Some(kind) = self.kind(pair.0) else {
            return;
        };
        let mut draws = Draws::new(self.seed, Purpose::Radio, pair.0, self.begun);
        let delay = kind.preset.delay(&mut draws);
        self.begun = self.begun.wrapping_add(1);
        if delay.is_zero() {
            self.connect(event.at, pair);
        } else {
            let found = event.at.after(delay);
            self.pairs.insert(pair, State::Connecting(found));
            self.pending.insert((found, pair));
        }
    }

    /// Two nodes have found each other: they link if both have room, else they wait.
    fn connect(&mut self, at: SimTime, pair: Pair) {
        if !self.has_room(pair) {
            self.pairs.insert(pair, State::Waiting);
            self.waiting.insert(pair, self.waits);
            for node in [pair.0, pair.1] {
                self.queues.insert((node, self.waits, pair));
            }
            self.waits += 1;
            return;
        }
        self.take_roles(pair);
        self.count(pair, |links| links.saturating_add(1));
        self.pairs.insert(pair, State::Linked);
        self.tell(at, pair, true);
    }

    /// Two nodes leave each other.
    fn part(&mut self, event: ContactEvent) {
        let pair = (event.a, event.b);
        match self.pairs.remove(&pair) {
            Some(State::Connecting(found)) => {
                self.pending.remove(&(found, pair));
            }
            Some(State::Waiting) => self.wait_no_more(pair),
            Some(State::Linked) => {
                self.count(pair, |links| links.saturating_sub(1));
                self.leave_roles(pair);
                self.tell(event.at, pair, false);
                self.admit(event.at, pair);
            }
            None => {}
        }
    }

    /// Lets those in who waited for either of these nodes.
    fn admit(&mut self, at: SimTime, (a, b): Pair) {
        let nobody = NodeIndex::new(0);
        let queue = |node| (node, 0, (nobody, nobody))..=(node, u64::MAX, (nobody, nobody));
        let both = self
            .queues
            .range(queue(a))
            .chain(self.queues.range(queue(b)));
        let mut candidates: Vec<(u64, Pair)> =
            both.map(|(_, since, pair)| (*since, *pair)).collect();
        candidates.sort_unstable();
        for (_, pair) in candidates {
            if self.has_room(pair) {
                self.wait_no_more(pair);
                self.connect(at, pair);
            }
        }
    }

    fn wait_no_more(&mut self, pair: Pair) {
        if let Some(since) = self.waiting.remove(&pair) {
            for node in [pair.0, pair.1] {
                self.queues.remove(&(node, since, pair));
            }
        }
    }

    fn has_room(&self, (a, b): Pair) -> bool {
        let Some(kind) = self.kind(a) else {
            return false;
        };
        let room = |node: NodeIndex| {
            let links = self.links.get(node.as_usize());
            links.is_some_and(|links| *links < kind.limit)
        };
        if !kind.preset.star.value {
            return room(a) && room(b);
        }
        match (self.role(a), self.role(b)) {
            (Role::None, Role::None) => true,
            (Role::Owner, Role::None) => room(a),
            (Role::None, Role::Owner) => room(b),
            _ => false,
        }
    }

    fn role(&self, node: NodeIndex) -> Role {
        self.roles
            .get(node.as_usize())
            .copied()
            .unwrap_or(Role::None)
    }

    fn is_star(&self, node: NodeIndex) -> bool {
        self.kind(node).is_some_and(|kind| kind.preset.star.value)
    }

    fn take_roles(&mut self, (a, b): Pair) {
        if !self.is_star(a) {
            return;
        }
        let (owner, client) = if self.role(b) == Role::Owner {
            (b, a)
        } else {
            (a, b)
        };
        self.set_role(owner, Role::Owner);
        self.set_role(client, Role::Client);
    }

    fn leave_roles(&mut self, (a, b): Pair) {
        for node in [a, b] {
            if self.links.get(node.as_usize()) == Some(&0) {
                self.set_role(node, Role::None);
            }
        }
    }

    fn set_role(&mut self, node: NodeIndex, role: Role) {
        if let Some(slot) = self.roles.get_mut(node.as_usize()) {
            *slot = role;
        }
    }

    fn count(&mut self, (a, b): Pair, change: fn(u16) -> u16) {
        for node in [a, b] {
            if let Some(links) = self.links.get_mut(node.as_usize()) {
                *links = change(*links);
            }
        }
    }

    fn tell(&mut self, at: SimTime, (a, b): Pair, up: bool) {
        let rate = self.kind(a).map(|kind| kind.rate);
        self.ready.push_back(ContactEvent { at, a, b, up, rate });
    }
}

impl<I: Iterator<Item = ContactEvent>> Iterator for Links<I> {
    type Item = ContactEvent;

    fn next(&mut self) -> Option<ContactEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // What was found before the next contact comes first.
            let contact_at = self.contacts.peek().map_or(self.end, |event| event.at);
            match self.pending.first().copied() {
                Some((found, pair)) if found < contact_at => {
                    self.pending.remove(&(found, pair));
                    self.connect(found, pair);
                }
                _ => match self.contacts.next()? {
                    event if event.up => self.meet(event),
                    event => self.part(event),
                },
            }
        }
    }
}
