//! The envelopes in custody: what they are, when they expire, and who loses some when the room runs out.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::hash::Hasher as _;

use chappe_wire::{ByteCount, Commitment, Instant, ItemId};
use siphasher::sip::SipHasher24;

use crate::deadlines::Deadlines;
use crate::policy::Priority;
use crate::quota::{NoRoom, Usage, Usages};
use crate::shelf::{Identified, Prefix, Shelf};
use crate::slots::Slot;
use crate::tiered::Tiered;
use crate::{Class, Copies, Ingress, StoredItem};

/// All items, with the orders in which they are looked at.
#[derive(Debug)]
pub(crate) struct Custody {
    limit: Usage,
    lottery: Lottery,
    items: Shelf<Kept>,
    by_commitment: Tiered<(Commitment, Slot), ()>,
    expiries: Deadlines<(Prefix, Slot)>,
    usages: Usages,
    pinned: Holdings,
    strangers: Holdings,
}

/// An item, and how long it stays when room is needed.
#[derive(Debug)]
struct Kept {
    item: StoredItem,
    keeping: Priority,
    /// Whether the router's outline holds it.
    outlined: bool,
}

impl Identified for Kept {
    fn id(&self) -> &ItemId {
        &self.item.id
    }
}

impl Custody {
    pub(crate) fn new(capacity: ByteCount, max_items: usize, seed: &[u8; 32]) -> Self {
        Self {
            limit: Usage {
                bytes: capacity.get(),
                items: max_items as u64,
            },
            lottery: Lottery::new(seed),
            items: Shelf::new(),
            by_commitment: Tiered::new(),
            expiries: Deadlines::new(),
            usages: Usages::default(),
            pinned: Holdings::default(),
            strangers: Holdings::default(),
        }
    }

    /// Where an item is, as long as it is here.
    pub(crate) fn find(&self, id: &ItemId) -> Option<Slot> {
        self.items.find(id)
    }

    pub(crate) fn item(&self, slot: Slot) -> Option<&StoredItem> {
        self.items.get(slot).map(|kept| &kept.item)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// All items, in the order of their ids.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (Slot, &StoredItem)> {
        let kept = self.items.iter();
        kept.map(|(slot, kept)| (slot, &kept.item))
    }

    /// The items that a receipt for `commitment` frees, in the order of their ids.
    pub(crate) fn committed_to(&self, commitment: Commitment) -> Vec<Slot> {
        let all = (commitment, Slot::FIRST)..=(commitment, Slot::LAST);
        let alike = self.by_commitment.range(all);
        let mut slots: Vec<Slot> = alike.map(|((_, slot), ())| *slot).collect();
        slots.sort_by_key(|slot| self.item(*slot).map(|item| item.id));
        slots
    }

    /// Who has to go so that an item of `size` fits in. Changes nothing.
    ///
    /// In the class that has to yield, ingresses with more than their share lose first, the largest before others;
    /// within it goes what the policy would keep least, the newcomer included. So a flood evicts its own. Where no
    /// ingress has more than its share, the policy decides among all. Among equals chance decides, so that what is
    /// left of a flood is a fair sample.
    ///
    /// # Errors
    /// [`NoRoom`] if the newcomer is the one to go.
    pub(crate) fn plan(
        &self,
        id: &ItemId,
        class: Class,
        ingress: Ingress,
        size: ByteCount,
        keeping: Priority,
    ) -> Result<Vec<Slot>, NoRoom> {
        let newcomer = Usage {
            bytes: size.get(),
            items: 1,
        };
        let mut after = self.usages;
        *after.of_mut(class) = after.of_mut(class).plus(newcomer);
        let mut victims = Vec::new();
        let turn = self.lottery.turn(id, keeping);
        let share = self.share(size);
        while let Some(loser) = after.who_yields(self.limit)? {
            let holdings = self.holdings(loser).ok_or(NoRoom)?;
            let newcomer = (loser == class).then_some((ingress, size.get(), turn));
            let taken = holdings.losers(newcomer, share, &victims)?;
            for victim in taken {
                let usage = self.item(victim).map(usage_of).ok_or(NoRoom)?;
                *after.of_mut(loser) = after.of_mut(loser).minus(usage);
                victims.push(victim);
                if after.who_yields(self.limit)? != Some(loser) {
                    break;
                }
            }
        }
        Ok(victims)
    }

    /// Whether room is short for what others write, an item of `size` having to go. Not where one ingress has more than
    /// its share: it floods. And not where the item is much longer than what is here: for most there is room.
    pub(crate) fn is_crowded(&self, size: ByteCount) -> bool {
        let largest = [&self.pinned, &self.strangers].map(Holdings::largest);
        let flooded = largest.into_iter().max() > Some(self.share(size));
        !flooded && size.get() <= self.mean_size().saturating_mul(USUAL)
    }

    /// The mean length of what is here.
    fn mean_size(&self) -> u64 {
        let Usages {
            own,
            pinned,
            stranger,
        } = self.usages;
        let all = own.plus(pinned).plus(stranger);
        all.bytes / all.items.max(1)
    }

    /// The bytes that an ingress may have. Of shares smaller than an item or two nothing can be said.
    const fn share(&self, size: ByteCount) -> u64 {
        let (part, two) = (self.limit.bytes / SHARES, 2 * size.get());
        if part < two { two } else { part }
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

    /// Whether what was written here takes much room, an item of `size` with it.
    pub(crate) const fn own_is_much(&self, size: ByteCount) -> bool {
        self.usages.own.bytes.saturating_add(size.get()) > self.limit.bytes / FEW
    }

    /// Takes an item in that is not here, whether there is room or not.
    pub(crate) fn insert(&mut self, item: StoredItem, keeping: Priority) -> Slot {
        let (id, commitment) = (item.id, item.header.commitment);
        let (class, ingress, size) = (item.class, item.ingress, item.size.get());
        let (copies, due) = (item.copies, item.expires());
        let usage = self.usages.of_mut(class);
        *usage = usage.plus(usage_of(&item));
        let slot = self.items.insert(Kept {
            item,
            keeping,
            outlined: false,
        });
        self.by_commitment.insert((commitment, slot), ());
        self.expiries.insert(due, (Prefix::of(&id), slot));
        let turn = self.lottery.turn(&id, keeping);
        if let Some(holdings) = self.holdings_mut(class) {
            holdings.insert(ingress, size, turn, slot);
            holdings.count_copies(ingress, Copies::NONE, copies);
        }
        slot
    }

    /// Takes an item out, and tells whether the outline holds it.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<(StoredItem, bool)> {
        let Kept {
            item,
            keeping,
            outlined,
        } = self.items.remove(slot)?;
        self.by_commitment.remove(&(item.header.commitment, slot));
        let due = item.expires();
        self.expiries.remove(due, (Prefix::of(&item.id), slot));
        let usage = self.usages.of_mut(item.class);
        *usage = usage.minus(usage_of(&item));
        let turn = self.lottery.turn(&item.id, keeping);
        if let Some(holdings) = self.holdings_mut(item.class) {
            holdings.count_copies(item.ingress, item.copies, Copies::NONE);
            holdings.remove(item.ingress, item.size.get(), turn, slot);
        }
        Some((item, outlined))
    }

    /// Notes whether the outline holds an item. False if that is so already.
    pub(crate) fn set_outlined(&mut self, slot: Slot, outlined: bool) -> bool {
        let kept = self.items.thing_mut(slot);
        kept.is_some_and(|kept| core::mem::replace(&mut kept.outlined, outlined) != outlined)
    }

    /// Keeps the smaller of the item's age and `age`, which is its age at `now`. True if that changed something.
    pub(crate) fn keep_smaller_age(
        &mut self,
        slot: Slot,
        age: chappe_wire::Age,
        now: Instant,
    ) -> bool {
        let Some(Kept { item, .. }) = self.items.thing_mut(slot) else {
            return false;
        };
        // As of `since`, which stays: so nobody can stretch an item's stay here beyond its lifetime.
        let dwell = now.since(item.since);
        let at_arrival = chappe_wire::Age::from_duration(age.as_duration().saturating_sub(dwell));
        if at_arrival >= item.age {
            return false;
        }
        let place = (Prefix::of(&item.id), slot);
        self.expiries.remove(item.expires(), place);
        item.age = at_arrival;
        self.expiries.insert(item.expires(), place);
        true
    }

    pub(crate) fn set_copies(&mut self, slot: Slot, copies: Copies) {
        let Some(Kept { item, .. }) = self.items.thing_mut(slot) else {
            return;
        };
        let before = core::mem::replace(&mut item.copies, copies);
        let (class, ingress) = (item.class, item.ingress);
        if let Some(holdings) = self.holdings_mut(class) {
            holdings.count_copies(ingress, before, copies);
        }
    }

    /// So many copies of one more item may an ingress bring where room is short: the one that stays, and what is left of
    /// those that it may bring to be given on.
    pub(crate) fn copies_left(&self, class: Class, ingress: Ingress) -> Copies {
        let share = self.holdings(class).map(|all| all.by_ingress.get(&ingress));
        let spare = share.flatten().map_or(0, |share| share.spare_copies);
        let left = SPARE_COPIES.saturating_sub(spare).saturating_add(1);
        Copies::new(u32::try_from(left).unwrap_or(u32::MAX))
    }

    pub(crate) fn count_carrier(&mut self, slot: Slot) -> Option<&StoredItem> {
        let Kept { item, .. } = self.items.thing_mut(slot)?;
        item.carriers = item.carriers.saturating_add(1);
        Some(item)
    }

    /// From now on an item stays so long when room is needed. False if that is not new.
    pub(crate) fn set_keeping(&mut self, slot: Slot, keeping: Priority) -> bool {
        let Some(kept) = self.items.thing_mut(slot) else {
            return false;
        };
        let before = core::mem::replace(&mut kept.keeping, keeping);
        if before == keeping {
            return false;
        }
        let StoredItem {
            id, class, ingress, ..
        } = kept.item;
        let [old, new] = [before, keeping].map(|keeping| self.lottery.turn(&id, keeping));
        if let Some(holdings) = self.holdings_mut(class) {
            holdings.requeue(ingress, old, new, slot);
        }
        true
    }

    /// An item that has expired by `now`. It stays until it is removed.
    pub(crate) fn next_expired(&mut self, now: Instant) -> Option<Slot> {
        self.expiries.pop_due(now).map(|(_, slot)| slot)
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
    /// Copies to be given on, beyond the one of each item that stays.
    spare_copies: u64,
    queue: BTreeSet<(Turn, Slot)>,
}

impl Holdings {
    fn insert(&mut self, ingress: Ingress, size: u64, turn: Turn, slot: Slot) {
        let share = self.by_ingress.entry(ingress).or_default();
        self.by_bytes.remove(&(share.bytes, ingress));
        share.queue.insert((turn, slot));
        share.bytes = share.bytes.saturating_add(size);
        self.by_bytes.insert((share.bytes, ingress));
    }

    fn remove(&mut self, ingress: Ingress, size: u64, turn: Turn, slot: Slot) {
        let Some(share) = self.by_ingress.get_mut(&ingress) else {
            return;
        };
        self.by_bytes.remove(&(share.bytes, ingress));
        share.queue.remove(&(turn, slot));
        share.bytes = share.bytes.saturating_sub(size);
        if share.queue.is_empty() {
            self.by_ingress.remove(&ingress);
        } else {
            self.by_bytes.insert((share.bytes, ingress));
        }
    }

    /// An item of the ingress has another place in the order of going.
    fn requeue(&mut self, ingress: Ingress, old: Turn, new: Turn, slot: Slot) {
        if let Some(share) = self.by_ingress.get_mut(&ingress)
            && share.queue.remove(&(old, slot))
        {
            share.queue.insert((new, slot));
        }
    }

    /// An item of the ingress that had so many copies has so many now.
    fn count_copies(&mut self, ingress: Ingress, before: Copies, after: Copies) {
        if let Some(share) = self.by_ingress.get_mut(&ingress) {
            let [before, after] = [before, after].map(|copies| u64::from(copies.spare()));
            debug_assert!(share.spare_copies >= before, "copies that were not counted");
            share.spare_copies = share
                .spare_copies
                .saturating_sub(before)
                .saturating_add(after);
        }
    }

    /// The bytes of the ingress that has the most.
    fn largest(&self) -> u64 {
        self.by_bytes.last().map_or(0, |(bytes, _)| *bytes)
    }

    /// Those who go next, in order: of the ingress with the most bytes, if it has more than `share`, else of all. `gone`
    /// are gone already.
    fn losers(
        &self,
        newcomer: Option<(Ingress, u64, Turn)>,
        share: u64,
        gone: &[Slot],
    ) -> Result<Vec<Slot>, NoRoom> {
        let newcomers_bytes = newcomer.map_or(0, |(ingress, size, _)| {
            let share = self.by_ingress.get(&ingress);
            share.map_or(0, |share| share.bytes).saturating_add(size)
        });
        if self.largest().max(newcomers_bytes) <= share {
            return self
                .first_of_all(gone)
                .map(|slot| [slot].into())
                .ok_or(NoRoom);
        }
        for (bytes, ingress) in self.by_bytes.iter().rev() {
            let from_newcomer = newcomer.filter(|_| newcomers_bytes >= *bytes);
            let (ingress, bound) = match from_newcomer {
                Some((ingress, _, turn)) => (ingress, Some(turn)),
                None => (*ingress, None),
            };
            let Some(share) = self.by_ingress.get(&ingress) else {
                // The newcomer is the largest by itself.
                return Err(NoRoom);
            };
            let queue = share.queue.iter().filter(|(_, slot)| !gone.contains(slot));
            let losers: Vec<Slot> = match bound {
                Some(turn) => queue
                    .take_while(|(other, _)| *other < turn)
                    .take(MAX_VICTIMS)
                    .map(|(_, slot)| *slot)
                    .collect(),
                None => queue.take(MAX_VICTIMS).map(|(_, slot)| *slot).collect(),
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

    /// Whose turn is first, whichever way it came. A newcomer has been paid for with airtime, and stays.
    fn first_of_all(&self, gone: &[Slot]) -> Option<Slot> {
        let shares = self.by_ingress.values();
        let firsts =
            shares.filter_map(|share| share.queue.iter().find(|(_, slot)| !gone.contains(slot)));
        firsts.min().map(|(_, slot)| *slot)
    }
}

/// An ingress may have one part in so many of the room before it has to give way to others.
const SHARES: u64 = 16;

/// So many copies may an ingress bring to be given on, where room is short: those of one message from who wrote it.
const SPARE_COPIES: u64 = 63;

/// One part in so many of the room is little for what was written here.
const FEW: u64 = 64;

/// What is longer than so many times the mean is not what most items are like.
const USUAL: u64 = 4;

/// The most victims that are looked up at once: the longest envelope takes the room of 15 of the shortest.
const MAX_VICTIMS: usize = 16;

/// A place in the order of going: first what the policy would keep least, then what nobody outside can foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    keeping: Reverse<Priority>,
    ticket: u64,
}

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

    fn turn(&self, id: &ItemId, keeping: Priority) -> Turn {
        let mut hasher = self.hasher;
        hasher.write(id.as_bytes());
        Turn {
            keeping: Reverse(keeping),
            ticket: hasher.finish(),
        }
    }
}
