//! How much a contact can make us store, and what happens when the store itself runs out of room.

use chappe_wire::Tag;
use prost::Message as _;

use crate::contact::ContactId;
use crate::file::CHUNK_COST;
use crate::output::{CommandError, Event, Shortage};
use crate::record::InboxRecord;
use crate::{Node, NodeError, Store};

/// What a message is counted with besides its record: its key and its place in the store.
const ENTRY_COST: u64 = 128;
/// The most that one message of a contact can cost, its file apart.
pub(crate) const MAX_MESSAGE_COST: u64 = 8 << 10;
/// What stays free for the node's own records. Below it the node takes neither envelopes nor messages, and
/// goes on with everything else: one batch of inputs changes less than this.
pub(crate) const RESERVE: u64 = 4 << 20;

/// What the store has room for, as of the last commit and less what was written since.
#[derive(Debug)]
pub(crate) struct Room {
    free: u64,
    /// The shortage was told of, and something may have been left unread because of it.
    short: bool,
}

impl Room {
    pub(crate) const fn new(free: u64) -> Self {
        Self { free, short: false }
    }

    /// Whether the store is so full that only the node's own records are written.
    pub(crate) const fn is_low(&self) -> bool {
        self.free < RESERVE
    }

    /// Something is written.
    pub(crate) const fn spend(&mut self, key: &[u8], value_len: usize) {
        let cost = (key.len() as u64)
            .saturating_add(value_len as u64)
            .saturating_add(ENTRY_COST);
        self.free = self.free.saturating_sub(cost);
    }
}

/// What becomes of an envelope, by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// It is for this node, and is opened.
    Heard,
    /// It is for this node, but from a contact whose share is used up: it stays sealed until there is room.
    HeldBack(ContactId),
    /// It is for somebody else, or from a contact that is blocked.
    Ignored,
}

/// What a message costs its sender's share, its file apart.
pub(crate) fn message_cost(record: &InboxRecord) -> u64 {
    (record.encoded_len() as u64).saturating_add(ENTRY_COST)
}

/// What a file of so many chunks costs its sender's share.
pub(crate) fn file_cost(chunks: u32) -> u64 {
    u64::from(chunks).saturating_mul(CHUNK_COST)
}

impl<S: Store> Node<S> {
    /// What becomes of an envelope with this tag.
    pub(crate) fn hearing(&self, tag: &Tag) -> Hearing {
        if let Some((message, _)) = self.files.recognise(tag) {
            // Its room was set aside when its message came.
            return match self.files.sender(message) {
                Some(contact) if !self.is_blocked(contact) => Hearing::Heard,
                _ => Hearing::Ignored,
            };
        }
        let contact = if let Some((voice, _)) = self.rooms.recognise(tag) {
            self.rooms.speaker(voice).map(|(_, speaker)| speaker)
        } else if let Some((chain, _)) = self.chains.recognise(tag) {
            let origin = self.chains.origin(chain);
            origin.and_then(|origin| origin.contact())
        } else {
            return Hearing::Ignored;
        };
        match contact {
            Some(contact) if self.is_blocked(contact) => Hearing::Ignored,
            Some(contact) if !self.has_share(contact, MAX_MESSAGE_COST) => {
                Hearing::HeldBack(contact)
            }
            _ => Hearing::Heard,
        }
    }

    /// Whether a contact may make us store so many bytes more.
    pub(crate) fn has_share(&self, contact: ContactId, bytes: u64) -> bool {
        let stored = self
            .people
            .person(contact)
            .map_or(0, |person| person.record.stored);
        stored.saturating_add(bytes) <= self.config.quota_per_contact.get()
    }

    /// Counts what a contact made us store.
    pub(crate) fn charge(&mut self, contact: ContactId, bytes: u64) -> Result<(), NodeError> {
        if let Ok(person) = self.people.person_mut(contact) {
            person.record.stored = person.record.stored.saturating_add(bytes);
        }
        self.save_contact(contact)
    }

    /// Gives a contact back what was deleted.
    pub(crate) fn refund(&mut self, contact: ContactId, bytes: u64) -> Result<(), NodeError> {
        if let Ok(person) = self.people.person_mut(contact) {
            person.record.stored = person.record.stored.saturating_sub(bytes);
            person.held_back = false;
        }
        self.save_contact(contact)
    }

    /// A message of a contact found its share used up. Told once until something is deleted.
    pub(crate) fn hold_back(&mut self, contact: ContactId) {
        self.counters.held_back = self.counters.held_back.saturating_add(1);
        self.dirty = true;
        let Ok(person) = self.people.person_mut(contact) else {
            return;
        };
        if !core::mem::replace(&mut person.held_back, true) {
            let name = person.record.name.clone();
            self.tell(Event::NoRoom(Shortage::Contact { contact, name }));
        }
    }

    /// The store is full: told once until it has room again.
    pub(crate) fn store_is_short(&mut self) {
        if !core::mem::replace(&mut self.room.short, true) {
            self.tell(Event::NoRoom(Shortage::Store));
        }
    }

    /// Looks anew how much room there is. If there was too little and is enough now, what was left unread is
    /// looked for.
    pub(crate) fn measure_room(&mut self) -> Result<(), NodeError> {
        self.room.free = self.store.free()?.get();
        if self.room.short && !self.room.is_low() {
            self.room.short = false;
            self.look_again();
        }
        Ok(())
    }

    /// Looks among all carried envelopes for those that are for this node.
    pub(crate) fn look_again(&mut self) {
        self.found = self.held.iter().map(|(_, id)| *id).collect();
    }

    /// Whether so many bytes more can be written here, for a message that is sent.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), CommandError> {
        if self.room.free < RESERVE.saturating_add(bytes) {
            return Err(CommandError::StoreFull);
        }
        Ok(())
    }
}
