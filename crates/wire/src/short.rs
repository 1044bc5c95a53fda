//! Short ids and digests, salted per link, so that nobody can prepare items that collide on it.

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::ItemId;

/// The salt of one link, derived from its handshake; both ends hold the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkSalt([u8; 16]);

impl LinkSalt {
    /// The salt with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The fingerprint of `id` on this link.
    pub fn fingerprint(&self, id: &ItemId) -> Fingerprint {
        Fingerprint(self.hash(id))
    }

    pub(crate) fn hash(&self, id: &ItemId) -> u128 {
        self.hash_bytes(id.as_bytes())
    }

    fn hash_bytes(&self, bytes: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        core::hash::Hasher::write(&mut hasher, bytes);
        hasher.finish128().as_u128()
    }
}

/// An [`ItemId`] on one link, in full: SipHash-2-4-128 under the link's salt. Both its [`ShortId`] and its share of a
/// [`Digest`] come from it, so who keeps it hashes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The short id.
    pub const fn short(self) -> ShortId {
        ShortId(self.0 as u64)
    }

    /// The short id and the other 64 bits, for who keeps many under their short ids.
    pub const fn split(self) -> (ShortId, u64) {
        (self.short(), (self.0 >> 64) as u64)
    }

    /// The fingerprint that was [split](Self::split) into these.
    pub const fn join(short: ShortId, rest: u64) -> Self {
        Self((rest as u128) << 64 | short.0 as u128)
    }
}

/// An [`ItemId`] on one link: 64 bits of SipHash-2-4-128 under the link's salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId(u64);

impl ShortId {
    /// The short id with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The short id of `id` on the link with `salt`.
    pub fn of(salt: &LinkSalt, id: &ItemId) -> Self {
        salt.fingerprint(id).short()
    }

    /// The value.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The check that goes with this short id in coded symbols: bits 64 to 95 of SipHash-2-4-128 of its 8
    /// little-endian bytes under the link's salt.
    pub fn check(self, salt: &LinkSalt) -> u32 {
        (salt.hash_bytes(&self.0.to_le_bytes()) >> 64) as u32
    }
}

/// What a set of items amounts to on one link: equal digests mean equal sets (but for chance of 2^-128).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many items.
    pub count: u64,
    /// Sum of the items' 128-bit salted hashes, modulo 2^128.
    pub fingerprint: u128,
}

impl Digest {
    /// The digest of `items` on the link with `salt`.
    pub fn of<'a>(salt: &LinkSalt, items: impl IntoIterator<Item = &'a ItemId>) -> Self {
        let mut digest = Self::default();
        for item in items {
            digest.insert(salt, item);
        }
        digest
    }

    /// Adds an item that the set did not hold.
    pub fn insert(&mut self, salt: &LinkSalt, item: &ItemId) {
        self.add(salt.fingerprint(item));
    }

    /// Adds the item with this fingerprint, which the set did not hold.
    pub const fn add(&mut self, item: Fingerprint) {
        self.count = self.count.saturating_add(1);
        self.fingerprint = self.fingerprint.wrapping_add(item.0);
    }
}
