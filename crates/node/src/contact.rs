//! Contacts as people see them.

use alloc::string::String;

use chappe_wire::ByteCount;

pub use chappe_envelope::SafetyNumber;

/// The number of a contact on this node. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(pub u32);

/// How well it is known that a contact is who it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Only as good as the channel its URI came by.
    Unverified,
    /// Scanned face to face, or the numbers were compared.
    Verified,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its number.
    pub id: ContactId,
    /// What it is called here; no two contacts share a name.
    pub name: String,
    /// Its bare JID; empty for a contact of `AddPair`.
    pub jid: String,
    /// Its OMEMO device.
    pub device: u32,
    /// Fingerprint of its identity key (XEP-0384): lower-case hex in 8 groups of 8; empty for a contact of
    /// `AddPair`.
    pub fingerprint: String,
    /// Whether it was verified.
    pub trust: Trust,
    /// Whether its messages are dropped.
    pub blocked: bool,
    /// Whether what goes to and comes from it is locked with a CipherMachine key.
    pub locked: bool,
    /// Whether anything was ever received from it.
    pub heard: bool,
    /// How much its messages and files take of its share of the store.
    pub stored: ByteCount,
}
