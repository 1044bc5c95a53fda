//! The receiving end of a chain.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chappe_wire::{Envelope, Header, Preimage, Tag};
use zeroize::Zeroizing;

use crate::counter::{EPOCH_LEN, Slot, Slots};
use crate::keys::{EpochKey, MessageKeys};
use crate::seal::{decrypt, prove, unpad, unseal};
use crate::{ChainRoot, Counter, OpenError, ReceiptSecret};

/// How many counters after the highest seen are expected without a gap.
pub const WINDOW: u64 = EPOCH_LEN;
/// For how many epochs of 64 counters ahead the first counter of each is expected too.
///
/// Envelopes that are lost in a row make no chain deaf as long as there are at most
/// `64 * (COARSE_AHEAD - 1) + 1` = 8,129 of them and one of the next coarse ones arrives.
pub const COARSE_AHEAD: u64 = 128;
/// How many missing envelopes stay expected. Beyond it the oldest are given up, and counted.
pub const MAX_HOLES: usize = 8192;
/// Over how many past epochs missing envelopes may be spread. Beyond it the oldest are given up, and counted.
pub const MAX_HOLE_EPOCHS: usize = 256;

/// The receiving end of a chain: knows the tags to look for, and opens each envelope once, in any order.
///
/// Expected are, after the highest counter seen: the next [`WINDOW`] counters, and the first counter of each of
/// the [`COARSE_AHEAD`] epochs ahead; and before it: every counter not seen yet, bounded by [`MAX_HOLES`] and
/// [`MAX_HOLE_EPOCHS`]. When an envelope opens far ahead, all that lie between become expected; they may be
/// in the store already, so look for [`TagChanges::added`] there.
///
/// An idle chain with nothing missing takes 80 bytes of memory and 59 in the store. Missing envelopes cost 48
/// bytes in the store for each epoch that has some, 12,347 at most altogether. Tags are computed when asked
/// for; a node keeps them in an index of its own, 24 bytes each. The key of an epoch is dropped once all its
/// counters are seen or given up: from then on nothing on this device opens those envelopes again.
///
/// An example is with [`SendChain`](crate::SendChain).
#[derive(Clone)]
pub struct ReceiveChain {
    /// One more than the highest counter seen.
    pub(crate) next: u64,
    /// Of the epoch of `next`.
    pub(crate) key: EpochKey,
    /// Missing counters before `next` in its epoch.
    pub(crate) holes: Slots,
    /// Earlier epochs with missing counters.
    pub(crate) past: BTreeMap<u64, PastEpoch>,
    pub(crate) given_up: u64,
}

/// An epoch that later ones have overtaken, with counters missing.
#[derive(Clone)]
pub(crate) struct PastEpoch {
    pub(crate) key: EpochKey,
    pub(crate) holes: Slots,
}

/// What an envelope contained, and what its arrival changed. Its plaintext is wiped when dropped.
#[non_exhaustive]
pub struct Opened {
    /// The content, as it was sealed.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The receipt: it opens the envelope's commitment.
    pub preimage: Preimage,
    /// How the set of expected tags changed.
    pub changed: TagChanges,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

/// What somebody who has seen an invite claims: its content has to show who that is.
pub struct Claim {
    plaintext: Zeroizing<Vec<u8>>,
    padded: Zeroizing<Vec<u8>>,
    header: Header,
    counter: Counter,
    keys: MessageKeys,
}

impl Claim {
    /// The content, as it was sealed. Nothing in it is authenticated.
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// The place of the envelope in the chain.
    pub const fn counter(&self) -> Counter {
        self.counter
    }

    /// The receipt, if the envelope was sealed by the other side of the session that its content belongs to.
    ///
    /// # Errors
    /// [`OpenError`] if somebody else has sealed that content anew.
    pub fn receipt(self, secret: &ReceiptSecret) -> Result<Preimage, OpenError> {
        prove(
            &self.keys.with_receipt_of(secret),
            &self.header,
            &self.padded,
        )
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

/// The difference between the sets of expected tags before and after an envelope, in the order of counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TagChanges {
    /// Expected from now on. Envelopes with these tags may have come already.
    pub added: Vec<(Tag, Counter)>,
    /// No longer expected: the envelope that was opened, and those given up.
    pub removed: Vec<(Tag, Counter)>,
}

impl ReceiveChain {
    /// A chain that has seen nothing yet.
    pub fn new(root: ChainRoot) -> Self {
        Self::starting_at(root, Counter::FIRST)
    }

    /// A chain whose envelopes before `next` are not for this receiver. It costs one hash for 64 of them.
    pub fn starting_at(root: ChainRoot, next: Counter) -> Self {
        let key = (0..next.epoch()).fold(root.0, |key, _| key.next());
        Self {
            next: next.get(),
            key,
            holes: Slots::NONE,
            past: BTreeMap::new(),
            given_up: 0,
        }
    }

    /// All tags that are looked for, in the order of counters: 191 or 192 with nothing missing. They are computed
    /// along the way.
    pub fn expected(&self) -> impl Iterator<Item = (Tag, Counter)> {
        let past = self
            .past
            .iter()
            .map(|(epoch, past)| (*epoch, past.key.clone()));
        let ahead = walk(self.epoch(), self.key.clone()).take(COARSE_AHEAD as usize + 1);
        past.chain(ahead)
            .flat_map(|(epoch, key)| tags(epoch, &key, self.slots(epoch)))
    }

    /// Opens the envelope that came with the tag of `counter`.
    ///
    /// # Errors
    /// [`OpenError`] for every reason alike; the chain has not changed.
    pub fn open(&mut self, counter: Counter, envelope: &Envelope) -> Result<Opened, OpenError> {
        let key = self.expected_key(counter)?;
        let unsealed = unseal(&key.slots().keys(&counter.slot().to_bytes()), envelope)?;

        let changed = self.see(counter, &key);
        Ok(Opened {
            plaintext: unsealed.plaintext,
            preimage: unsealed.preimage,
            changed,
        })
    }

    /// Breaks the seal of an envelope that came with the tag of `counter` to whoever made an invite, or from a sender in
    /// a room, without believing it: everybody who has seen the invite, or is in the room, can seal. The chain does not
    /// move before [`ReceiveChain::mark_seen`].
    ///
    /// # Errors
    /// [`OpenError`] for every reason alike.
    pub fn unseal(&self, counter: Counter, envelope: &Envelope) -> Result<Claim, OpenError> {
        let key = self.expected_key(counter)?;
        let keys = key.slots().keys(&counter.slot().to_bytes());
        let padded = decrypt(&keys, envelope)?;
        Ok(Claim {
            plaintext: unpad(padded.clone())?,
            header: *envelope.header(),
            counter,
            keys,
            padded,
        })
    }

    /// Moves on after the content of an envelope was authenticated.
    ///
    /// # Errors
    /// [`OpenError`] if its counter is not expected any more; nothing has changed.
    pub fn mark_seen(&mut self, counter: Counter) -> Result<TagChanges, OpenError> {
        let key = self.expected_key(counter)?;
        Ok(self.see(counter, &key))
    }

    fn expected_key(&self, counter: Counter) -> Result<EpochKey, OpenError> {
        if !self.slots(counter.epoch()).has(counter.slot()) || counter.get() >= Counter::LIMIT {
            return Err(OpenError);
        }
        self.epoch_key(counter.epoch()).ok_or(OpenError)
    }

    /// How many envelopes are missing: later ones have come, these are still expected.
    pub fn holes(&self) -> usize {
        let past = self.past.values().map(|past| past.holes.count());
        past.fold(self.holes.count(), usize::saturating_add)
    }

    /// How many missing envelopes were given up since the chain began.
    pub const fn given_up(&self) -> u64 {
        self.given_up
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.next / EPOCH_LEN
    }

    pub(crate) const fn offset(&self) -> Slot {
        Slot::of(self.next)
    }

    /// The slots of `epoch` that are expected.
    fn slots(&self, epoch: u64) -> Slots {
        let Some(ahead) = epoch.checked_sub(self.epoch()) else {
            return self.past.get(&epoch).map_or(Slots::NONE, |past| past.holes);
        };
        match ahead {
            0 => self.holes.and(Slots::from(self.offset())),
            1 => Slots::COARSE.and(Slots::before(self.offset())),
            2..=COARSE_AHEAD => Slots::COARSE,
            _ => Slots::NONE,
        }
    }

    /// The key of an epoch that has expected slots.
    fn epoch_key(&self, epoch: u64) -> Option<EpochKey> {
        if let Some(past) = self.past.get(&epoch) {
            return Some(past.key.clone());
        }
        let ahead = epoch
            .checked_sub(self.epoch())
            .filter(|ahead| *ahead <= COARSE_AHEAD)?;
        Some((0..ahead).fold(self.key.clone(), |key, _| key.next()))
    }

    /// Marks `counter`, which is expected, as seen. `key` is the key of its epoch.
    fn see(&mut self, counter: Counter, key: &EpochKey) -> TagChanges {
        let mut changes = TagChanges::default();
        if counter.get() < self.next {
            self.fill(counter);
            changes
                .removed
                .extend(tags(counter.epoch(), key, Slots::only(counter.slot())));
        } else {
            let before = Self {
                key: self.key.clone(),
                past: BTreeMap::new(),
                ..*self
            };
            self.advance_past(counter);
            self.give_up_excess(before.epoch(), &mut changes.removed);
            self.compare_ahead(&before, &mut changes);
        }
        changes
    }

    /// Closes a hole.
    fn fill(&mut self, counter: Counter) {
        let slot = Slots::only(counter.slot());
        if counter.epoch() == self.epoch() {
            self.holes = self.holes.without(slot);
        } else if let Some(past) = self.past.get_mut(&counter.epoch()) {
            past.holes = past.holes.without(slot);
            if past.holes.is_empty() {
                self.past.remove(&counter.epoch());
            }
        }
    }

    /// Makes `counter` the highest seen, and holes of what was skipped.
    fn advance_past(&mut self, counter: Counter) {
        while self.epoch() < counter.epoch() {
            self.holes = self.slots(self.epoch());
            self.end_epoch();
        }
        let skipped = Slots::before(counter.slot()).without(Slots::before(self.offset()));
        self.holes = self.holes.and(skipped);
        if counter.slot() == Slot::LAST {
            self.end_epoch();
        } else {
            self.next = counter.get() + 1;
        }
    }

    /// Goes to the start of the next epoch. The key of this one stays only if something is missing.
    fn end_epoch(&mut self) {
        let epoch = self.epoch();
        let next = self.key.next();
        let key = core::mem::replace(&mut self.key, next);
        let holes = core::mem::take(&mut self.holes);
        if !holes.is_empty() {
            self.past.insert(epoch, PastEpoch { key, holes });
        }
        self.next = Counter::at(epoch + 1, Slot::FIRST).get();
    }

    /// Keeps the bounds. What is given up in epochs before `present` is added to `removed`.
    fn give_up_excess(&mut self, present: u64, removed: &mut Vec<(Tag, Counter)>) {
        let mut excess = self.holes().saturating_sub(MAX_HOLES);
        loop {
            let crowded = self.past.len() > MAX_HOLE_EPOCHS;
            if !crowded && excess == 0 {
                return;
            }
            let Some(mut oldest) = self.past.first_entry() else {
                return;
            };
            let epoch = *oldest.key();
            let past = oldest.get_mut();
            let few = if crowded { past.holes.count() } else { excess };
            let lost = past
                .holes
                .iter()
                .take(few)
                .map(Slots::only)
                .fold(Slots::NONE, Slots::and);
            if epoch < present {
                removed.extend(tags(epoch, &past.key, lost));
            }
            past.holes = past.holes.without(lost);
            if past.holes.is_empty() {
                oldest.remove();
            }
            excess = excess.saturating_sub(lost.count());
            self.given_up = self.given_up.saturating_add(lost.count() as u64);
        }
    }

    /// Adds how this state differs from an earlier one, from the earlier one's epoch on. Keys are computed
    /// only as far as something differs.
    fn compare_ahead(&self, before: &Self, changes: &mut TagChanges) {
        let (mut epoch, mut key) = (before.epoch(), before.key.clone());
        for compared in before.epoch()..=self.epoch() + COARSE_AHEAD {
            let (old, new) = (before.slots(compared), self.slots(compared));
            if old == new {
                continue;
            }
            while epoch < compared {
                key = key.next();
                epoch += 1;
            }
            changes.added.extend(tags(epoch, &key, new.without(old)));
            changes.removed.extend(tags(epoch, &key, old.without(new)));
        }
    }
}

/// The tags of some slots of one epoch.
fn tags(epoch: u64, key: &EpochKey, slots: Slots) -> impl Iterator<Item = (Tag, Counter)> + use<> {
    let keys = key.slots();
    slots
        .iter()
        .map(move |slot| (keys.tag(&slot.to_bytes()), Counter::at(epoch, slot)))
}

/// The epochs from this one on, with their keys.
fn walk(epoch: u64, key: EpochKey) -> impl Iterator<Item = (u64, EpochKey)> {
    core::iter::successors(Some((epoch, key)), |(epoch, key)| {
        Some((epoch + 1, key.next()))
    })
}
