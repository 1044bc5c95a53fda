//! What goes wrong, as far as routers see it.

use chappe_gossip::Copies;
use chappe_wire::{Age, ByteCount, ItemId, Lifetime, Preimage};
use rand_core::Rng as _;

use super::engine::{Engine, Timer};
use super::post::{Letter, message_of};
use crate::draws;
use crate::event::{ContactEvent, MessageIndex, NodeIndex, SimTime};
use crate::scenario::Behaviour;
use crate::units::Rate;
use crate::upsets::{self, Upset, after};

impl Engine<'_> {
    /// A node stops: all its links end, and none begins until it starts again.
    pub(super) fn crash(&mut self, node: NodeIndex, until: SimTime) {
        self.outages.begin(node);
        self.timers
            .schedule(until, Timer::Upset(Upset::Restart(node)));
        for (_, slot) in self.nodes[node].links.clone() {
            let link = &self.links[slot];
            let event = ContactEvent {
                at: self.now,
                a: link.node(0),
                b: link.node(1),
                up: true,
                rate: Some(link.declared),
            };
            self.outages.keep_back(&event);
            self.link_down(slot);
        }
    }

    /// A node starts again: contacts that last become links, and what waited is written.
    pub(super) fn restart(&mut self, node: NodeIndex) {
        if !self.outages.end(node) {
            return;
        }
        for event in self.outages.take_awake(node) {
            self.link_up(&event);
        }
        for message in std::mem::take(&mut self.nodes[node].unsent) {
            self.post(node, message);
        }
        if !self.nodes[node].arrived.is_empty() {
            self.schedule_receipts(node);
        }
    }

    /// What is left of a rate where packets have to be sent again; `None` where nothing comes through.
    pub(super) fn useful_rate(&self, rate: Rate) -> Option<Rate> {
        let links = &self.ground.faults.links;
        let useful = (1.0 - links.loss) * (1.0 - links.corruption) / (1.0 + links.duplication);
        Rate::from_bytes_per_second((rate.bytes_per_second() as f64 * useful) as u64)
    }

    /// The age that a node tells of what it hands over.
    pub(super) fn told_age(&self, node: NodeIndex, age: Age) -> Age {
        match self.behaviour(node) {
            Behaviour::LieAboutAge(by) => {
                let lie = chappe_wire::Duration::from_micros((by.abs() * 1e6) as u64);
                let age = age.as_duration();
                Age::from_duration(if by < 0.0 {
                    age.saturating_add(lie)
                } else {
                    age.saturating_sub(lie)
                })
            }
            _ => age,
        }
    }

    /// The copies that a node says go along with what it hands over: who floods names the most that there are.
    pub(super) fn told_copies(&self, node: NodeIndex, copies: Copies) -> Copies {
        match self.behaviour(node) {
            Behaviour::Flood { .. } => Copies::new(u32::MAX),
            _ => copies,
        }
    }

    /// What a node does with what it has just taken, if it means harm.
    pub(super) fn misbehave(&mut self, node: NodeIndex, id: &ItemId) {
        let loses = match self.behaviour(node) {
            Behaviour::DropAll => true,
            Behaviour::DropSome(part) => draws::unit(&mut self.rng) < part,
            Behaviour::ForgeReceipts => {
                let mut preimage = [0; Preimage::LEN];
                self.rng.fill_bytes(&mut preimage);
                let lifetime = self.letters[message_of(id)].header.lifetime;
                let now = self.instant();
                let router = &mut self.nodes[node].router;
                router.add_receipt(now, Preimage::new(preimage), lifetime);
                false
            }
            _ => false,
        };
        if loses {
            let now = self.instant();
            self.nodes[node].router.discard(now, id);
        }
    }

    /// A node that floods writes to nobody.
    pub(super) fn write_junk(&mut self, node: NodeIndex) {
        let Behaviour::Flood { every, size } = self.behaviour(node) else {
            return;
        };
        self.timers
            .schedule(after(self.now, every), Timer::Upset(Upset::Junk(node)));
        if self.outages.has(node) {
            return;
        }
        let index = MessageIndex::new(self.letters.len() as u32);
        let ttl = self.ground.settings.ttl.as_micros() as u64;
        let lifetime = Lifetime::at_least(chappe_wire::Duration::from_micros(ttl));
        let letter = Letter::new(index, lifetime, &mut self.rng);
        self.letters.push(letter);
        self.junk.push(ByteCount::new(size));
        self.post(node, index);
    }

    fn behaviour(&self, node: NodeIndex) -> Behaviour {
        upsets::behaviour(&self.ground.faults, node)
    }
}
