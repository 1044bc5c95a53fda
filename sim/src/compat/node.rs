//! A node: what it holds, whom it is linked with, what it is doing.

use std::collections::{BTreeMap, VecDeque};

use chappe_gossip::Copies;

use crate::bits::Bits;
use crate::event::{MessageIndex, NodeIndex, SimTime};
use crate::slots::Slot;
use crate::table::Key;
use crate::units::Rate;

/// A place among all steps that copies have taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PathIndex(pub(super) u32);

impl Key for PathIndex {
    fn place(self) -> usize {
        self.0 as usize
    }
}

/// A copy of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) message: MessageIndex,
    pub(super) size: u64,
    pub(super) copies: Copies,
    pub(super) hops: u32,
    pub(super) path: PathIndex,
    pub(super) received: SimTime,
}

/// A transfer, as its sender knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    pub(super) to: NodeIndex,
    pub(super) link: Slot,
    pub(super) rate: Rate,
    pub(super) copy: Held,
    pub(super) started: SimTime,
    pub(super) done: SimTime,
    /// False once the contact is over.
    pub(super) linked: bool,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) capacity: u64,
    used: u64,
    /// In order of messages.
    held: Vec<Held>,
    /// In order of arrival. Copies that are gone are taken off late.
    arrivals: VecDeque<(MessageIndex, SimTime)>,
    /// What it holds.
    pub(super) have: Bits,
    /// What it gives to everyone, where that does not depend on the neighbour.
    pub(super) spread: Bits,
    /// What was delivered here.
    pub(super) done: Bits,
    /// What is known to be delivered; kept where the policy acknowledges.
    pub(super) acknowledged: Bits,
    /// What it has handed to whom; kept where the policy repeats nothing.
    pub(super) handed: BTreeMap<NodeIndex, Bits>,
    /// In the order in which they came up.
    pub(super) links: Vec<(NodeIndex, Slot)>,
    pub(super) sending: Option<Sending>,
    pub(super) receiving: bool,
    pub(super) purge_due: bool,
    /// Waits for its update.
    pub(super) queued: bool,
    /// Grows when what the policy knows has changed.
    pub(super) version: u64,
}

impl Sending {
    /// How many bytes have gone so far.
    pub(super) fn sent(&self, now: SimTime) -> u64 {
        let micros = now.since(self.started).as_micros();
        let bytes = micros * u128::from(self.rate.bytes_per_second()) / 1_000_000;
        u64::try_from(bytes).map_or(self.copy.size, |bytes| bytes.min(self.copy.size))
    }
}

impl Node {
    pub(super) fn new(capacity: u64, messages: usize) -> Self {
        Self {
            capacity,
            used: 0,
            held: Vec::new(),
            arrivals: VecDeque::new(),
            have: Bits::new(messages),
            spread: Bits::new(messages),
            done: Bits::new(messages),
            acknowledged: Bits::default(),
            handed: BTreeMap::new(),
            links: Vec::new(),
            sending: None,
            receiving: false,
            purge_due: false,
            queued: false,
            version: 0,
        }
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.sending.is_some() || self.receiving
    }

    /// Busy, and an update would find nothing to be done about it.
    pub(super) fn is_at_work(&self, now: SimTime) -> bool {
        match &self.sending {
            Some(sending) => sending.linked && now < sending.done,
            None => self.receiving,
        }
    }

    pub(super) fn is_sending(&self, message: MessageIndex) -> bool {
        let sending = self.sending.as_ref();
        sending.is_some_and(|sending| sending.copy.message == message)
    }

    pub(super) fn holds(&self, message: MessageIndex) -> bool {
        self.have.contains(message.get())
    }

    pub(super) fn held(&self) -> &[Held] {
        &self.held
    }

    pub(super) fn find(&self, message: MessageIndex) -> Option<&Held> {
        let place = self.place(message).ok()?;
        self.held.get(place)
    }

    pub(super) fn find_mut(&mut self, message: MessageIndex) -> Option<&mut Held> {
        let place = self.place(message).ok()?;
        self.held.get_mut(place)
    }

    pub(super) const fn room(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    pub(super) const fn is_over_full(&self) -> bool {
        self.used > self.capacity
    }

    pub(super) fn store(&mut self, copy: Held) {
        let Err(place) = self.place(copy.message) else {
            return;
        };
        self.held.insert(place, copy);
        self.used += copy.size;
        self.have.insert(copy.message.get());
        if self.arrivals.len() > 2 * self.held.len() + 64 {
            let mut arrivals = std::mem::take(&mut self.arrivals);
            arrivals.retain(|arrival| self.is_current(arrival));
            self.arrivals = arrivals;
        }
        self.arrivals.push_back((copy.message, copy.received));
    }

    pub(super) fn remove(&mut self, message: MessageIndex) -> Option<Held> {
        let place = self.place(message).ok()?;
        let copy = self.held.remove(place);
        self.used -= copy.size;
        self.have.remove(message.get());
        self.spread.remove(message.get());
        Some(copy)
    }

    /// What came first of all that it is not sending.
    pub(super) fn oldest(&mut self) -> Option<MessageIndex> {
        while self
            .arrivals
            .front()
            .is_some_and(|arrival| !self.is_current(arrival))
        {
            self.arrivals.pop_front();
        }
        let mut current = self.arrivals.iter().filter(|a| self.is_current(a));
        let found = current.find(|(message, _)| !self.is_sending(*message));
        found.map(|(message, _)| *message)
    }

    /// What it holds of the messages before `first`.
    pub(super) fn held_before(&self, first: MessageIndex) -> Option<MessageIndex> {
        let message = self.held.first()?.message;
        (message < first).then_some(message)
    }

    fn is_current(&self, (message, received): &(MessageIndex, SimTime)) -> bool {
        let copy = self.find(*message);
        copy.is_some_and(|copy| copy.received == *received)
    }

    fn place(&self, message: MessageIndex) -> Result<usize, usize> {
        self.held
            .binary_search_by_key(&message, |copy| copy.message)
    }
}
