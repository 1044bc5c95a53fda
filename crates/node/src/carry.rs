//! The router's side of a node: frames in, transfers out, and everything it changes written down.

use alloc::vec::Vec;

use chappe_gossip::{
    Change, Class, Copies, DropReason, Handover, Ingress, Misbehaviour, Received, SeenEntry,
    StoredItem, StoredReceipt,
};
use chappe_wire::{
    Age, ByteCount, Commitment, Duration, Envelope, Header, Instant, ItemId, Lifetime, LinkId,
    Preimage, Tag, is_for_node,
};

use crate::command::{describe_outgoing, room_id};
use crate::contact::ContactId;
use crate::message::MessageId;
use crate::outbox;
use crate::output::{CommandError, Event};
use crate::quota::Hearing;
use crate::receipts::{HELD, HELD_UNVERIFIED, LET_GO};
use crate::record::{ItemRecord, OutboxRecord, ReceiptRecord, SeenRecord, for_each, load};
use crate::{Delivery, Node, NodeError, Store, Table};

/// How many envelopes that a rescan found are opened in one transaction.
const MAX_FOUND_PER_COMMIT: usize = 256;
/// How many envelopes of one message are written in one transaction.
const MAX_SENT_PER_COMMIT: usize = 512;

impl<S: Store> Node<S> {
    /// Takes a frame off a hop.
    pub(crate) fn frame(
        &mut self,
        now: Instant,
        link: LinkId,
        frame: &[u8],
    ) -> Result<(), NodeError> {
        if is_for_node(frame) {
            self.moving_frame(now, link, frame);
            return Ok(());
        }
        match self.router.handle_frame(now, link, frame) {
            Ok(Received::Envelope { arrival, .. }) if self.room.is_low() => {
                // The neighbour keeps it, and keeps it for us if it is ours.
                self.router.refuse(now, arrival);
                self.store_is_short();
            }
            Ok(Received::Envelope { envelope, arrival }) => {
                let id = arrival.item().id;
                // Carried like any other, also if it is for this node: what differs cannot be seen outside.
                if self.router.accept(now, arrival).is_ok() {
                    self.keep_body(&id, &envelope)?;
                    if self.me.is_some() {
                        // Known at once: a message later in this very batch may make its tag an expected one.
                        self.held.insert((envelope.header().tag, id));
                    }
                    self.counters.taken = self.counters.taken.saturating_add(1);
                    self.tell(Event::Taken {
                        link,
                        id,
                        size: envelope.size(),
                    });
                }
                self.open(now, &id, &envelope)?;
            }
            // No room to carry it is no reason not to read it. The neighbour cannot tell.
            Ok(Received::NotTaken(envelope)) if !self.room.is_low() => {
                self.open(now, &envelope.id(), &envelope)?;
            }
            // What the policy takes besides is asked for in the same frame.
            Ok(Received::TagsShown(tags)) => {
                let wanted: Vec<Tag> = tags.into_iter().filter(|tag| self.is_for_me(tag)).collect();
                self.router.take(link, wanted);
            }
            Ok(_) => {}
            // The frame was dropped; an honest neighbour can be hasty.
            Err(Misbehaviour::OverBudget(_)) => {}
            Err(_) => self.drop_link(now, link, "the neighbour breaks the router's protocol"),
        }
        Ok(())
    }

    /// Puts the envelopes of an own message into custody: all of them, or none.
    pub(crate) fn keep_message(
        &mut self,
        now: Instant,
        message: MessageId,
        envelopes: &[Envelope],
    ) -> Result<(), CommandError> {
        for (number, envelope) in envelopes.iter().enumerate().rev() {
            if number > 0 && number.is_multiple_of(MAX_SENT_PER_COMMIT) {
                // The message itself comes last, with its number spent before.
                self.changes(now)?;
                self.commit(now)?;
            }
            if let Err(error) = self.keep_own(now, message, envelope) {
                for envelope in envelopes {
                    self.router.discard(now, &envelope.id());
                }
                self.outbox.forget(message);
                return Err(error);
            }
        }
        Ok(())
    }

    fn keep_own(
        &mut self,
        now: Instant,
        message: MessageId,
        envelope: &Envelope,
    ) -> Result<(), CommandError> {
        let id = envelope.id();
        if self
            .router
            .add_own(now, id, *envelope.header(), envelope.size())
            .is_err()
        {
            return Err(CommandError::OutboxFull);
        }
        self.outbox.add(message, id, 0);
        self.keep_body(&id, envelope)?;
        Ok(())
    }

    /// The frame that hands an envelope over; `None` if it is gone.
    pub(crate) fn transfer(
        &mut self,
        now: Instant,
        handover: &Handover,
    ) -> Result<Option<Vec<u8>>, NodeError> {
        let bytes = self.store.get(Table::Bodies, handover.id.as_bytes())?;
        let envelope = bytes.and_then(|bytes| Envelope::parse(bytes).ok());
        if envelope.is_none() {
            self.router.discard(now, &handover.id);
        }
        Ok(envelope.map(|envelope| handover.frame(&envelope)))
    }

    /// Delivers some of what a rescan found: no more than fits into one transaction.
    pub(crate) fn deliver_found(&mut self, now: Instant) -> Result<(), NodeError> {
        if self.room.is_low() && !self.found.is_empty() {
            // All of it is found again once there is room.
            self.found.clear();
            self.store_is_short();
        }
        for _ in 0..MAX_FOUND_PER_COMMIT {
            let Some(id) = self.found.pop_front() else {
                break;
            };
            let Some(item) = self.router.item(&id) else {
                continue;
            };
            if !self.is_for_me(&item.header.tag) {
                continue;
            }
            let bytes = self.store.get(Table::Bodies, id.as_bytes())?;
            if let Some(envelope) = bytes.and_then(|bytes| Envelope::parse(bytes).ok()) {
                self.open(now, &id, &envelope)?;
            }
        }
        Ok(())
    }

    /// Writes down what the router has changed.
    pub(crate) fn changes(&mut self, now: Instant) -> Result<(), NodeError> {
        while let Some(change) = self.router.poll_change() {
            match change {
                Change::ItemStored(item) | Change::ItemUpdated(item) => {
                    if self.me.is_some() {
                        self.held.insert((item.header.tag, item.id));
                    }
                    let message = self.outbox.message_of(&item.id);
                    self.save(item.id.as_bytes(), &item_record(&item, message))?;
                }
                Change::ItemDropped { id, reason, own } => self.dropped(now, &id, reason, own)?,
                Change::SeenAdded(entry) => self.save(entry.id.as_bytes(), &seen_record(&entry))?,
                Change::SeenRemoved(id) => self.delete(Table::Seen, id.as_bytes())?,
                Change::ReceiptStored(receipt) => {
                    let commitment = receipt.preimage.commitment();
                    self.save(commitment.as_bytes(), &receipt_record(&receipt))?;
                }
                Change::ReceiptDropped(commitment) => {
                    self.delete(Table::Receipts, commitment.as_bytes())?;
                }
                Change::HandedOver { link, id, size } => {
                    self.counters.handed_over = self.counters.handed_over.saturating_add(1);
                    self.tell(Event::HandedOver { link, id, size });
                }
                Change::Carried { id, .. } => {
                    if let Some(change) = self.outbox.carried(&id) {
                        self.moved(now, change)?;
                    }
                }
                Change::Delivered(id) => {
                    if let Some(change) = self.outbox.delivered(&id) {
                        self.moved(now, change)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn dropped(
        &mut self,
        now: Instant,
        id: &ItemId,
        reason: DropReason,
        own: bool,
    ) -> Result<(), NodeError> {
        if self.me.is_some()
            && let Some(record) = load::<ItemRecord>(&self.store, id.as_bytes())?
        {
            let tag = stored_item(id.as_bytes(), &record)?.header.tag;
            self.held.remove(&(tag, *id));
        }
        self.delete(Table::Items, id.as_bytes())?;
        self.delete(Table::Bodies, id.as_bytes())?;
        let (counter, why) = match reason {
            DropReason::Receipted => (&mut self.counters.freed, "its receipt came"),
            DropReason::Expired => (&mut self.counters.expired, "its lifetime is over"),
            DropReason::Quota => (&mut self.counters.evicted, "its room was needed"),
            DropReason::ByNode => (&mut self.counters.withdrawn, "it was withdrawn"),
        };
        *counter = counter.saturating_add(1);
        self.tell(Event::Dropped {
            id: *id,
            reason: why,
        });
        if own
            && reason == DropReason::Expired
            && let Some(change) = self.outbox.expired(id)
        {
            self.moved(now, change)?;
        }
        Ok(())
    }

    /// A sent message's state has changed.
    fn moved(&mut self, now: Instant, change: outbox::Change) -> Result<(), NodeError> {
        let key = change.message.0.to_be_bytes();
        // A process that ended while it accepted a message leaves envelopes of none.
        let Some(mut record) = load::<OutboxRecord>(&self.store, &key)? else {
            return Ok(());
        };
        let before = describe_outgoing(now, change.message, &record).state;
        let over = matches!(change.state, Delivery::Delivered | Delivery::Expired);
        // A message to a room is over when its sender takes it back: its record is gone by then.
        if record.hidden && over {
            if change.state == Delivery::Expired
                && let Some(room) = room_id(&record.room)
            {
                let contact = ContactId(record.contact);
                self.room_word_expired(now, room, contact, record.gone)?;
            }
            return self.delete(Table::Outbox, &key);
        }
        record.outstanding = change.outstanding;
        match change.state {
            Delivery::Carried { carriers } => record.carriers = carriers,
            Delivery::Expired => record.expired = true,
            _ => {}
        }
        self.save(&key, &record)?;
        let told = describe_outgoing(now, change.message, &record);
        if !record.hidden && told.state != before {
            self.tell(Event::Sent(told));
        }
        Ok(())
    }

    fn keep_body(&mut self, id: &ItemId, envelope: &Envelope) -> Result<(), NodeError> {
        self.dirty = true;
        let bytes = envelope.as_bytes();
        self.room.spend(id.as_bytes(), bytes.len());
        Ok(self.store.put(Table::Bodies, id.as_bytes(), bytes)?)
    }

    fn is_for_me(&self, tag: &Tag) -> bool {
        self.hearing(tag) == Hearing::Heard
    }

    /// Reads an envelope, which has this id, if it is for this node.
    fn open(&mut self, now: Instant, id: &ItemId, envelope: &Envelope) -> Result<(), NodeError> {
        let tag = envelope.header().tag;
        match self.hearing(&tag) {
            Hearing::Heard => {}
            Hearing::HeldBack(contact) => {
                self.hold_back(contact);
                return Ok(());
            }
            Hearing::Ignored => return Ok(()),
        }
        if let Some((message, index)) = self.files.recognise(&tag) {
            return self.deliver_chunk(now, (message, index), id, envelope);
        }
        if let Some((voice, counter)) = self.rooms.recognise(&tag) {
            return self.deliver_to_room(voice, counter, envelope);
        }
        match self.chains.recognise(&tag) {
            Some((chain, counter)) => self.deliver(now, chain, counter, envelope),
            None => Ok(()),
        }
    }

    /// Gives the router and the outbox what the store holds, at the start.
    pub(crate) fn restore_custody(&mut self, now: Instant) -> Result<(), NodeError> {
        let Self {
            store,
            router,
            outbox,
            held,
            me,
            ..
        } = self;
        for_each::<SeenRecord>(store, |key, record| {
            router.restore_seen(seen_entry(key, &record)?);
            Ok(())
        })?;
        for_each::<ItemRecord>(store, |key, record| {
            let item = stored_item(key, &record)?;
            if record.message != 0 {
                outbox.add(MessageId(record.message), item.id, record.carriers);
            }
            if me.is_some() {
                held.insert((item.header.tag, item.id));
            }
            router.restore_item(item);
            Ok(())
        })?;
        let mut kept_back = Vec::new();
        for_each::<ReceiptRecord>(store, |key, record| {
            match record.state {
                HELD | HELD_UNVERIFIED => kept_back.push((key.to_vec(), record)),
                _ => router.restore_receipt(stored_receipt(&record)?),
            }
            Ok(())
        })?;
        for (key, record) in kept_back {
            self.restore_held(now, key, &record)?;
        }
        Ok(())
    }
}

fn item_record(item: &StoredItem, message: Option<MessageId>) -> ItemRecord {
    ItemRecord {
        header: item.header.to_bytes().to_vec(),
        size: item.size.get(),
        age: item.age.as_duration().as_micros(),
        since: item.since.as_micros(),
        class: class_code(item.class),
        ingress: item.ingress.number(),
        copies: item.copies.count(),
        carriers: item.carriers,
        message: message.map_or(0, |message| message.0),
    }
}

fn stored_item(key: &[u8], record: &ItemRecord) -> Result<StoredItem, NodeError> {
    let header = record
        .header
        .as_slice()
        .try_into()
        .map_err(|_| NodeError::Record)?;
    Ok(StoredItem {
        id: item_id(key)?,
        header: Header::parse(header),
        size: ByteCount::new(record.size),
        age: Age::from_duration(Duration::from_micros(record.age)),
        since: Instant::from_micros(record.since),
        class: class_from(record.class)?,
        ingress: Ingress::new(record.ingress),
        copies: Copies::new(record.copies),
        carriers: record.carriers,
    })
}

fn seen_record(entry: &SeenEntry) -> SeenRecord {
    SeenRecord {
        until: entry.until.as_micros(),
        ingress: entry.ingress.number(),
        class: class_code(entry.class),
        commitment: entry.commitment.as_bytes().to_vec(),
        outlived: entry.outlived.map(Instant::as_micros),
    }
}

fn seen_entry(key: &[u8], record: &SeenRecord) -> Result<SeenEntry, NodeError> {
    let commitment = record
        .commitment
        .as_slice()
        .try_into()
        .map_err(|_| NodeError::Record)?;
    Ok(SeenEntry {
        id: item_id(key)?,
        commitment: Commitment::new(commitment),
        until: Instant::from_micros(record.until),
        class: class_from(record.class)?,
        ingress: Ingress::new(record.ingress),
        outlived: record.outlived.map(Instant::from_micros),
    })
}

fn receipt_record(receipt: &StoredReceipt) -> ReceiptRecord {
    ReceiptRecord {
        preimage: receipt.preimage.as_bytes().to_vec(),
        state: LET_GO,
        age: receipt.age.as_duration().as_micros(),
        since: receipt.since.as_micros(),
        lifetime: u32::from(receipt.lifetime.code()),
        ingress: receipt.ingress.number(),
        known: receipt.known,
        class: class_code(receipt.class),
    }
}

fn stored_receipt(record: &ReceiptRecord) -> Result<StoredReceipt, NodeError> {
    let preimage = record
        .preimage
        .as_slice()
        .try_into()
        .map_err(|_| NodeError::Record)?;
    Ok(StoredReceipt {
        preimage: Preimage::new(preimage),
        lifetime: Lifetime::from_code(u8::try_from(record.lifetime).unwrap_or(u8::MAX)),
        age: Age::from_duration(Duration::from_micros(record.age)),
        since: Instant::from_micros(record.since),
        known: record.known,
        class: class_from(record.class)?,
        ingress: Ingress::new(record.ingress),
    })
}

fn item_id(key: &[u8]) -> Result<ItemId, NodeError> {
    key.try_into()
        .map(ItemId::new)
        .map_err(|_| NodeError::Record)
}

fn class_code(class: Class) -> u32 {
    match class {
        Class::Own => 0,
        Class::Pinned => 1,
        Class::Stranger => 2,
    }
}

fn class_from(code: u32) -> Result<Class, NodeError> {
    match code {
        0 => Ok(Class::Own),
        1 => Ok(Class::Pinned),
        2 => Ok(Class::Stranger),
        _ => Err(NodeError::Record),
    }
}
