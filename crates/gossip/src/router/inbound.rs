//! Frames that arrive.

use alloc::vec::Vec;

use chappe_wire::proto::{self, RefusalReason, frame::Body};
use chappe_wire::{
    Age, ByteCount, Envelope, EnvelopeError, FrameError, Header, Instant, ItemId, Lifetime, LinkId,
    Preimage, ShortId, Tag, decode_frame,
};

use super::{PAUSE, Router, candidate, seen_on};
use crate::budget::OverBudget;
use crate::link::Session;
use crate::policy::{Priority, Sharing, Shown};
use crate::reconcile::session::{Answered, Progress, answer, decode_digest};
use crate::slots::Slot;
use crate::{Change, Copies, StoredItem, StoredReceipt};

/// What a frame brought that the node has to deal with.
#[derive(Debug)]
#[must_use]
pub enum Received {
    /// Nothing: the router has dealt with it.
    Nothing,
    /// An envelope that may be taken: see [`Router::accept`] and [`Router::refuse`].
    Envelope {
        /// The envelope.
        envelope: Envelope,
        /// What the router makes of it.
        arrival: Arrival,
    },
    /// An envelope for which there is no room, or no place to remember it. The neighbour is told so; it is not in
    /// custody. The node may read it, if it is for the person here.
    NotTaken(Envelope),
    /// The neighbour has envelopes with these tags, which are lacking here, and which it offers to nobody: see
    /// [`Router::take`].
    TagsShown(Vec<Tag>),
}

/// What arrives with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// The id.
    pub id: ItemId,
    /// What a carrier can see of it.
    pub header: Header,
    /// Its length.
    pub size: ByteCount,
    /// Its age, on the neighbour's word.
    pub age: Age,
    /// The copy budget that goes along, on the neighbour's word.
    pub copies: Copies,
}

/// An envelope that arrived and may be taken. Dropping it leaves everything as if it had never come.
#[derive(Debug)]
#[must_use]
pub struct Arrival {
    link: LinkId,
    short: ShortId,
    item: StoredItem,
    /// Who has to go for it, and for which generation of the router that was found out.
    victims: Vec<Slot>,
    generation: u64,
}

impl Arrival {
    /// What would be stored.
    pub const fn item(&self) -> &StoredItem {
        &self.item
    }

    /// The link it came over.
    pub const fn link(&self) -> LinkId {
        self.link
    }
}

impl Router {
    /// Takes a frame that arrived. Its cost is charged to the link before anything is decoded.
    ///
    /// # Errors
    /// [`Misbehaviour`] that no honest neighbour shows; the frame was dropped and nothing else has changed. All
    /// but [`Misbehaviour::OverBudget`] are good reasons to close the link at once.
    pub fn handle_frame(
        &mut self,
        now: Instant,
        link: LinkId,
        frame: &[u8],
    ) -> Result<Received, Misbehaviour> {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return Ok(Received::Nothing);
        };
        if let Err(over) = neighbour.budget.charge(now, frame.len()) {
            self.stats.over_budget += 1;
            return Err(over.into());
        }
        let received = match decode_frame(frame) {
            Ok(Body::Transfer(transfer)) => self.on_transfer(now, link, transfer, frame.len()),
            Ok(body) => self.on_control(now, link, body),
            Err(FrameError::Unknown) => Ok(Received::Nothing),
            Err(error) => Err(error.into()),
        };
        if received.is_err() {
            self.stats.misbehaviour += 1;
        }
        received
    }

    /// Takes an envelope that arrived, without its bytes: for a driver that has no use for bodies.
    pub fn handle_transfer(
        &mut self,
        now: Instant,
        link: LinkId,
        transferred: &Transferred,
    ) -> Option<Arrival> {
        let mut transferred = *transferred;
        let short = self.claim(link, &mut transferred)?;
        self.arrive(now, link, short, &transferred).ok()
    }

    /// Takes custody of an envelope that arrived. The node has written the body to its store and commits that,
    /// together with the changes, before it sends anything.
    ///
    /// # Errors
    /// [`Refusal`]; the neighbour is told, and the node lets the body go. Between the arrival and this call
    /// something else may have taken the room.
    pub fn accept(&mut self, now: Instant, arrival: Arrival) -> Result<(), Refusal> {
        let Arrival {
            link,
            short,
            item,
            mut victims,
            generation,
        } = arrival;
        if generation != self.generation {
            victims = match self.judge(&item, now) {
                Ok(victims) => victims,
                Err(refusal) => {
                    self.turn_down(now, link, short, &item, refusal);
                    return Err(refusal);
                }
            };
        }
        for victim in victims {
            self.drop_item(now, victim, crate::DropReason::Quota);
        }
        self.store(now, item, Some(link));
        if let Some(link) = self.links.get_mut(&link) {
            link.answer_accepted(now, short);
        }
        self.stats.accepted += 1;
        Ok(())
    }

    /// Does not take an envelope that arrived, for the node's own reason (its store is full or failed). The
    /// neighbour is told that there is no room, and for a while it is asked for nothing.
    pub fn refuse(&mut self, now: Instant, arrival: Arrival) {
        self.stats.refused_by_node += 1;
        if let Some(link) = self.links.get_mut(&arrival.link) {
            link.answer_refused(arrival.short, RefusalReason::NoRoom);
            link.asking.pause(now.after(PAUSE));
        }
    }

    /// Whether an item may be taken, and who has to go for it. Changes nothing.
    fn judge(&self, item: &StoredItem, now: Instant) -> Result<Vec<Slot>, Refusal> {
        if self.holds(&item.id) {
            return Err(Refusal::Held);
        }
        let revived = self.seen.revived(item, now).is_some();
        if self.is_receipted(&item.header) || (self.seen.contains(&item.id) && !revived) {
            return Err(Refusal::Known);
        }
        if item.header.lifetime.is_over(item.age_at(now)) {
            return Err(Refusal::Expired);
        }
        if !self.seen.has_room(item.class, item.ingress) {
            return Err(Refusal::NoRoom);
        }
        let keeping = self.policy.keeping(&candidate(item, now));
        self.custody
            .plan(&item.id, item.class, item.ingress, item.size, keeping)
            .map_err(|_| Refusal::NoRoom)
    }

    fn turn_down(
        &mut self,
        now: Instant,
        link: LinkId,
        short: ShortId,
        item: &StoredItem,
        refusal: Refusal,
    ) {
        let (counter, reason) = match refusal {
            Refusal::Held => (&mut self.stats.duplicates, RefusalReason::Known),
            Refusal::Known => (&mut self.stats.refused_known, RefusalReason::Known),
            Refusal::Expired => (&mut self.stats.refused_expired, RefusalReason::Expired),
            Refusal::NoRoom => (&mut self.stats.refused_no_room, RefusalReason::NoRoom),
        };
        *counter += 1;
        if refusal == Refusal::NoRoom {
            self.short_at = Some(now);
        }
        if refusal == Refusal::Held
            && let Some(slot) = self.custody.find(&item.id)
            && self.custody.keep_smaller_age(slot, item.age, now)
            && let Some(item) = self.custody.item(slot)
        {
            self.changes.push_back(Change::ItemUpdated(item.clone()));
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.they_have(&short);
            link.answer_refused(short, reason);
            if refusal == Refusal::NoRoom {
                link.asking.pause(now.after(PAUSE));
            }
        }
    }

    fn on_transfer(
        &mut self,
        now: Instant,
        link: LinkId,
        transfer: proto::Transfer,
        frame_len: usize,
    ) -> Result<Received, Misbehaviour> {
        let envelope = Envelope::parse(transfer.envelope)?;
        let mut transferred = Transferred {
            id: envelope.id(),
            header: *envelope.header(),
            size: envelope.size(),
            age: Age::from_wire(transfer.age_minutes),
            copies: Copies::new(transfer.copies),
        };
        let Some(short) = self.claim(link, &mut transferred) else {
            return Ok(Received::Nothing);
        };
        if let Some(link) = self.links.get_mut(&link) {
            link.budget.refund(frame_len);
        }
        Ok(match self.arrive(now, link, short, &transferred) {
            Ok(arrival) => Received::Envelope { envelope, arrival },
            Err(Refusal::NoRoom) => Received::NotTaken(envelope),
            Err(_) => Received::Nothing,
        })
    }

    /// Strikes an envelope off what was asked for; `None` if it was not. What was asked for by its tag alone comes without
    /// copies, whatever is declared.
    fn claim(&mut self, link: LinkId, transferred: &mut Transferred) -> Option<ShortId> {
        let link = self.links.get_mut(&link)?;
        let short = link.short(&transferred.id);
        let by_id = link.asking.arrived(&short);
        let by_tag = link.tags.arrived(&transferred.header.tag);
        if !by_id && !by_tag {
            self.stats.unsolicited += 1;
            return None;
        }
        if !by_id {
            transferred.copies = Copies::NONE;
        }
        Some(short)
    }

    fn arrive(
        &mut self,
        now: Instant,
        link: LinkId,
        short: ShortId,
        transferred: &Transferred,
    ) -> Result<Arrival, Refusal> {
        let neighbour = self.links.get(&link).ok_or(Refusal::NoRoom)?;
        let (class, ingress) = (neighbour.class(), neighbour.setup.ingress);
        let mut copies = self.policy.received_copies(transferred.copies);
        if self.is_short(now) {
            let left = self.custody.copies_left(class, ingress);
            copies = self.policy.copies_where_short(copies, left);
        }
        let mut item = StoredItem {
            id: transferred.id,
            header: transferred.header,
            size: transferred.size,
            age: transferred.age,
            since: now,
            class,
            ingress,
            copies,
            carriers: 0,
        };
        if let Some((since, age)) = self.seen.revived(&item, now) {
            (item.since, item.age) = (since, age);
        }
        match self.judge(&item, now) {
            Ok(victims) => Ok(Arrival {
                link,
                short,
                item,
                victims,
                generation: self.generation,
            }),
            Err(refusal) => {
                self.turn_down(now, link, short, &item, refusal);
                Err(refusal)
            }
        }
    }

    fn on_control(
        &mut self,
        now: Instant,
        link_id: LinkId,
        body: Body,
    ) -> Result<Received, Misbehaviour> {
        let Some(link) = self.links.get_mut(&link_id) else {
            return Ok(Received::Nothing);
        };
        match body {
            Body::Digest(digest) => return self.on_digest(now, link_id, &digest),
            Body::Cells(cells) => {
                let progress = match &mut link.session {
                    Session::Opening(opening) => opening.on_cells(&cells),
                    // What was on its way when enough had been read.
                    Session::Closing | Session::Settled => return Ok(Received::Nothing),
                    _ => return Ok(self.ignore()),
                };
                return self.on_progress(link_id, progress);
            }
            Body::List(list) => {
                let progress = match &mut link.session {
                    Session::Opening(opening) => opening.on_list(&list),
                    _ => return Ok(self.ignore()),
                };
                return self.on_progress(link_id, progress);
            }
            Body::More(more) => {
                let heard = match &mut link.session {
                    Session::Answering(answering) => answering.on_more(&more),
                    _ => false,
                };
                self.stats.ignored += u64::from(!heard);
            }
            Body::Offer(offer) => {
                let over = match link.session {
                    Session::Answering(_) => true,
                    Session::Opening(_) => offer.settled,
                    _ => false,
                };
                if over {
                    link.session = Session::Settled;
                }
                self.on_offered(link_id, &mut short_ids(&offer.ids));
            }
            Body::Want(want) => self.on_want(now, link_id, short_ids(&want.ids)),
            Body::Cancel(cancel) => {
                for short in short_ids(&cancel.ids) {
                    // In whichever direction it was asked for: who has the item can only have been asked.
                    let heard = link.giving.unwant(&short)
                        || link.asking.withdrawn(&short)
                        || link.tags.withdrawn(&short);
                    self.stats.ignored += u64::from(!heard);
                }
            }
            // The first has been dealt with; the others are the node's.
            Body::Transfer(_) | Body::Invitation(_) | Body::Named(_) | Body::Resumed(_) => {}
            Body::Receipts(receipts) => self.on_receipts(now, link_id, &receipts)?,
            Body::Accepted(accepted) => self.on_accepted(now, link_id, short_ids(&accepted.ids)),
            Body::Refused(refused) => {
                let has_it = refused.reason() == RefusalReason::Known;
                for short in short_ids(&refused.ids) {
                    let link = self.links.get_mut(&link_id);
                    match link.and_then(|link| link.giving.refused(&short, has_it)) {
                        Some((slot, copies)) => self.return_copies(now, slot, copies),
                        None => self.stats.ignored += 1,
                    }
                }
            }
            Body::TagOffer(offer) => return self.on_tags_shown(now, link_id, &offer),
            Body::Take(take) => {
                for tag in tags(&take.tags)? {
                    let item = link.tags.taken(&tag);
                    let item = item.and_then(|id| self.custody.item(self.custody.find(&id)?));
                    let heard = item.is_some_and(|item| {
                        let priority = self
                            .policy
                            .priority(&candidate(item, now), &link.neighbour());
                        let short = link.short(&item.id);
                        link.giving.want_by_tag(short, priority)
                    });
                    self.stats.ignored += u64::from(!heard);
                }
            }
        }
        Ok(Received::Nothing)
    }

    fn on_digest(
        &mut self,
        now: Instant,
        link_id: LinkId,
        digest: &proto::Digest,
    ) -> Result<Received, Misbehaviour> {
        let theirs = decode_digest(digest).ok_or(Misbehaviour::Reconciliation)?;
        let Some(link) = self.links.get_mut(&link_id) else {
            return Ok(Received::Nothing);
        };
        if let Session::Opening(opening) = &mut link.session {
            let progress = opening.on_digest(&theirs);
            let received = self.on_progress(link_id, progress);
            // The other end has settled with its digest and need not be told.
            if let Some(link) = self.links.get_mut(&link_id)
                && matches!(link.session, Session::Closing)
            {
                link.session = Session::Settled;
            }
            return received;
        }
        if link.setup.opener || !link.budget.open_session(now) {
            return Ok(self.ignore());
        }
        if link.resync_at <= now {
            link.giving.forgive_refusals();
            link.resync_at = now.after(self.config.resync_interval);
        }
        let (mine, snapshot) = link.giving.snapshot();
        link.announcing.told_all();
        if theirs.count == 0 {
            link.giving.they_lack_all();
        }
        let salt = &link.setup.salt;
        let difference = match answer(salt, mine, snapshot, &theirs, digest, self.chance) {
            Answered::Answering(answering) => {
                link.session = Session::Answering(answering);
                return Ok(Received::Nothing);
            }
            Answered::Settled(difference) => difference,
        };
        self.on_progress(link_id, Progress::Settled(difference))
    }

    fn on_progress(
        &mut self,
        link_id: LinkId,
        progress: Progress,
    ) -> Result<Received, Misbehaviour> {
        let Some(link) = self.links.get_mut(&link_id) else {
            return Ok(Received::Nothing);
        };
        match progress {
            Progress::Waiting => {}
            Progress::Ask(more) => link.ask_more(more),
            Progress::Nonsense => return Err(Misbehaviour::Reconciliation),
            Progress::Settled(difference) => {
                link.session = Session::Closing;
                link.giving.they_lack(difference.mine);
                self.stats.reconciled += 1;
                self.on_offered(link_id, &mut difference.theirs.into_iter());
            }
        }
        Ok(Received::Nothing)
    }

    /// The neighbour has these.
    fn on_offered(&mut self, link_id: LinkId, shorts: &mut dyn Iterator<Item = ShortId>) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        for short in shorts {
            let known = link.they_have(&short)
                || seen_on(&mut link.seen, &link.setup, &self.seen).contains(&short);
            if known {
                link.announcing.was_redundant();
            } else if link.asking.lack(short) {
                link.announcing.was_useful(&short);
            } else {
                self.stats.ignored += 1;
            }
        }
    }

    /// The neighbour keeps these. What the policy takes of them is asked for; the node is told of the others too, for
    /// only it knows which are for the person here.
    fn on_tags_shown(
        &mut self,
        now: Instant,
        link_id: LinkId,
        offer: &proto::TagOffer,
    ) -> Result<Received, Misbehaviour> {
        let tags = tags(&offer.tags)?;
        if offer.ids.len() != tags.len() || offer.age_minutes.len() != tags.len() {
            return Err(Misbehaviour::Tags);
        }
        self.look_around(now);
        let elsewhere = |tag: &Tag| self.links.values().any(|link| link.tags.is_taking(tag));
        let elsewhere: Vec<bool> = tags.iter().map(elsewhere).collect();
        let Some(link) = self.links.get_mut(&link_id) else {
            return Ok(Received::Nothing);
        };
        let neighbour = link.neighbour();
        let mut lacking = Vec::new();
        let ages = offer.age_minutes.iter().copied().map(Age::from_wire);
        let shown = tags.iter().zip(short_ids(&offer.ids)).zip(ages);
        for (((tag, short), age), elsewhere) in shown.zip(elsewhere) {
            if link.they_have(&short) {
                link.tags.hide(tag);
                continue;
            }
            if seen_on(&mut link.seen, &link.setup, &self.seen).contains(&short) {
                continue;
            }
            link.tags.shown_by_them(*tag, short);
            lacking.push(*tag);
            let shown = Shown { tag, age };
            let draw = self.urn.draw(tag);
            if !elsewhere && self.policy.pulls(&shown, &neighbour, &self.around, draw) {
                link.tags.take(*tag);
            }
        }
        Ok(Received::TagsShown(lacking))
    }

    fn on_want(&mut self, now: Instant, link_id: LinkId, shorts: impl Iterator<Item = ShortId>) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        let neighbour = link.neighbour();
        for short in shorts {
            let wanted = link.giving.envelope(&short);
            let wanted = wanted.and_then(|slot| self.custody.item(slot));
            let mut priority = Priority::new(0);
            if let Some(item) = wanted {
                let candidate = candidate(item, now);
                let sharing = self.policy.sharing(&candidate, &neighbour, &self.around);
                if sharing != Sharing::Push {
                    link.keep_back(short, item, sharing);
                }
                priority = self.policy.priority(&candidate, &neighbour);
            }
            let heard = link.giving.want(short, priority);
            if heard {
                link.announcing.was_useful(&short);
            }
            self.stats.ignored += u64::from(!heard);
        }
    }

    fn on_receipts(
        &mut self,
        now: Instant,
        link_id: LinkId,
        receipts: &proto::Receipts,
    ) -> Result<(), Misbehaviour> {
        let (preimages, rest) = receipts.preimages.as_chunks::<{ Preimage::LEN }>();
        if !rest.is_empty() || preimages.len() != receipts.age_minutes.len() {
            return Err(Misbehaviour::Receipts);
        }
        for (preimage, age) in preimages.iter().zip(&receipts.age_minutes) {
            let preimage = Preimage::new(*preimage);
            let id = preimage.commitment().receipt_id();
            let Some(link) = self.links.get_mut(&link_id) else {
                return Ok(());
            };
            let short = link.short(&id);
            if !link.asking.arrived(&short) {
                self.stats.unsolicited += 1;
                continue;
            }
            let receipt = StoredReceipt {
                preimage,
                lifetime: Lifetime::MONTH,
                age: Age::from_wire(*age),
                since: now,
                known: false,
                class: link.class(),
                ingress: link.setup.ingress,
            };
            self.take_receipt(now, receipt, Some(link_id));
        }
        Ok(())
    }

    fn on_accepted(
        &mut self,
        now: Instant,
        link_id: LinkId,
        shorts: impl Iterator<Item = ShortId>,
    ) {
        for short in shorts {
            let link = self.links.get_mut(&link_id);
            let Some(slot) = link.and_then(|link| link.giving.accepted(&short)) else {
                self.stats.ignored += 1;
                continue;
            };
            let Some(item) = self.custody.count_carrier(slot) else {
                continue;
            };
            let (id, size, carriers) = (item.id, item.size, item.carriers);
            let own = item.class == crate::Class::Own;
            self.changes.push_back(Change::HandedOver {
                link: link_id,
                id,
                size,
            });
            self.note_update(now, slot);
            if own {
                self.changes.push_back(Change::Carried { id, carriers });
            }
        }
    }

    const fn ignore(&mut self) -> Received {
        self.stats.ignored += 1;
        Received::Nothing
    }
}

fn short_ids(ids: &[u64]) -> impl Iterator<Item = ShortId> {
    ids.iter().copied().map(ShortId::new)
}

fn tags(bytes: &[u8]) -> Result<Vec<Tag>, Misbehaviour> {
    let (tags, rest) = bytes.as_chunks::<{ Tag::LEN }>();
    if !rest.is_empty() {
        return Err(Misbehaviour::Tags);
    }
    Ok(tags.iter().copied().map(Tag::new).collect())
}

/// Why an envelope that arrived is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Its lifetime is over.
    #[error("the envelope has expired")]
    Expired,
    /// It is in custody already.
    #[error("the envelope is here already")]
    Held,
    /// It was here before, or its receipt is here.
    #[error("the envelope was here before")]
    Known,
    /// There is no room for it, or no place to remember it.
    #[error("there is no room for the envelope")]
    NoRoom,
}

/// What no honest neighbour does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// A transfer that holds no envelope.
    #[error("the neighbour sent something that is no envelope: {0}")]
    Envelope(#[from] EnvelopeError),
    /// Bytes that are no frame.
    #[error("the neighbour sent something that is no frame: {0}")]
    Frame(#[from] FrameError),
    /// More than the link's budget. The frame was dropped undecoded.
    #[error("the neighbour is over its budget: {0}")]
    OverBudget(#[from] OverBudget),
    /// Receipts that are not 16 bytes each, or not with one age each.
    #[error("the neighbour sent malformed receipts")]
    Receipts,
    /// Digests, symbols or lists that contradict themselves.
    #[error("the neighbour's reconciliation makes no sense")]
    Reconciliation,
    /// Tags that are not 16 bytes each.
    #[error("the neighbour sent malformed tags")]
    Tags,
}
