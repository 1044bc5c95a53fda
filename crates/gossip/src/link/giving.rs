//! One neighbour, and what it may have of what is here.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_wire::{Digest, Fingerprint, ItemId, LinkSalt, Outline, ShortId};

use crate::Copies;
use crate::link::MAX_WANTS;
use crate::policy::Priority;

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
    Wanted(Wanted),
    /// Sent with these copies, and not yet answered.
    Sent(Copies),
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

#[derive(Clone, Copy, Debug)]
struct Held {
    id: ItemId,
    fingerprint: Fingerprint,
    kind: Kind,
    state: State,
}

/// An item whose turn it is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) short: ShortId,
    pub(crate) id: ItemId,
    pub(crate) kind: Kind,
    /// The neighbour asked by tag, so it may be the recipient.
    pub(crate) by_tag: bool,
}

/// All items here, as they stand with one neighbour.
#[derive(Debug, Default)]
pub(crate) struct Giving {
    index: BTreeMap<ShortId, Held>,
    offers: BTreeSet<ShortId>,
    queue: BTreeSet<(Wanted, ShortId)>,
    /// Wants that cannot be met, to be cancelled.
    withdrawn: BTreeSet<ShortId>,
}

impl Giving {
    /// Everything that is here when the link comes up.
    pub(crate) fn new(items: impl Iterator<Item = (Fingerprint, ItemId, Kind, bool)>) -> Self {
        let held = |(fingerprint, id, kind, pushed)| {
            let state = if pushed {
                State::Unsaid
            } else {
                State::Withheld
            };
            Held {
                id,
                fingerprint,
                kind,
                state,
            }
        };
        let items: Vec<Held> = items.map(held).collect();
        // What is large is moved once: the map takes over what comes in its order.
        let mut order: Vec<(ShortId, usize)> = items
            .iter()
            .enumerate()
            .map(|(place, held)| (held.fingerprint.short(), place))
            .collect();
        order.sort_unstable();
        let entry = |(short, place): (ShortId, usize)| Some((short, *items.get(place)?));
        Self {
            index: order.into_iter().filter_map(entry).collect(),
            ..Self::default()
        }
    }

    /// What is reconciled: the digest and the short ids in ascending order.
    pub(crate) fn snapshot(&self) -> (Digest, Vec<ShortId>) {
        let mut digest = Digest::default();
        let mut shorts = Vec::with_capacity(self.index.len());
        for (short, held) in &self.index {
            if held.state != State::Withheld {
                digest.add(held.fingerprint);
                shorts.push(*short);
            }
        }
        (digest, shorts)
    }

    /// The outline of what is reconciled, under the neighbour's salt.
    pub(crate) fn outline(&self, salt: &LinkSalt) -> Outline {
        let mut outline = Outline::default();
        let shared = self.index.values();
        for held in shared.filter(|held| held.state != State::Withheld) {
            outline.insert(salt, &held.id);
        }
        outline
    }

    /// An item is here now. `offer`: the neighbour does not have it and is to hear of it.
    pub(crate) fn add(
        &mut self,
        fingerprint: Fingerprint,
        id: ItemId,
        kind: Kind,
        standing: Standing,
    ) {
        let short = fingerprint.short();
        let state = match standing {
            Standing::TheyHaveIt => State::Settled,
            Standing::Withheld => State::Withheld,
            Standing::Unsaid => State::Unsaid,
            Standing::ToOffer => {
                self.offers.insert(short);
                State::Unsaid
            }
        };
        let held = Held {
            id,
            fingerprint,
            kind,
            state,
        };
        self.index.insert(short, held);
    }

    /// An item is not here any more.
    pub(crate) fn remove(&mut self, short: &ShortId) {
        self.offers.remove(short);
        if let Some(held) = self.index.remove(short)
            && let State::Wanted(wanted) = held.state
        {
            self.queue.remove(&(wanted, *short));
            self.withdrawn.insert(*short);
        }
    }

    /// The policy does not give an item away any more. True if the neighbour might still want to hear of its tag.
    pub(crate) fn withhold(&mut self, short: &ShortId) -> bool {
        let Some(held) = self.index.get_mut(short) else {
            return false;
        };
        match held.state {
            State::Unsaid | State::Offered | State::Refused => {}
            State::Wanted(wanted) if wanted.source == Source::ById => {
                self.queue.remove(&(wanted, *short));
                self.withdrawn.insert(*short);
            }
            _ => return false,
        }
        held.state = State::Withheld;
        self.offers.remove(short);
        true
    }

    /// The neighbour has this item: false if it is not here.
    pub(crate) fn they_have(&mut self, short: &ShortId) -> bool {
        let Some(held) = self.index.get_mut(short) else {
            return false;
        };
        match held.state {
            State::Unsaid | State::Offered | State::Refused => held.state = State::Settled,
            State::Wanted(wanted) => {
                self.queue.remove(&(wanted, *short));
                held.state = State::Settled;
            }
            State::Withheld | State::Sent(_) | State::Settled => {}
        }
        self.offers.remove(short);
        true
    }

    /// The neighbour lacks these, by reconciliation.
    pub(crate) fn they_lack(&mut self, shorts: impl IntoIterator<Item = ShortId>) {
        for short in shorts {
            if let Some(held) = self.index.get_mut(&short)
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

    /// The neighbour wants an item. `priority` is `None` where the policy does not give it away. False if the
    /// neighbour has no reason to ask.
    pub(crate) fn want(
        &mut self,
        short: ShortId,
        priority: impl FnOnce(&ItemId, Kind) -> Option<Priority>,
    ) -> bool {
        let Some(held) = self.index.get_mut(&short) else {
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
        let kind = held.kind;
        let Some(priority) = priority(&held.id, kind) else {
            return self.withdraw(short);
        };
        let wanted = Wanted {
            kind,
            source: Source::ById,
            priority,
        };
        held.state = State::Wanted(wanted);
        self.queue.insert((wanted, short))
    }

    /// The neighbour wants an item whose tag it was shown. False if it has had it.
    pub(crate) fn want_by_tag(&mut self, short: ShortId, priority: Priority) -> bool {
        let full = self.queue.len() >= MAX_WANTS;
        let Some(held) = self.index.get_mut(&short) else {
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
        held.state = State::Wanted(wanted);
        self.queue.insert((wanted, short))
    }

    /// The neighbour does not want an item any more: false if it did not.
    pub(crate) fn unwant(&mut self, short: &ShortId) -> bool {
        if let Some(held) = self.index.get_mut(short)
            && let State::Wanted(wanted) = held.state
        {
            self.queue.remove(&(wanted, *short));
            held.state = if wanted.source == Source::ByTag {
                State::Withheld
            } else {
                State::Offered
            };
            return true;
        }
        false
    }

    /// The neighbour took custody of an item that was sent to it.
    pub(crate) fn accepted(&mut self, short: &ShortId) -> Option<ItemId> {
        self.answered(short, State::Settled).map(|(id, _)| id)
    }

    /// The neighbour did not take an item that was sent to it, for it has it or has no room. Gives the copies
    /// back that went along.
    pub(crate) fn refused(&mut self, short: &ShortId, has_it: bool) -> Option<(ItemId, Copies)> {
        let state = if has_it {
            State::Settled
        } else {
            State::Refused
        };
        self.answered(short, state)
    }

    fn answered(&mut self, short: &ShortId, state: State) -> Option<(ItemId, Copies)> {
        let held = self.index.get_mut(short)?;
        let State::Sent(copies) = held.state else {
            return None;
        };
        held.state = state;
        Some((held.id, copies))
    }

    /// Items that were sent and never answered, with the copies that went along.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = (ItemId, Copies)> {
        self.index.values().filter_map(|held| match held.state {
            State::Sent(copies) => Some((held.id, copies)),
            _ => None,
        })
    }

    pub(crate) fn next_offers(&mut self, limit: usize) -> Vec<ShortId> {
        let mut offered = Vec::new();
        while offered.len() < limit
            && let Some(short) = self.offers.pop_first()
        {
            if let Some(held) = self.index.get_mut(&short)
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

    /// The items that the neighbour waits for, in the order of their turns.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &ItemId> {
        let held = |(_, short): &(Wanted, ShortId)| self.index.get(short).map(|held| &held.id);
        self.queue.iter().filter_map(held)
    }

    /// Looks at the item whose turn it is.
    pub(crate) fn next(&self) -> Option<Next> {
        let &(wanted, short) = self.queue.first()?;
        let held = self.index.get(&short)?;
        Some(Next {
            short,
            id: held.id,
            kind: held.kind,
            by_tag: wanted.source == Source::ByTag,
        })
    }

    /// The item whose turn it was is sent with these copies. Receipts are not answered.
    pub(crate) fn sent(&mut self, short: &ShortId, copies: Copies) {
        if let Some(held) = self.index.get_mut(short)
            && let State::Wanted(wanted) = held.state
        {
            self.queue.remove(&(wanted, *short));
            held.state = match held.kind {
                Kind::Receipt => State::Settled,
                Kind::Envelope => State::Sent(copies),
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
