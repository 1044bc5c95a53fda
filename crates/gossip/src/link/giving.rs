//! One neighbour, and what it may have of what is here.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_wire::{Digest, Fingerprint, ShortId};

use crate::Copies;
use crate::link::MAX_WANTS;
use crate::policy::Priority;
use crate::slots::Slot;
use crate::tiered::Tiered;

/// What sort of item it is. Receipts go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Receipt,
    Envelope,
}

/// How far an item has come on its way to the neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The policy keeps it back.
    Withheld,
    /// Not mentioned, or known to the neighbour by reconciliation.
    Unsaid,
    Offered,
    /// See [`Giving::wanted`].
    Wanted,
    /// Sent, and not yet answered: see [`Giving::awaiting`].
    Sent,
    /// The neighbour has it, or had it.
    Settled,
    /// The neighbour had no room for it.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    kind: Kind,
    source: Source,
    priority: Priority,
}

/// How the neighbour came to ask. What it has chosen by its tag may be for the person there and goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    ByTag,
    ById,
}

/// An item here, in 16 bytes: there is one for each item and link.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// What its fingerprint has besides its short id.
    rest: u64,
    /// Among the items or the receipts, by its kind.
    slot: Slot,
    kind: Kind,
    state: State,
}

/// An item whose turn it is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) short: ShortId,
    pub(crate) slot: Slot,
    pub(crate) kind: Kind,
    /// The neighbour asked by tag, so it may be the recipient.
    pub(crate) by_tag: bool,
}

/// All items here, as they stand with one neighbour.
#[derive(Debug, Default)]
pub(crate) struct Giving {
    index: Tiered<ShortId, Held>,
    offers: BTreeSet<ShortId>,
    queue: BTreeSet<(Wanted, ShortId)>,
    /// What the neighbour waits for, as it stands in the queue.
    wanted: BTreeMap<ShortId, Wanted>,
    /// What was sent and is not yet answered, with the copies that went along.
    awaiting: BTreeMap<ShortId, Copies>,
    /// Wants that cannot be met, to be cancelled.
    withdrawn: BTreeSet<ShortId>,
}

impl Giving {
    /// Everything that is here when the link comes up.
    pub(crate) fn new(items: impl Iterator<Item = (Fingerprint, Slot, Kind, bool)>) -> Self {
        let held = |(fingerprint, slot, kind, pushed): (Fingerprint, Slot, Kind, bool)| {
            let state = if pushed {
                State::Unsaid
            } else {
                State::Withheld
            };
            let (short, rest) = fingerprint.split();
            let held = Held {
                rest,
                slot,
                kind,
                state,
            };
            (short, held)
        };
        Self {
            index: items.map(held).collect(),
            ..Self::default()
        }
    }

    /// What is reconciled: the digest and the short ids in ascending order.
    pub(crate) fn snapshot(&self) -> (Digest, Vec<ShortId>) {
        let mut digest = Digest::default();
        let mut shorts = Vec::with_capacity(self.index.len());
        for (short, held) in self.index.iter() {
            if held.state != State::Withheld {
                digest.add(Fingerprint::join(*short, held.rest));
                shorts.push(*short);
            }
        }
        (digest, shorts)
    }

    /// What is reconciled.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (Kind, Slot)> {
        let held = self.index.iter().map(|(_, held)| held);
        let shared = held.filter(|held| held.state != State::Withheld);
        shared.map(|held| (held.kind, held.slot))
    }

    /// An item is here now. `offer`: the neighbour does not have it and is to hear of it.
    pub(crate) fn add(
        &mut self,
        fingerprint: Fingerprint,
        slot: Slot,
        kind: Kind,
        standing: Standing,
    ) {
        let (short, rest) = fingerprint.split();
        let state = match standing {
            Standing::TheyHaveIt => State::Settled,
            Standing::Withheld => State::Withheld,
            Standing::Unsaid | Standing::ToOffer => State::Unsaid,
        };
        let held = Held {
            rest,
            slot,
            kind,
            state,
        };
        // Who knows the salt may have searched for two that are alike on this link.
        self.forget(&short);
        self.index.insert(short, held);
        if standing == Standing::ToOffer {
            self.offers.insert(short);
        }
    }

    /// An item is not here any more.
    pub(crate) fn remove(&mut self, short: &ShortId) {
        if self.index.remove(short).is_some() {
            self.forget(short);
        }
    }

    /// Lets go what stands beside the index about an item.
    fn forget(&mut self, short: &ShortId) {
        self.offers.remove(short);
        self.awaiting.remove(short);
        if self.unqueue(short).is_some() {
            self.withdrawn.insert(*short);
        }
    }

    /// The neighbour does not wait for an item any more. Gives how it stood in the queue.
    fn unqueue(&mut self, short: &ShortId) -> Option<Wanted> {
        let wanted = self.wanted.remove(short)?;
        self.queue.remove(&(wanted, *short));
        Some(wanted)
    }

    /// The policy does not give an item away any more. True if the neighbour might still want to hear of its tag.
    pub(crate) fn withhold(&mut self, short: &ShortId) -> bool {
        let Some(held) = self.index.value_mut(short) else {
            return false;
        };
        let by_id = |wanted: &Wanted| wanted.source == Source::ById;
        match held.state {
            State::Unsaid | State::Offered | State::Refused => held.state = State::Withheld,
            State::Wanted if self.wanted.get(short).is_some_and(by_id) => {
                held.state = State::Withheld;
                self.unqueue(short);
                self.withdrawn.insert(*short);
            }
            _ => return false,
        }
        self.offers.remove(short);
        true
    }

    /// The neighbour has this item: false if it is not here.
    pub(crate) fn they_have(&mut self, short: &ShortId) -> bool {
        let Some(held) = self.index.value_mut(short) else {
            return false;
        };
        match held.state {
            State::Unsaid | State::Offered | State::Refused => held.state = State::Settled,
            State::Wanted => {
                held.state = State::Settled;
                self.unqueue(short);
            }
            State::Withheld | State::Sent | State::Settled => {}
        }
        self.offers.remove(short);
        true
    }

    /// The neighbour lacks these, by reconciliation.
    pub(crate) fn they_lack(&mut self, shorts: impl IntoIterator<Item = ShortId>) {
        for short in shorts {
            if let Some(held) = self.index.value_mut(&short)
                && matches!(held.state, State::Unsaid | State::Offered | State::Refused)
            {
                held.state = State::Unsaid;
                self.offers.insert(short);
            }
        }
    }

    /// The neighbour has nothing.
    pub(crate) fn they_lack_all(&mut self) {
        let unsaid = |held: &Held| held.state == State::Unsaid;
        let unsaid = self.index.iter().filter(|(_, held)| unsaid(held));
        self.offers = unsaid.map(|(short, _)| *short).collect();
    }

    /// The neighbour may ask anew for what it had no room for.
    pub(crate) fn forgive_refusals(&mut self) {
        for held in self.index.values_mut() {
            if held.state == State::Refused {
                held.state = State::Unsaid;
            }
        }
    }

    /// True if this item is here.
    pub(crate) fn holds(&self, short: &ShortId) -> bool {
        self.index.get(short).is_some()
    }

    /// How many items are here.
    pub(crate) fn len(&self) -> u64 {
        self.index.len() as u64
    }

    /// The envelope with this short id.
    pub(crate) fn envelope(&self, short: &ShortId) -> Option<Slot> {
        let held = self.index.get(short)?;
        (held.kind == Kind::Envelope).then_some(held.slot)
    }

    /// The neighbour wants an item. False if it has no reason to ask.
    pub(crate) fn want(&mut self, short: ShortId, priority: Priority) -> bool {
        let Some(held) = self.index.value_mut(&short) else {
            return self.withdraw(short);
        };
        match held.state {
            State::Unsaid | State::Offered => {}
            State::Withheld => return self.withdraw(short),
            _ => return false,
        }
        if self.queue.len() >= MAX_WANTS {
            return false;
        }
        self.offers.remove(&short);
        let wanted = Wanted {
            kind: held.kind,
            source: Source::ById,
            priority,
        };
        held.state = State::Wanted;
        self.queue_up(short, wanted)
    }

    /// The neighbour wants an item whose tag it was shown. False if it has had it.
    pub(crate) fn want_by_tag(&mut self, short: ShortId, priority: Priority) -> bool {
        let full = self.queue.len() >= MAX_WANTS;
        let Some(held) = self.index.value_mut(&short) else {
            return false;
        };
        if full || held.state != State::Withheld {
            return false;
        }
        let wanted = Wanted {
            kind: held.kind,
            source: Source::ByTag,
            priority,
        };
        held.state = State::Wanted;
        self.queue_up(short, wanted)
    }

    fn queue_up(&mut self, short: ShortId, wanted: Wanted) -> bool {
        self.wanted.insert(short, wanted);
        self.queue.insert((wanted, short))
    }

    /// The neighbour does not want an item any more: false if it did not.
    pub(crate) fn unwant(&mut self, short: &ShortId) -> bool {
        let Some(wanted) = self.unqueue(short) else {
            return false;
        };
        if let Some(held) = self.index.value_mut(short) {
            held.state = if wanted.source == Source::ByTag {
                State::Withheld
            } else {
                State::Offered
            };
        }
        true
    }

    /// The neighbour took custody of an item that was sent to it.
    pub(crate) fn accepted(&mut self, short: &ShortId) -> Option<Slot> {
        self.answered(short, State::Settled).map(|(slot, _)| slot)
    }

    /// The neighbour did not take an item that was sent to it, for it has it or has no room. Gives the copies
    /// back that went along.
    pub(crate) fn refused(&mut self, short: &ShortId, has_it: bool) -> Option<(Slot, Copies)> {
        let state = if has_it {
            State::Settled
        } else {
            State::Refused
        };
        self.answered(short, state)
    }

    fn answered(&mut self, short: &ShortId, state: State) -> Option<(Slot, Copies)> {
        let copies = self.awaiting.remove(short)?;
        let held = self.index.value_mut(short)?;
        held.state = state;
        Some((held.slot, copies))
    }

    /// Items that were sent and never answered, with the copies that went along.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = (Slot, Copies)> {
        let sent = self.awaiting.iter();
        sent.filter_map(|(short, copies)| Some((self.index.get(short)?.slot, *copies)))
    }

    pub(crate) fn next_offers(&mut self, limit: usize) -> Vec<ShortId> {
        let mut offered = Vec::new();
        while offered.len() < limit
            && let Some(short) = self.offers.pop_first()
        {
            if let Some(held) = self.index.value_mut(&short)
                && held.state == State::Unsaid
            {
                held.state = State::Offered;
                offered.push(short);
            }
        }
        offered
    }

    pub(crate) fn next_withdrawn(&mut self, limit: usize) -> Vec<ShortId> {
        pop(&mut self.withdrawn, limit)
    }

    /// The envelopes that the neighbour waits for, in the order of their turns.
    pub(crate) fn queued(&self) -> impl Iterator<Item = Slot> {
        self.queue
            .iter()
            .filter_map(|(_, short)| self.envelope(short))
    }

    /// Looks at the item whose turn it is.
    pub(crate) fn next(&self) -> Option<Next> {
        let &(wanted, short) = self.queue.first()?;
        let held = self.index.get(&short)?;
        Some(Next {
            short,
            slot: held.slot,
            kind: held.kind,
            by_tag: wanted.source == Source::ByTag,
        })
    }

    /// The item whose turn it was is sent with these copies. Receipts are not answered.
    pub(crate) fn sent(&mut self, short: &ShortId, copies: Copies) {
        if self.unqueue(short).is_some()
            && let Some(held) = self.index.value_mut(short)
        {
            held.state = match held.kind {
                Kind::Receipt => State::Settled,
                Kind::Envelope => {
                    self.awaiting.insert(*short, copies);
                    State::Sent
                }
            };
        }
    }

    /// The neighbour is told that it will not get this. At most [`MAX_WANTS`] at a time.
    fn withdraw(&mut self, short: ShortId) -> bool {
        self.withdrawn.len() < MAX_WANTS && self.withdrawn.insert(short)
    }
}

/// How a new item stands with a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    TheyHaveIt,
    Withheld,
    /// The reconciliation will tell.
    Unsaid,
    ToOffer,
}

/// Takes the first entries out.
pub(crate) fn pop<T: Ord>(set: &mut BTreeSet<T>, limit: usize) -> Vec<T> {
    let mut popped = Vec::new();
    while popped.len() < limit
        && let Some(entry) = set.pop_first()
    {
        popped.push(entry);
    }
    popped
}

#[cfg(test)]
mod tests {
    use chappe_wire::{ItemId, LinkSalt};

    use super::*;
    use crate::slots::Slots;

    /// Two items with one short id: who knows the salt can find them. The neighbour gets neither twice.
    #[test]
    fn of_two_that_are_alike_on_a_link_the_later_one_counts() {
        let mut slots = Slots::new();
        let [first, second] = [(); 2].map(|()| slots.insert(()));
        let fingerprint = LinkSalt::new([1; 16]).fingerprint(&ItemId::new([2; 32]));
        let short = fingerprint.short();
        let copies = Copies::new(3);

        let mut giving = Giving::default();
        giving.add(fingerprint, first, Kind::Envelope, Standing::ToOffer);
        assert!(giving.want(short, Priority::new(0)));
        giving.add(fingerprint, second, Kind::Envelope, Standing::Unsaid);
        assert!(giving.next().is_none());
        assert_eq!(giving.next_withdrawn(8), [short]);

        assert!(giving.want(short, Priority::new(0)));
        assert_eq!(giving.next().map(|next| next.slot), Some(second));
        giving.sent(&short, copies);
        assert!(giving.next().is_none());
        giving.add(fingerprint, first, Kind::Envelope, Standing::Unsaid);
        assert_eq!(giving.unanswered().count(), 0);
        assert_eq!(giving.refused(&short, false), None);
        giving.remove(&short);
        assert!(!giving.holds(&short));
    }
}
