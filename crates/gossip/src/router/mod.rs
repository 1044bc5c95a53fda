//! The router: what to carry, what to ask for, what to hand over.

mod inbound;
mod outbound;

pub use inbound::{Arrival, Misbehaviour, Received, Refusal, Transferred};
pub use outbound::{Handover, OutFrame};

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use chappe_wire::{
    Age, ByteCount, Duration, Header, Instant, ItemId, Lifetime, LinkId, LinkSalt, Outline,
    Preimage, ShortId, Tag,
};

use crate::budget::Budget;
use crate::custody::Custody;
use crate::draw::Urn;
use crate::link::{Giving, Kind, Link, LinkSetup};
use crate::outline::Outlined;
use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Surroundings};
use crate::receipts::{Placed, Receipts};
use crate::reconcile::session::Expected;
use crate::seen::{Seen, SeenOnLink};
use crate::slots::Slot;
use crate::surroundings::Encounters;
use crate::{
    Change, Class, Config, Copies, DropReason, Ingress, SeenEntry, Stats, StoredItem, StoredReceipt,
};

/// How long a link is asked for nothing after an envelope of it found no room.
pub(crate) const PAUSE: Duration = Duration::from_secs(60);

/// How long a node counts as short of room after something had to go.
pub(crate) const PRESSURE: Duration = Duration::from_minutes(60);

/// A store-and-forward router, without I/O, clock or bodies.
///
/// The node calls it so:
///
/// - At start: [`restore_item`](Self::restore_item), [`restore_seen`](Self::restore_seen) and
///   [`restore_receipt`](Self::restore_receipt) with what it persisted, in any order.
/// - For each hop that is established [`link_up`](Self::link_up), in the end [`link_down`](Self::link_down);
///   between them [`handle_frame`](Self::handle_frame) for each frame that arrives. An envelope that arrives is
///   given out with an [`Arrival`]; the node stores the body and calls [`accept`](Self::accept), or
///   [`refuse`](Self::refuse).
/// - After every call: [`poll_change`](Self::poll_change) until there is none, and commit. Then, for every link
///   whose hop has room, [`poll_frame`](Self::poll_frame), as late as possible, for the order is decided there.
///   Any call may give any link something to send.
/// - At [`poll_timeout`](Self::poll_timeout), or at any time: [`handle_timeout`](Self::handle_timeout).
///
/// `now` is the node's powered clock: monotonic, and persisted, so that it goes on after a restart.
///
/// ```
/// use chappe_gossip::policies::Epidemic;
/// use chappe_gossip::{Config, Ingress, LinkSetup, OutFrame, Received, Router};
/// use chappe_wire::{Commitment, Envelope, Instant, Lifetime, LinkId, LinkSalt, Tag};
///
/// let envelope = Envelope::compose(
///     Lifetime::WEEK, Tag::new([1; 16]), Commitment::new([2; 16]), &[3; 256])?;
/// let (now, link) = (Instant::ZERO, LinkId::new(1));
/// let router = || Router::new(Config::default(), Box::new(Epidemic), [4; 32]);
/// let [mut north, mut south] = [router(), router()];
/// north.add_own(now, envelope.id(), *envelope.header(), envelope.size())?;
///
/// let setup = |opener| LinkSetup {
///     opener, salt: LinkSalt::new([5; 16]), pinned: false, ingress: Ingress::new(1) };
/// north.link_up(now, link, setup(true));
/// south.link_up(now, link, setup(false));
/// loop {
///     if let Some(frame) = north.poll_frame(now, link) {
///         let bytes = match frame {
///             OutFrame::Bytes(bytes) => bytes,
///             OutFrame::Envelope(handover) => handover.frame(&envelope),
///         };
///         if let Received::Envelope { arrival, .. } = south.handle_frame(now, link, &bytes)? {
///             south.accept(now, arrival)?;
///         }
///     } else if let Some(OutFrame::Bytes(bytes)) = south.poll_frame(now, link) {
///         north.handle_frame(now, link, &bytes)?;
///     } else {
///         break;
///     }
/// }
/// assert!(south.holds(&envelope.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Router {
    config: Config,
    policy: Box<dyn Policy + Send>,
    urn: Urn,
    encounters: Encounters,
    /// As it was when it was looked at last.
    around: Surroundings,
    /// When something had to go for lack of room, and not because one neighbour floods or it was large.
    evicted_at: Option<Instant>,
    /// When something had to go for lack of room or was not taken, whatever the reason.
    short_at: Option<Instant>,
    custody: Custody,
    seen: Seen,
    receipts: Receipts,
    /// Boxed: an empty map keeps room for eleven entries once it has had one.
    links: BTreeMap<LinkId, Box<Link>>,
    /// Grows with each item and receipt that comes or goes.
    generation: u64,
    outline: Outlined,
    /// Not known to neighbours.
    chance: u64,
    /// Drained by the node after each call; a call adds a few for each item that it touches.
    changes: VecDeque<Change>,
    stats: Stats,
}

impl Router {
    /// An empty router. `seed` is secret and random; it decides who goes when the room runs out.
    pub fn new(config: Config, policy: Box<dyn Policy + Send>, seed: [u8; 32]) -> Self {
        Self {
            config,
            policy,
            urn: Urn::new(&seed),
            encounters: Encounters::default(),
            around: Surroundings::default(),
            evicted_at: None,
            short_at: None,
            custody: Custody::new(config.capacity, config.max_items, &seed),
            seen: Seen::new(config.max_seen, config.max_seen_per_ingress),
            receipts: Receipts::new(config.max_receipts),
            links: BTreeMap::new(),
            generation: 0,
            outline: Outlined::default(),
            chance: chance_of(&seed),
            changes: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Puts an item back that was persisted. What has expired goes at the next [`Router::handle_timeout`].
    pub fn restore_item(&mut self, item: StoredItem) {
        if !self.holds(&item.id) {
            self.seen.reserve(item.class, item.ingress);
            // Copies and carriers count, not the age.
            let keeping = self.policy.keeping(&candidate(&item, item.since));
            let slot = self.custody.insert(item, keeping);
            self.outline_item(slot);
        }
    }

    /// Puts a memory back that was persisted.
    pub fn restore_seen(&mut self, entry: SeenEntry) {
        self.seen.restore(entry);
    }

    /// Puts a receipt back that was persisted.
    pub fn restore_receipt(&mut self, receipt: StoredReceipt) {
        let id = receipt.id();
        if self.receipts.find(&id).is_none() {
            match self.receipts.insert(id, receipt) {
                Placed::NoRoom => return,
                Placed::InPlaceOf(loser, _) => self.outline.remove(&loser.id()),
                Placed::Stored(_) => {}
            }
            self.outline.insert(&id);
        }
    }

    /// Keeps an [outline](Self::outline) from now on, under this salt and no other. It costs a pass over the store.
    pub fn set_outline_salt(&mut self, salt: LinkSalt) {
        self.outline = Outlined::under(salt);
        let slots: Vec<Slot> = self.custody.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.custody.set_outlined(slot, false);
            self.outline_item(slot);
        }
        for (_, id) in self.receipts.ids() {
            self.outline.insert(id);
        }
    }

    /// What a stranger may be given of what is here, for the responder's hello; `None` while there is no
    /// [salt](Self::set_outline_salt).
    pub const fn outline(&self) -> Option<&Outline> {
        self.outline.outline()
    }

    /// The neighbour on a link that was just [up](Self::link_up), and on which this end opens, has told the outline of its
    /// store, under `salt`: so this end can begin with the right number of bytes. It costs a pass over the store.
    pub fn heard_outline(&mut self, link: LinkId, salt: &LinkSalt, outline: &Outline) {
        if let Some(link) = self.links.get_mut(&link) {
            let mut mine = Outline::default();
            for (kind, slot) in link.giving.shared() {
                match kind {
                    Kind::Envelope => {
                        if let Some(item) = self.custody.item(slot) {
                            mine.insert(salt, &item.id);
                        }
                    }
                    Kind::Receipt => {
                        if let Some(id) = self.receipts.id(slot) {
                            mine.insert(salt, id);
                        }
                    }
                }
            }
            link.expected = Some(Expected {
                difference: mine.difference(outline),
                count: outline.count(),
            });
        }
    }

    /// A hop is up. If the link is up already, it starts anew.
    pub fn link_up(&mut self, now: Instant, link: LinkId, setup: LinkSetup) {
        self.link_down(now, link);
        self.encounters.came(now, setup.ingress);
        self.look_around(now);
        let neighbour = Neighbour::sealed(setup.pinned);
        let fingerprint = |id: &ItemId| setup.salt.fingerprint(id);
        let mut tags = Vec::new();
        let items = self.custody.iter().map(|(slot, item)| {
            let sharing = self
                .policy
                .sharing(&candidate(item, now), &neighbour, &self.around);
            if sharing == Sharing::TagOnly {
                tags.push(item);
            }
            let pushed = sharing == Sharing::Push;
            (fingerprint(&item.id), slot, Kind::Envelope, pushed)
        });
        let receipts = self.receipts.ids();
        let receipts = receipts.map(|(slot, id)| (fingerprint(id), slot, Kind::Receipt, true));
        let giving = Giving::new(items.chain(receipts));
        let store_len = self.custody.len() + self.receipts.len();
        let budget = Budget::new(now, &self.config.link, store_len);
        let resync_at = now.after(self.config.resync_interval);
        let answer_within = self.config.answer_within;
        let mut new = Link::new(setup, budget, giving, resync_at, answer_within);
        for item in tags {
            new.tags.show(new.short(&item.id), item);
        }
        self.links.insert(link, Box::new(new));
    }

    /// A hop is down. Copies that went along with envelopes the neighbour did not answer for come back.
    pub fn link_down(&mut self, now: Instant, link: LinkId) {
        let Some(link) = self.links.remove(&link) else {
            return;
        };
        self.encounters.left(now, link.setup.ingress);
        for other in self.links.values_mut() {
            other.announce_again();
        }
        for (slot, copies) in link.giving.unanswered() {
            self.return_copies(now, slot, copies);
        }
    }

    /// Takes an envelope that was written here into custody. It stays until it is delivered or expires. Adding
    /// one that is here already does nothing.
    ///
    /// # Errors
    /// [`Full`]; nothing was changed.
    pub fn add_own(
        &mut self,
        now: Instant,
        id: ItemId,
        header: Header,
        size: ByteCount,
    ) -> Result<(), Full> {
        if self.holds(&id) {
            return Ok(());
        }
        if self.is_done(&id, &header) {
            return Err(Full::Known);
        }
        if !self.seen.has_room(Class::Own, Ingress::OWN) {
            return Err(Full::Memory);
        }
        let keeping = Priority::new(0);
        let victims = self
            .custody
            .plan(&id, Class::Own, Ingress::OWN, size, keeping);
        for victim in victims.map_err(|_| Full::Room)? {
            self.drop_item(now, victim, DropReason::Quota);
        }
        self.look_around(now);
        let around = self.around.writing(self.custody.own_is_much(size));
        let item = StoredItem {
            id,
            header,
            size,
            age: Age::NEW,
            since: now,
            class: Class::Own,
            ingress: Ingress::OWN,
            copies: self.policy.initial_copies(&around),
            carriers: 0,
        };
        self.store(now, item, None);
        Ok(())
    }

    /// Whether so many envelopes that are written here find room, whatever their ids are.
    pub fn has_room_for_own(&self, items: usize, bytes: ByteCount) -> bool {
        self.seen.has_places(items) && self.custody.has_room_for_own(items, bytes)
    }

    /// Lets a receipt go that the person here is the recipient for: it frees the envelopes here and is carried
    /// to everyone. The node delays and batches these calls.
    pub fn add_receipt(&mut self, now: Instant, preimage: Preimage, lifetime: Lifetime) {
        let receipt = StoredReceipt {
            preimage,
            lifetime,
            age: Age::NEW,
            since: now,
            known: true,
            class: Class::Own,
            ingress: Ingress::OWN,
        };
        self.take_receipt(now, receipt, None);
    }

    /// Drops an item: its body is damaged or lost, or the person here takes it back. It is not taken again.
    /// False if it is not in custody.
    pub fn discard(&mut self, now: Instant, id: &ItemId) -> bool {
        let held = self.custody.find(id);
        if let Some(slot) = held {
            self.drop_item(now, slot, DropReason::ByNode);
        }
        held.is_some()
    }

    /// Asks a neighbour for the envelopes with these of the tags that it has shown: those for the person here. Call it
    /// before the next [`poll_frame`](Self::poll_frame), so that one frame asks for them and for what the policy takes.
    pub fn take(&mut self, link: LinkId, tags: impl IntoIterator<Item = Tag>) {
        if let Some(link) = self.links.get_mut(&link) {
            for tag in tags {
                link.tags.take(tag);
            }
        }
    }

    /// What has changed since it was asked last.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Does what is due. Calling it too early or too often is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(slot) = self.custody.next_expired(now) {
            self.drop_item(now, slot, DropReason::Expired);
        }
        while let Some(slot) = self.receipts.next_expired(now) {
            self.drop_receipt(slot);
        }
        while let Some(id) = self.seen.forget_due(now) {
            self.changes.push_back(Change::SeenRemoved(id));
        }
        for link in self.links.values_mut() {
            link.handle_timeout(now, self.config.resync_interval);
        }
    }

    /// When [`Router::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Instant {
        let links = self.links.values().map(|link| link.wakes());
        links
            .chain([
                self.custody.next_expiry(),
                self.receipts.next_expiry(),
                self.seen.next_deadline(),
            ])
            .min()
            .unwrap_or(Instant::NEVER)
    }

    /// True if the item is in custody.
    pub fn holds(&self, id: &ItemId) -> bool {
        self.custody.find(id).is_some()
    }

    /// The item, if it is in custody.
    pub fn item(&self, id: &ItemId) -> Option<&StoredItem> {
        self.custody.item(self.custody.find(id)?)
    }

    /// All items in custody, in the order of their ids.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &StoredItem> {
        self.custody.iter().map(|(_, item)| item)
    }

    /// All receipts that are carried.
    pub fn receipts(&self) -> impl ExactSizeIterator<Item = &StoredReceipt> {
        self.receipts.iter()
    }

    /// How many items are remembered, besides those in custody.
    pub fn seen_len(&self) -> usize {
        self.seen.len()
    }

    /// Counters.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Looks around: at links that come and go, and before something is decided that depends on it alone.
    fn look_around(&mut self, now: Instant) {
        let met = self.encounters.count(now).max(self.links.len());
        let around = Surroundings::of(u32::try_from(met).unwrap_or(u32::MAX));
        self.around = match self.evicted_at {
            Some(at) if now.since(at) <= PRESSURE => around.without_room(),
            _ => around,
        };
    }

    /// Whether room was short in the last hour, be it for a flood.
    fn is_short(&self, now: Instant) -> bool {
        self.short_at.is_some_and(|at| now.since(at) <= PRESSURE)
    }

    /// True if the item was here before, or its receipt is here.
    fn is_done(&self, id: &ItemId, header: &Header) -> bool {
        self.seen.contains(id) || self.is_receipted(header)
    }

    fn is_receipted(&self, header: &Header) -> bool {
        self.receipts.len() > 0 && {
            let receipt = self.receipts.find(&header.commitment.receipt_id());
            receipt.is_some()
        }
    }

    /// Takes an item in, for which there is room and a place in the memory.
    fn store(&mut self, now: Instant, item: StoredItem, from: Option<LinkId>) {
        self.generation += 1;
        if self.seen.take_back(&item.id) {
            self.changes.push_back(Change::SeenRemoved(item.id));
        }
        self.seen.reserve(item.class, item.ingress);
        self.changes.push_back(Change::ItemStored(item.clone()));
        let keeping = self.policy.keeping(&candidate(&item, now));
        let slot = self.custody.insert(item, keeping);
        self.offer(now, slot, from);
        self.outline_item(slot);
    }

    /// An item has come: the neighbours may have it as the policy says, but for the one that brought it.
    fn offer(&mut self, now: Instant, slot: Slot, from: Option<LinkId>) {
        let Some(item) = self.custody.item(slot) else {
            return;
        };
        for (link_id, link) in &mut self.links {
            let sharing =
                self.policy
                    .sharing(&candidate(item, now), &link.neighbour(), &self.around);
            let from_here = from == Some(*link_id);
            let pushed = sharing == Sharing::Push;
            link.add(now, (&item.id, slot), Kind::Envelope, pushed, from_here);
            if let Some(short) = link.tags.came_elsewhere(&item.header.tag) {
                link.asking.cancel(short);
            } else if sharing == Sharing::TagOnly && !from_here {
                link.tags.show(link.short(&item.id), item);
            }
        }
    }

    /// What the policy goes by has changed of an item: it is persisted, and takes its place among the others.
    fn note_update(&mut self, now: Instant, slot: Slot) {
        if let Some(item) = self.custody.item(slot) {
            self.changes.push_back(Change::ItemUpdated(item.clone()));
            let keeping = self.policy.keeping(&candidate(item, now));
            self.generation += u64::from(self.custody.set_keeping(slot, keeping));
        }
        self.outline_item(slot);
    }

    /// Brings the outline up to date about an item: it holds what a stranger would be given of what is here.
    fn outline_item(&mut self, slot: Slot) {
        if !self.outline.is_kept() {
            return;
        }
        let Some(item) = self.custody.item(slot) else {
            return;
        };
        let (id, stranger) = (item.id, Neighbour::sealed(false));
        let sharing = self
            .policy
            .sharing(&candidate(item, item.since), &stranger, &self.around);
        let pushed = sharing == Sharing::Push;
        if self.custody.set_outlined(slot, pushed) {
            if pushed {
                self.outline.insert(&id);
            } else {
                self.outline.remove(&id);
            }
        }
    }

    fn drop_item(&mut self, now: Instant, slot: Slot, reason: DropReason) {
        // A flood is no reason to spread less of what others write.
        let crowded = |item: &StoredItem| self.custody.is_crowded(item.size);
        if reason == DropReason::Quota {
            self.short_at = Some(now);
            if self.custody.item(slot).is_some_and(crowded) {
                self.evicted_at = Some(now);
            }
        }
        let Some((item, outlined)) = self.custody.remove(slot) else {
            return;
        };
        let id = item.id;
        if outlined {
            self.outline.remove(&id);
        }
        self.generation += 1;
        let entry = self.seen.remember(&item, reason, now);
        for link in self.links.values_mut() {
            link.remove(&id, entry.outlived.is_none());
            link.tags.hide(&item.header.tag);
        }
        self.stats.count_drop(reason);
        let own = item.class == Class::Own;
        self.changes
            .push_back(Change::ItemDropped { id, reason, own });
        self.changes.push_back(Change::SeenAdded(entry));
    }

    fn drop_receipt(&mut self, slot: Slot) {
        if let Some(receipt) = self.receipts.remove(slot) {
            self.forget_receipt(receipt.id(), &receipt);
        }
    }

    fn forget_receipt(&mut self, id: ItemId, receipt: &StoredReceipt) {
        self.outline.remove(&id);
        for link in self.links.values_mut() {
            link.remove(&id, false);
        }
        let commitment = receipt.preimage.commitment();
        self.changes.push_back(Change::ReceiptDropped(commitment));
    }

    /// Takes a receipt in, from here or from a neighbour.
    fn take_receipt(&mut self, now: Instant, mut receipt: StoredReceipt, from: Option<LinkId>) {
        let commitment = receipt.preimage.commitment();
        let id = commitment.receipt_id();
        if let Some(slot) = self.receipts.find(&id) {
            if self.receipts.keep_smaller_age(slot, receipt.age, now)
                && let Some(receipt) = self.receipts.receipt(slot)
            {
                self.changes.push_back(Change::ReceiptStored(*receipt));
            }
            return;
        }
        if receipt.lifetime.is_over(receipt.age) {
            return;
        }
        let freed = self.custody.committed_to(commitment);
        let items = freed.iter().filter_map(|slot| self.custody.item(*slot));
        let longest = items
            .map(|item| item.header.lifetime)
            .max_by_key(|lifetime| lifetime.as_duration());
        if from.is_some()
            && let Some(lifetime) = longest
        {
            receipt.lifetime = lifetime;
        }
        receipt.known |= !freed.is_empty() || self.seen.committed_to(&commitment);
        for slot in freed {
            let item = self.custody.item(slot);
            let own = item.filter(|item| item.class == Class::Own);
            let own = own.map(|item| item.id);
            self.drop_item(now, slot, DropReason::Receipted);
            if let Some(id) = own {
                self.changes.push_back(Change::Delivered(id));
            }
        }
        self.generation += 1;
        let slot = match self.receipts.insert(id, receipt) {
            Placed::NoRoom => {
                self.stats.receipts_refused += 1;
                return;
            }
            Placed::InPlaceOf(loser, slot) => {
                self.stats.receipts_evicted += 1;
                self.forget_receipt(loser.id(), &loser);
                slot
            }
            Placed::Stored(slot) => slot,
        };
        self.outline.insert(&id);
        for (link_id, link) in &mut self.links {
            let from_here = from == Some(*link_id);
            link.add(now, (&id, slot), Kind::Receipt, true, from_here);
        }
        self.stats.receipts_taken += 1;
        self.changes.push_back(Change::ReceiptStored(receipt));
    }

    fn return_copies(&mut self, now: Instant, slot: Slot, copies: Copies) {
        if copies == Copies::NONE {
            return;
        }
        let Some(item) = self.custody.item(slot) else {
            return;
        };
        let mut copies = item.copies.saturating_add(copies);
        if item.class != Class::Own && self.is_short(now) {
            // Its ingress has had what it may bring anew, meanwhile.
            let left = self.custody.copies_left(item.class, item.ingress);
            copies = self.policy.copies_where_short(copies, left);
        }
        let copies = copies.max(item.copies);
        self.custody.set_copies(slot, copies);
        self.note_update(now, slot);
    }
}

/// The memory on one link, made from all of it when it is needed first.
fn seen_on<'a>(link: &'a mut Option<SeenOnLink>, setup: &LinkSetup, seen: &Seen) -> &'a SeenOnLink {
    link.get_or_insert_with(|| SeenOnLink::new(seen.ids().map(|id| ShortId::of(&setup.salt, id))))
}

/// Where the choices in decoding begin that a neighbour must not foresee.
fn chance_of(seed: &[u8; 32]) -> u64 {
    u64::from_le_bytes(seed.last_chunk().copied().unwrap_or_default())
}

fn candidate(item: &StoredItem, now: Instant) -> Candidate<'_> {
    Candidate {
        header: &item.header,
        size: item.size,
        age: item.age_at(now),
        class: item.class,
        copies: item.copies,
        carriers: item.carriers,
        clear: None,
    }
}

/// Why an envelope that was written here cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Full {
    /// It was sent before, or its receipt is here.
    #[error("the message was sent before")]
    Known,
    /// The memory of items is full.
    #[error("too many messages are remembered to take another one")]
    Memory,
    /// The room is taken by messages that were written here.
    #[error("there is no room left for messages on their way")]
    Room,
}
