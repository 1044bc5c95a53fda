//! What goes wrong, as far as whole nodes are modelled.

use chappe_node::{Command, Input, MAX_OPAQUE_LEN, Node};
use chappe_wire::LinkId;
use rand_core::Rng as _;

use super::engine::{Engine, FullError, Timer};
use super::node::State;
use crate::draws;
use crate::event::{ContactEvent, NodeIndex, SimTime};
use crate::scenario::Behaviour;
use crate::upsets::{self, Upset, after};

impl Engine<'_> {
    /// A node stops at once. What it had not committed is lost, and all its links end.
    pub(super) fn crash(&mut self, node: NodeIndex, until: SimTime) {
        self.timers
            .schedule(until, Timer::Upset(Upset::Restart(node)));
        self.outages.begin(node);
        let member = &mut self.nodes[node];
        let nothing = State::Stopped(chappe_node::MemoryStore::default());
        member.state = match std::mem::replace(&mut member.state, nothing) {
            State::Runs(running) => State::Stopped(running.into_store()),
            stopped @ State::Stopped(_) => stopped,
        };
        member.wakes = SimTime::NEVER;
        for (_, slot) in member.links.clone() {
            let link = &self.links[slot];
            let event = ContactEvent {
                at: self.now,
                a: link.node(0),
                b: link.node(1),
                up: true,
                rate: Some(link.rate),
            };
            self.outages.keep_back(&event);
            self.link_down(slot);
        }
    }

    /// A node starts again from its store: contacts that last become links, and what waited is written.
    pub(super) fn restart(&mut self, node: NodeIndex) {
        if !self.outages.end(node) {
            return;
        }
        let seed = self.random();
        let now = self.instant();
        let member = &mut self.nodes[node];
        let nothing = State::Stopped(chappe_node::MemoryStore::default());
        let State::Stopped(store) = std::mem::replace(&mut member.state, nothing) else {
            return;
        };
        match Node::new(now, member.config.clone(), store, seed) {
            Ok(running) => member.state = State::Runs(Box::new(running)),
            Err(_) => {
                self.failure = Some(FullError::Store(node));
                return;
            }
        }
        self.input(node, Input::Timeout);
        for event in self.outages.take_awake(node) {
            self.link_up(&event);
        }
        for message in std::mem::take(&mut self.nodes[node].unsent) {
            self.post(node, message);
        }
    }

    /// A node that floods writes to nobody, as far as its outbox takes it.
    pub(super) fn write_junk(&mut self, node: NodeIndex) {
        let Behaviour::Flood { every, size } = upsets::behaviour(&self.world.faults, node) else {
            return;
        };
        self.timers
            .schedule(after(self.now, every), Timer::Upset(Upset::Junk(node)));
        let Some(nobody) = self.nodes[node].nobody else {
            return;
        };
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        while left > 0 && !self.outages.has(node) {
            let part = left.min(MAX_OPAQUE_LEN);
            left -= part;
            let command = Command::SendOpaque(nobody, vec![0; part]);
            if self.ask(node, command).is_none() {
                return;
            }
        }
    }

    /// What becomes of a packet on the air: nothing, one, or two; some damaged, some later than others.
    pub(super) fn weather(
        &mut self,
        to: NodeIndex,
        link: LinkId,
        mut packet: Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let faults = self.world.faults.links;
        if self.happens(faults.loss) {
            return Vec::new();
        }
        if self.happens(faults.corruption) {
            let place = self.rng.next_u64() as usize % packet.len().max(1);
            if let Some(byte) = packet.get_mut(place) {
                *byte ^= 1 << (self.rng.next_u64() % 8);
            }
        }
        if self.happens(faults.reordering) {
            self.late_count += 1;
            let delay = draws::unit(&mut self.rng) * faults.reordering_within;
            let number = self.late_count;
            self.late.insert(number, (to, link, packet));
            self.timers
                .schedule(after(self.now, delay), Timer::Late(number));
            return Vec::new();
        }
        if self.happens(faults.duplication) {
            return vec![packet.clone(), packet];
        }
        vec![packet]
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && draws::unit(&mut self.rng) < probability
    }
}
