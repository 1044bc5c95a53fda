//! The envelopes in custody: what they are, when they expire, and who loses some when the room runs out.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::hash::Hasher as _;

use chappe_wire::{ByteCount, Commitment, Instant, ItemId};
use siphasher::sip::SipHasher24;

use crate::deadlines::Deadlines;
use crate::quota::{NoRoom, Usage, Usages};
use crate::{Class, Copies, Ingress, StoredItem};

/// All items, with the orders in which they are looked at.
#[derive(Debug)]
pub(crate) struct Custody {
    limit: Usage,
    lottery: Lottery,
    items: BTreeMap<ItemId, Entry>,
    by_commitment: BTreeSet<(Commitment, ItemId)>,
    expiries: Deadlines<ItemId>,
    usages: Usages,
    pinned: Holdings,
    strangers: Holdings,
}

#[derive(Debug)]
struct Entry {
    item: StoredItem,
    /// Whether the router's outline holds it.
    outlined: bool,
}

impl Custody {
    pub(crate) fn new(capacity: ByteCount, max_items: usize, seed: &[u8; 32]) -> Self {
        Self {
            limit: Usage {
                bytes: capacity.get(),
                items: max_items as u64,
            },
            lottery: Lottery::new(seed),
            items: BTreeMap::new(),
            by_commitment: BTreeSet::new(),
            expiries: Deadlines::new(),
            usages: Usages::default(),
            pinned: Holdings::default(),
            strangers: Holdings::default(),
        }
    }

    pub(crate) fn find(&self, id: &ItemId) -> Option<&StoredItem> {
        self.items.get(id).map(|entry| &entry.item)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &StoredItem> {
        self.items.values().map(|entry| &entry.item)
    }

    /// The items that a receipt for `commitment` frees.
    pub(crate) fn committed_to(&self, commitment: Commitment) -> Vec<ItemId> {
        let first = (commitment, ItemId::new([0; 32]));
        let last = (commitment, ItemId::new([0xff; 32]));
        let range = self.by_commitment.range(first..=last);
        range.map(|(_, id)| *id).collect()
    }

    /// Who has to go so that an item of `size` fits in. Changes nothing.
    ///
    /// Of the class that has to yield, the ingress with the most bytes loses first; within it chance decides,
    /// the newcomer included. So a flood evicts its own, and what is left of it is a fair sample.
    ///
    /// # Errors
    /// [`NoRoom`] if the newcomer is the one to go.
    pub(crate) fn plan(
        &self,
        id: &ItemId,
        class: Class,
        ingress: Ingress,
        size: ByteCount,
    ) -> Result<Vec<ItemId>, NoRoom> {
        let newcomer = Usage {
            bytes: size.get(),
            items: 1,
        };
        let mut after = self.usages;
        *after.of_mut(class) = after.of_mut(class).plus(newcomer);
        let mut victims = Vec::new();
        let ticket = self.lottery.ticket(id);
        while let Some(loser) = after.who_yields(self.limit)? {
            let holdings = self.holdings(loser).ok_or(NoRoom)?;
            let newcomer = (loser == class).then_some((ingress, size.get(), ticket));
            let taken = holdings.losers(newcomer, &victims)?;
            for victim in taken {
                let usage = self.find(&victim).map(usage_of).ok_or(NoRoom)?;
                *after.of_mut(loser) = after.of_mut(loser).minus(usage);
                victims.push(victim);
                if after.who_yields(self.limit)? != Some(loser) {
                    break;
                }
            }
        }
        Ok(victims)
    }

    /// Whether so much more that is written here fits in: all may have to go for it but the strangers' half.
    pub(crate) const fn has_room_for_own(&self, items: usize, bytes: ByteCount) -> bool {
        let (half, strangers) = (self.limit.half(), self.usages.stranger);
        let stays = Usage {
            bytes: if strangers.bytes < half.bytes {
                strangers.bytes
            } else {
                half.bytes
            },
            items: if strangers.items < half.items {
                strangers.items
            } else {
                half.items
            },
        };
        let new = Usage {
            bytes: bytes.get(),
            items: items as u64,
        };
        self.usages.own.plus(new).plus(stays).fits(self.limit)
    }

    /// Takes an item in that is not here, whether there is room or not.
    pub(crate) fn insert(&mut self, item: StoredItem) {
        let id = item.id;
        self.by_commitment.insert((item.header.commitment, id));
        self.expiries.insert(item.expires(), id);
        let usage = self.usages.of_mut(item.class);
        *usage = usage.plus(usage_of(&item));
        let ticket = self.lottery.ticket(&id);
        if let Some(holdings) = self.holdings_mut(item.class) {
            holdings.insert(item.ingress, item.size.get(), ticket, id);
        }
        let outlined = false;
        self.items.insert(id, Entry { item, outlined });
    }

    /// Takes an item out, and tells whether the outline holds it.
    pub(crate) fn remove(&mut self, id: &ItemId) -> Option<(StoredItem, bool)> {
        let Entry { item, outlined } = self.items.remove(id)?;
        self.by_commitment.remove(&(item.header.commitment, *id));
        self.expiries.remove(item.expires(), *id);
        let usage = self.usages.of_mut(item.class);
        *usage = usage.minus(usage_of(&item));
        let ticket = self.lottery.ticket(id);
        if let Some(holdings) = self.holdings_mut(item.class) {
            holdings.remove(item.ingress, item.size.get(), ticket, *id);
        }
        Some((item, outlined))
    }

    /// Notes whether the outline holds an item. False if that is so already.
    pub(crate) fn set_outlined(&mut self, id: &ItemId, outlined: bool) -> bool {
        let entry = self.items.get_mut(id);
        entry.is_some_and(|entry| core::mem::replace(&mut entry.outlined, outlined) != outlined)
    }

    /// Keeps the smaller of the item's age and `age`, which is its age at `now`. True if that changed something.
    pub(crate) fn keep_smaller_age(
        &mut self,
        id: &ItemId,
        age: chappe_wire::Age,
        now: Instant,
    ) -> bool {
        let Some(Entry { item, .. }) = self.items.get_mut(id) else {
            return false;
        };
        // As of `since`, which stays: so nobody can stretch an item's stay here beyond its lifetime.
        let dwell = now.since(item.since);
        let at_arrival = chappe_wire::Age::from_duration(age.as_duration().saturating_sub(dwell));
        if at_arrival >= item.age {
            return false;
        }
        self.expiries.remove(item.expires(), *id);
        item.age = at_arrival;
        self.expiries.insert(item.expires(), *id);
        true
    }

    pub(crate) fn set_copies(&mut self, id: &ItemId, copies: Copies) -> Option<&StoredItem> {
        let Entry { item, .. } = self.items.get_mut(id)?;
        item.copies = copies;
        Some(item)
    }

    pub(crate) fn count_carrier(&mut self, id: &ItemId) -> Option<&StoredItem> {
        let Entry { item, .. } = self.items.get_mut(id)?;
        item.carriers = item.carriers.saturating_add(1);
        Some(item)
    }

    /// The id of an item that has expired by `now`. It stays until it is removed.
    pub(crate) fn next_expired(&mut self, now: Instant) -> Option<ItemId> {
        self.expiries.pop_due(now)
    }

    pub(crate) fn next_expiry(&self) -> Instant {
        self.expiries.next()
    }

    const fn holdings(&self, class: Class) -> Option<&Holdings> {
        match class {
            Class::Own => None,
            Class::Pinned => Some(&self.pinned),
            Class::Stranger => Some(&self.strangers),
        }
    }

    const fn holdings_mut(&mut self, class: Class) -> Option<&mut Holdings> {
        match class {
            Class::Own => None,
            Class::Pinned => Some(&mut self.pinned),
            Class::Stranger => Some(&mut self.strangers),
        }
    }
}

fn usage_of(item: &StoredItem) -> Usage {
    Usage {
        bytes: item.size.get(),
        items: 1,
    }
}

/// The items of one class by ingress.
#[derive(Debug, Default)]
struct Holdings {
    by_ingress: BTreeMap<Ingress, Share>,
    by_bytes: BTreeSet<(u64, Ingress)>,
}

#[derive(Debug, Default)]
struct Share {
    bytes: u64,
    queue: BTreeSet<(Ticket, ItemId)>,
}

impl Holdings {
    fn insert(&mut self, ingress: Ingress, size: u64, ticket: Ticket, id: ItemId) {
        let share = self.by_ingress.entry(ingress).or_default();
        self.by_bytes.remove(&(share.bytes, ingress));
        share.queue.insert((ticket, id));
        share.bytes = share.bytes.saturating_add(size);
        self.by_bytes.insert((share.bytes, ingress));
    }

    fn remove(&mut self, ingress: Ingress, size: u64, ticket: Ticket, id: ItemId) {
        let Some(share) = self.by_ingress.get_mut(&ingress) else {
            return;
        };
        self.by_bytes.remove(&(share.bytes, ingress));
        share.queue.remove(&(ticket, id));
        share.bytes = share.bytes.saturating_sub(size);
        if share.queue.is_empty() {
            self.by_ingress.remove(&ingress);
        } else {
            self.by_bytes.insert((share.bytes, ingress));
        }
    }

    /// Those who go next, in order, of the ingress with the most bytes that still has some besides `gone`.
    fn losers(
        &self,
        newcomer: Option<(Ingress, u64, Ticket)>,
        gone: &[ItemId],
    ) -> Result<Vec<ItemId>, NoRoom> {
        let newcomers_bytes = newcomer.map_or(0, |(ingress, size, _)| {
            let share = self.by_ingress.get(&ingress);
            share.map_or(0, |share| share.bytes).saturating_add(size)
        });
        for (bytes, ingress) in self.by_bytes.iter().rev() {
            let from_newcomer = newcomer.filter(|_| newcomers_bytes >= *bytes);
            let (ingress, bound) = match from_newcomer {
                Some((ingress, _, ticket)) => (ingress, Some(ticket)),
                None => (*ingress, None),
            };
            let Some(share) = self.by_ingress.get(&ingress) else {
                // The newcomer is the largest by itself.
                return Err(NoRoom);
            };
            let queue = share.queue.iter().filter(|(_, id)| !gone.contains(id));
            let losers: Vec<ItemId> = match bound {
                Some(ticket) => queue
                    .take_while(|(other, _)| *other < ticket)
                    .take(MAX_VICTIMS)
                    .map(|(_, id)| *id)
                    .collect(),
                None => queue.take(MAX_VICTIMS).map(|(_, id)| *id).collect(),
            };
            if !losers.is_empty() {
                return Ok(losers);
            }
            if bound.is_some() {
                return Err(NoRoom);
            }
        }
        Err(NoRoom)
    }
}

/// The most victims that are looked up at once: the longest envelope takes the room of 15 of the shortest.
const MAX_VICTIMS: usize = 16;

/// A place in an order that nobody outside can foresee.
type Ticket = u64;

#[derive(Debug)]
struct Lottery {
    hasher: SipHasher24,
}

impl Lottery {
    fn new(seed: &[u8; 32]) -> Self {
        let mut hasher = SipHasher24::new();
        hasher.write(seed);
        Self { hasher }
    }

    fn ticket(&self, id: &ItemId) -> Ticket {
        let mut hasher = self.hasher;
        hasher.write(id.as_bytes());
        hasher.finish()
    }
}
