//! The contact book: who is known, by which keys, with which sessions.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use chappe_omemo::ciphermachine::KeyRing;
use chappe_omemo::{IdentityKey, Sessions};
use chappe_wire::ByteCount;

use crate::contact::{Contact, ContactId, Trust};
use crate::output::CommandError;
use crate::record::ContactRecord;

/// The most contacts.
pub(crate) const MAX_CONTACTS: usize = 1_000;

/// All contacts, in memory.
#[derive(Default)]
pub(crate) struct People {
    people: BTreeMap<ContactId, Person>,
}

/// One contact.
pub(crate) struct Person {
    pub(crate) record: ContactRecord,
    /// The OMEMO sessions with its device; empty for a contact with a pair secret.
    pub(crate) sessions: Sessions,
    /// The CipherMachine keys, if there are any.
    pub(crate) ring: Option<KeyRing>,
    /// Its share of the store is used up, and that was told.
    pub(crate) held_back: bool,
}

impl People {
    pub(crate) fn insert(&mut self, id: ContactId, person: Person) {
        self.people.insert(id, person);
    }

    pub(crate) fn remove(&mut self, id: ContactId) -> Option<Person> {
        self.people.remove(&id)
    }

    pub(crate) fn person(&self, id: ContactId) -> Result<&Person, CommandError> {
        self.people.get(&id).ok_or(CommandError::NoSuchContact)
    }

    pub(crate) fn person_mut(&mut self, id: ContactId) -> Result<&mut Person, CommandError> {
        self.people.get_mut(&id).ok_or(CommandError::NoSuchContact)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ContactId, &Person)> {
        self.people.iter().map(|(id, person)| (*id, person))
    }

    /// Whoever claims to be this device: to be believed only after its identity key was checked.
    pub(crate) fn claiming(&self, jid: &str, device: u32) -> Option<ContactId> {
        self.iter()
            .find(|(_, person)| {
                !person.is_pair() && person.record.jid == jid && person.record.device == device
            })
            .map(|(id, _)| id)
    }

    /// The holder of this identity key.
    pub(crate) fn holder(&self, identity: &IdentityKey) -> Option<ContactId> {
        self.iter()
            .find(|(_, person)| person.record.identity == identity.as_bytes())
            .map(|(id, _)| id)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.people.len() >= MAX_CONTACTS
    }

    /// Whether a contact other than `except` is called `name`.
    pub(crate) fn is_taken(&self, name: &str, except: Option<ContactId>) -> bool {
        self.iter()
            .any(|(id, person)| Some(id) != except && person.record.name == name)
    }

    /// `name`, or `name (2)`, `name (3)`, ... if others have it.
    pub(crate) fn free_name(&self, name: &str) -> String {
        let name = if name.is_empty() { "stranger" } else { name };
        if !self.is_taken(name, None) {
            return name.to_string();
        }
        (2..=MAX_CONTACTS.saturating_add(2))
            .map(|number| format!("{name} ({number})"))
            .find(|candidate| !self.is_taken(candidate, None))
            .unwrap_or_default()
    }
}

impl Person {
    pub(crate) fn new(record: ContactRecord, sessions: Sessions) -> Self {
        Self {
            record,
            sessions,
            ring: None,
            held_back: false,
        }
    }

    /// True for a contact of an embedder with an OMEMO of its own.
    pub(crate) fn is_pair(&self) -> bool {
        self.record.identity.is_empty()
    }

    /// The identity key, if the contact has one.
    pub(crate) fn identity(&self) -> Option<IdentityKey> {
        let bytes = self.record.identity.as_slice().try_into().ok()?;
        IdentityKey::from_bytes(bytes).ok()
    }

    pub(crate) fn trust(&self) -> Trust {
        if self.record.verified {
            Trust::Verified
        } else {
            Trust::Unverified
        }
    }

    /// The contact as people see it.
    pub(crate) fn describe(&self, id: ContactId) -> Contact {
        Contact {
            id,
            name: self.record.name.clone(),
            jid: self.record.jid.clone(),
            device: self.record.device,
            fingerprint: self
                .identity()
                .map(|key| key.fingerprint().to_string())
                .unwrap_or_default(),
            trust: self.trust(),
            blocked: self.record.blocked,
            locked: self.ring.is_some(),
            heard: self.record.heard,
            stored: ByteCount::new(self.record.stored),
        }
    }
}
