//! What a node sends next: the mail of its neighbours, its own mail, then what its policy chooses.

use chappe_gossip::Class;
use chappe_gossip::policy::{Candidate, Clear, Custody, Neighbour, Policy, Priority, Sharing};
use chappe_wire::{Age, ByteCount, Commitment, Duration, Header, Lifetime, Tag};
use rand_core::Rng as _;

use super::engine::{Engine, endpoint};
use super::node::Held;
use crate::event::{MessageIndex, NodeIndex};
use crate::slots::Slot;

/// There is nothing sealed here.
const HEADER: Header = Header {
    version: 0,
    lifetime: Lifetime::MONTH,
    tag: Tag::new([0; 16]),
    commitment: Commitment::new([0; 16]),
};

impl<P: Policy> Engine<'_, P> {
    /// Sends a neighbour what is for it. In The ONE's order, which is random over all links.
    pub(super) fn deliver(&mut self, node: NodeIndex) -> bool {
        let this = &self.nodes[node];
        let mut found = Vec::new();
        for (peer, link) in &this.links {
            if self.nodes[*peer].is_busy() {
                continue;
            }
            let addressed = self.addressed[*peer].iter();
            let held = addressed.filter(|message| this.holds(**message));
            let news = held.filter(|message| !self.nodes[*peer].done.contains(message.get()));
            found.extend(news.map(|message| (*peer, *link, *message)));
        }
        while !found.is_empty() {
            let (peer, link, message) = found.swap_remove(self.random_below(found.len()));
            if self.start(node, peer, link, message) {
                return true;
            }
        }
        false
    }

    /// Asks the neighbours for what is for this node.
    pub(super) fn ask(&mut self, node: NodeIndex) -> bool {
        for place in 0..self.nodes[node].links.len() {
            let Some((peer, link)) = self.nodes[node].links.get(place).copied() else {
                break;
            };
            if self.nodes[peer].is_busy() {
                continue;
            }
            let addressed = self.addressed[node].iter().copied();
            let theirs = addressed.filter(|message| self.nodes[peer].holds(*message));
            let mut news: Vec<_> = theirs
                .filter(|message| !self.nodes[node].done.contains(message.get()))
                .collect();
            while !news.is_empty() {
                let message = news.swap_remove(self.random_below(news.len()));
                if self.start(peer, node, link, message) {
                    return true;
                }
            }
        }
        false
    }

    /// Sends what the policy chooses.
    pub(super) fn choose(&mut self, node: NodeIndex) -> bool {
        if self.habits.ranks {
            self.choose_ranked(node)
        } else {
            self.choose_any(node)
        }
    }

    /// Link by link, in the order in which they came up; any message.
    fn choose_any(&mut self, node: NodeIndex) -> bool {
        for place in 0..self.nodes[node].links.len() {
            let Some((peer, link)) = self.nodes[node].links.get(place).copied() else {
                break;
            };
            if self.nodes[peer].is_busy() || !self.find_candidates(node, peer, link) {
                continue;
            }
            let mut left = self.scratch.len();
            while left > 0 {
                let rank = self.random_below(left as usize) as u32;
                let Some(number) = self.scratch.nth(rank) else {
                    break;
                };
                if self.start(node, peer, link, MessageIndex::new(number)) {
                    return true;
                }
                self.scratch.remove(number);
                left -= 1;
            }
        }
        false
    }

    /// The best message over all links together.
    fn choose_ranked(&mut self, node: NodeIndex) -> bool {
        let mut found: Vec<(Priority, u32, NodeIndex, Slot, MessageIndex)> = Vec::new();
        for place in 0..self.nodes[node].links.len() {
            let Some((peer, link)) = self.nodes[node].links.get(place).copied() else {
                break;
            };
            if self.nodes[peer].is_busy() || !self.find_candidates(node, peer, link) {
                continue;
            }
            self.survey(node, peer);
            let scratch = std::mem::take(&mut self.scratch);
            for message in scratch.iter().map(MessageIndex::new) {
                let Some(copy) = self.nodes[node].find(message) else {
                    continue;
                };
                if !self.habits.returns && self.has_been(copy.path, peer) {
                    continue;
                }
                let neighbour = self.neighbour(peer);
                let priority = self.policies[node].priority(&self.candidate(copy), &neighbour);
                let tie = self.rng.next_u32();
                found.push((priority, tie, peer, link, message));
            }
            self.scratch = scratch;
        }
        while let Some((place, best)) = found
            .iter()
            .copied()
            .enumerate()
            .min_by_key(|(_, (priority, tie, ..))| (*priority, *tie))
        {
            let (_, _, peer, link, message) = best;
            if self.start(node, peer, link, message) {
                return true;
            }
            found.swap_remove(place);
        }
        false
    }

    /// Puts into `scratch` what `node` may send to `peer`: false if there is nothing.
    fn find_candidates(&mut self, node: NodeIndex, peer: NodeIndex, link: Slot) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (this, other) = (&self.nodes[node], &self.nodes[peer]);
        let of = if self.habits.tells_neighbours_apart {
            &this.have
        } else {
            &this.spread
        };
        let live = self.first_live.get();
        let written = self.tally.created as u32;
        scratch.assign_difference(of, [&other.have, &other.done], live, written);
        if let Some(handed) = this.handed.get(&peer) {
            scratch.subtract(handed);
        }
        if self.habits.tells_neighbours_apart && !scratch.is_empty() {
            let end = self.end_of(link, node);
            let versions = [this.version, other.version];
            let mut view = self.links[link]
                .views
                .get_mut(end)
                .map(std::mem::take)
                .unwrap_or_default();
            if view.versions != versions || !view.asked.has_room() {
                view.versions = versions;
                view.asked.reset(self.messages.len());
                view.pushed.reset(self.messages.len());
            }
            let mut news = scratch.clone();
            news.subtract(&view.asked);
            for message in news.iter() {
                let Some(copy) = self.nodes[node].find(MessageIndex::new(message)) else {
                    continue;
                };
                let neighbour = self.neighbour(peer);
                let sharing = self.policies[node].sharing(&self.candidate(copy), &neighbour);
                view.asked.insert(message);
                if sharing == Sharing::Push {
                    view.pushed.insert(message);
                }
            }
            scratch.intersect(&view.pushed);
            if let Some(place) = self.links[link].views.get_mut(end) {
                *place = view;
            }
        }
        let any = !scratch.is_empty();
        self.scratch = scratch;
        any
    }

    /// What is mutable about a copy has changed: the policy is asked anew.
    pub(super) fn reconsider(&mut self, node: NodeIndex, message: MessageIndex) {
        if self.habits.tells_neighbours_apart {
            for place in 0..self.nodes[node].links.len() {
                if let Some((_, link)) = self.nodes[node].links.get(place).copied() {
                    let end = self.end_of(link, node);
                    if let Some(view) = self.links[link].views.get_mut(end) {
                        view.asked.remove(message.get());
                        view.pushed.remove(message.get());
                    }
                }
            }
            return;
        }
        let Some(copy) = self.nodes[node].find(message) else {
            return;
        };
        let neighbour = Neighbour::sealed(false);
        let sharing = self.policies[node].sharing(&self.candidate(copy), &neighbour);
        if sharing == Sharing::Push {
            self.nodes[node].spread.insert(message.get());
        } else {
            self.nodes[node].spread.remove(message.get());
        }
    }

    /// Where the policy evicts: what it would rather lose, of what is not being sent.
    pub(super) fn last_ranked(&mut self, node: NodeIndex) -> Option<MessageIndex> {
        self.survey(node, node);
        let this = &self.nodes[node];
        let mut last = None;
        for copy in this.held() {
            if !this.is_sending(copy.message) {
                let keeping = self.policies[node].keeping(&self.candidate(copy));
                let rank = (keeping, self.rng.next_u32());
                if last.is_none_or(|(worst, _)| worst < rank) {
                    last = Some((rank, copy.message));
                }
            }
        }
        last.map(|(_, message)| message)
    }

    /// Lets the policy look at what is held before it orders it.
    fn survey(&mut self, node: NodeIndex, towards: NodeIndex) {
        if !self.habits.ranks_custody {
            return;
        }
        let this = &self.nodes[node];
        let items: Vec<_> = this
            .held()
            .iter()
            .map(|copy| self.candidate(copy))
            .collect();
        let custody = Custody {
            capacity: ByteCount::new(this.capacity),
            items: &items,
        };
        self.policies[node].survey(endpoint(node), endpoint(towards), &custody);
    }

    fn candidate(&self, copy: &Held) -> Candidate<'static> {
        let age = self.now.since(self.written(copy.message)).as_micros() as u64;
        Candidate {
            header: &HEADER,
            size: ByteCount::new(copy.size),
            age: Age::from_duration(Duration::from_micros(age)),
            class: if copy.hops == 0 {
                Class::Own
            } else {
                Class::Stranger
            },
            copies: copy.copies,
            carriers: 0,
            clear: Some(Clear {
                destination: endpoint(self.destination(copy.message)),
                hops: copy.hops,
            }),
        }
    }

    fn neighbour(&self, peer: NodeIndex) -> Neighbour<'_> {
        Neighbour {
            pinned: false,
            clear: Some((endpoint(peer), &self.policies[peer])),
        }
    }

    /// Below `bound`, which is not 0 and small, so that the bias of the remainder is too.
    fn random_below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }
}
