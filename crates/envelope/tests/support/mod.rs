//! Two ends of a chain, and the index that a node keeps beside a receiving end.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chappe_envelope::{
    ChainRoot, Counter, Direction, OpenError, Opened, PairSecret, ReceiveChain, Sealed, SendChain,
    TagChanges,
};
use chappe_wire::{Envelope, Lifetime, Tag};

pub(crate) fn root() -> ChainRoot {
    ChainRoot::of_pair(&PairSecret::new([7; 32]), Direction::InitiatorToResponder)
}

pub(crate) fn counter(number: u64) -> Counter {
    Counter::new(number).unwrap()
}

/// What the sender seals under a counter in these tests.
pub(crate) fn plaintext(number: u64) -> Vec<u8> {
    format!("message {number}").into_bytes()
}

/// The first `count` envelopes of a chain. Sealing is deterministic, so they are sealed only once.
pub(crate) fn envelopes(count: u64) -> Vec<Envelope> {
    static SEALED: Mutex<Vec<Envelope>> = Mutex::new(Vec::new());
    let mut sealed = SEALED.lock().unwrap();
    if (sealed.len() as u64) < count {
        let mut chain = SendChain::new(root());
        let seal = |number| chain.seal(Lifetime::WEEK, &plaintext(number)).unwrap().0;
        *sealed = (0..count).map(seal).collect();
    }
    sealed[..count as usize].to_vec()
}

pub(crate) fn one(plaintext: &[u8]) -> (Envelope, Sealed) {
    SendChain::new(root())
        .seal(Lifetime::WEEK, plaintext)
        .unwrap()
}

/// A receiving node: a chain, its index of tags, a store of envelopes that nobody recognised yet.
pub(crate) struct Receiver {
    pub(crate) chain: ReceiveChain,
    pub(crate) index: BTreeMap<Tag, Counter>,
    pub(crate) opened: BTreeMap<u64, Vec<u8>>,
    store: BTreeMap<Tag, Envelope>,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        let chain = ReceiveChain::new(root());
        Self {
            index: chain.expected().collect(),
            chain,
            opened: BTreeMap::new(),
            store: BTreeMap::new(),
        }
    }

    /// Takes an envelope as a node does: opens what is expected, then rescans the store for added tags.
    pub(crate) fn deliver(&mut self, envelope: &Envelope) {
        self.store.insert(envelope.header().tag, envelope.clone());
        let mut look_for = vec![envelope.header().tag];
        while let Some(tag) = look_for.pop() {
            let Some(counter) = self.index.get(&tag).copied() else {
                continue;
            };
            let Some(envelope) = self.store.get(&tag).cloned() else {
                continue;
            };
            let opened = self
                .open(counter, &envelope)
                .expect("an honest envelope opens");
            let again = self.opened.insert(counter.get(), opened.plaintext.to_vec());
            assert_eq!(again, None, "{counter:?} was opened twice");
            look_for.extend(opened.changed.added.iter().map(|(tag, _)| *tag));
        }
    }

    /// Opens one envelope and keeps the index.
    pub(crate) fn open(
        &mut self,
        counter: Counter,
        envelope: &Envelope,
    ) -> Result<Opened, OpenError> {
        let opened = self.chain.open(counter, envelope)?;
        self.follow(&opened.changed);
        Ok(opened)
    }

    /// Writes the chain to bytes and goes on with what is read from them.
    pub(crate) fn restart(&mut self) {
        let bytes = self.chain.to_bytes();
        self.chain = ReceiveChain::from_bytes(&bytes).unwrap();
        assert_eq!(self.chain.to_bytes(), bytes);
        self.assert_index();
    }

    /// The index, kept by changes alone, is what the chain expects.
    pub(crate) fn assert_index(&self) {
        let expected: Vec<_> = self.chain.expected().collect();
        let set: BTreeMap<_, _> = expected.iter().copied().collect();
        assert_eq!(set.len(), expected.len(), "no tag is listed twice");
        assert_eq!(self.index, set);
    }

    pub(crate) fn expected_counters(&self) -> BTreeSet<u64> {
        self.chain
            .expected()
            .map(|(_, counter)| counter.get())
            .collect()
    }

    fn follow(&mut self, changes: &TagChanges) {
        for (tag, counter) in &changes.removed {
            assert_eq!(
                self.index.remove(tag),
                Some(*counter),
                "removed what was there"
            );
        }
        for (tag, counter) in &changes.added {
            assert_eq!(
                self.index.insert(*tag, *counter),
                None,
                "added what was not there"
            );
        }
    }
}
