//! CipherMachine: what goes between two people is locked once more, with a key that they exchanged without a network.
//! What cannot be unlocked, or should have been locked and is not, is shown as that and as nothing else. It is kept,
//! and read once the right key is here.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
use chappe_omemo::{IdentityKey, sce};
use chappe_wire::Instant;
use prost::Message as _;
use zeroize::Zeroizing;

use crate::contact::ContactId;
use crate::message::MessageId;
use crate::output::{CommandError, Event, Reply};
use crate::quota::message_cost;
use crate::record::{InboxRecord, Record as _};
use crate::{Node, NodeError, Store, Table};

/// Entries of the inbox that are looked at in one transaction.
const MAX_UNLOCKED_PER_COMMIT: usize = 256;

/// How what goes to and comes from a contact is locked. Both people set the same.
#[derive(Clone)]
#[non_exhaustive]
pub enum Lock {
    /// With this key ([`MachineKey::as_bytes`]). Those before it still unlock what is under way.
    Key(Zeroizing<[u8; 32]>),
    /// Not any more: the keys are forgotten.
    Off,
    /// With a key that both get from the same passphrase ([`MachineKey::from_passphrase`]).
    Passphrase(Zeroizing<String>),
}

/// What is in a message, once OMEMO has shown whose it is.
pub(crate) enum Reading {
    Content(Box<sce::Content>),
    /// An empty OMEMO message.
    Empty,
    /// Locked with a key that is not here, or not locked though it should be.
    Locked(Vec<u8>),
}

impl<S: Store> Node<S> {
    /// Locks what goes to and comes from a contact, or does so no more, and reads what waits for this key.
    pub(crate) fn lock(
        &mut self,
        now: Instant,
        contact: ContactId,
        lock: &Lock,
    ) -> Result<Reply, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let person = self.people.person_mut(contact)?;
        let identity = person.identity().ok_or(CommandError::WrongKind)?;
        let key = match lock {
            Lock::Key(bytes) => Some(MachineKey::from_bytes(bytes)),
            Lock::Off => None,
            Lock::Passphrase(text) => {
                let own = me.device.identity().public();
                Some(MachineKey::from_passphrase(text, &own, &identity)?)
            }
        };
        match (key, person.ring.as_mut()) {
            (Some(key), Some(ring)) => ring.rotate(key),
            (Some(key), None) => person.ring = Some(KeyRing::new(key)),
            (None, _) => person.ring = None,
        }
        self.save_sessions(contact)?;
        self.unlock_waiting(now, contact)?;
        Ok(Reply::Done)
    }

    /// The content as it is to be encrypted for a contact: locked, if there is a key.
    pub(crate) fn locked(
        &mut self,
        contact: ContactId,
        content: Vec<u8>,
    ) -> Result<Vec<u8>, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let person = self.people.person(contact)?;
        let (Some(ring), Some(reader)) = (&person.ring, person.identity()) else {
            return Ok(content);
        };
        let context = context(&me.device.identity().public(), &reader);
        ring.seal(&mut self.rng, &context, &content)
            .map_err(|_| CommandError::TooLarge)
    }

    /// What a contact's message says. `None` if it is neither content nor locked content.
    pub(crate) fn reading(&self, contact: ContactId, plaintext: Option<&[u8]>) -> Option<Reading> {
        let Some(plaintext) = plaintext else {
            return Some(Reading::Empty);
        };
        let me = self.me.as_ref()?;
        let person = self.people.person(contact).ok()?;
        let locked = || Some(Reading::Locked(plaintext.to_vec()));
        let Some(ring) = &person.ring else {
            return match content(plaintext) {
                None if KeyRing::is_sealed(plaintext) => locked(),
                content => content.map(Reading::Content),
            };
        };
        let context = context(&person.identity()?, &me.device.identity().public());
        if let Ok(opened) = ring.open(&context, plaintext) {
            return content(&opened).map(Reading::Content);
        }
        match content(plaintext) {
            // It says nothing, so there was nothing to lock: introductions, and answers that move a session on.
            Some(content) if content.body.is_none() && content.file.is_none() => {
                Some(Reading::Content(content))
            }
            None if !KeyRing::is_sealed(plaintext) => None,
            _ => locked(),
        }
    }

    /// Reads again what could not be unlocked.
    fn unlock_waiting(&mut self, now: Instant, contact: ContactId) -> Result<(), CommandError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self
                .store
                .scan(Table::Inbox, after.as_deref(), MAX_UNLOCKED_PER_COMMIT)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, value) in &page {
                let record =
                    InboxRecord::decode(value.as_slice()).map_err(|_| NodeError::Record)?;
                if record.contact == contact.0 && record.locked.is_some() {
                    let key = key.as_slice().try_into().map_err(|_| NodeError::Record)?;
                    self.unlock(now, MessageId(u64::from_be_bytes(key)), record)?;
                }
            }
            self.end_slice(now)?;
        }
    }

    /// Puts what a message says in its place, as a message that has just arrived, if it can be unlocked now.
    fn unlock(
        &mut self,
        now: Instant,
        message: MessageId,
        mut record: InboxRecord,
    ) -> Result<(), NodeError> {
        let contact = ContactId(record.contact);
        let Some(Reading::Content(content)) = self.reading(contact, record.locked.as_deref())
        else {
            return Ok(());
        };
        self.delete(InboxRecord::TABLE, &message.0.to_be_bytes())?;
        self.refund(contact, message_cost(&record))?;
        let known = self.people.person(contact);
        if known.map(|person| &person.record.jid) != Ok(&content.from) {
            self.tell(Event::Undecryptable {
                contact: Some(contact),
            });
            return Ok(());
        }
        record.locked = None;
        self.received(now, contact, record, *content)
    }
}

/// Whose content it is and for whom: what is locked for one direction opens in no other, and for no other pair.
fn context(author: &IdentityKey, reader: &IdentityKey) -> Vec<u8> {
    [author.as_bytes().as_slice(), reader.as_bytes()].concat()
}

fn content(xml: &[u8]) -> Option<Box<sce::Content>> {
    sce::Content::from_xml(xml)
        .ok()
        .map(|envelope| Box::new(envelope.content))
}
