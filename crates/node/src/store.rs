//! What a node needs of its disk: ordered tables of bytes, and transactions.

use alloc::vec::Vec;

use chappe_wire::ByteCount;

/// One ordered table of the store. The numbers are part of the store's format and are never used again for
/// something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Table {
    /// Single values: identity, powered clock, counters.
    Meta = 0,
    /// Contacts by contact id.
    Contacts = 1,
    /// OMEMO sessions by contact id.
    Sessions = 2,
    /// Tag chains by chain id.
    Chains = 3,
    /// Carried envelopes without their bodies, by item id.
    Items = 4,
    /// Immutable bytes of carried envelopes, by item id.
    Bodies = 5,
    /// Exact memory of items that were here once, by item id.
    Seen = 6,
    /// Receipts on their way, by commitment; those that wait, by when they came and commitment.
    Receipts = 7,
    /// Messages written here, by message id.
    Outbox = 8,
    /// Messages for the person here, by arrival number.
    Inbox = 9,
    /// Files on their way in or out, by blob id.
    Blobs = 10,
    /// Pieces of files that came in, by blob id and index.
    Chunks = 11,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 12] = [
        Self::Meta,
        Self::Contacts,
        Self::Sessions,
        Self::Chains,
        Self::Items,
        Self::Bodies,
        Self::Seen,
        Self::Receipts,
        Self::Outbox,
        Self::Inbox,
        Self::Blobs,
        Self::Chunks,
    ];
}

/// The longest key.
pub const MAX_KEY_LEN: usize = 64;
/// The longest value.
pub const MAX_VALUE_LEN: usize = 2 << 20;

/// Ordered tables of bytes with transactions.
///
/// Writes belong to one open transaction, begun by the first of them. Reads see it. It becomes durable, all
/// of it or nothing, with [`Store::commit`]; it vanishes with [`Store::rollback`], with the process, or with
/// the power. After an error of a write or of `commit` the transaction is gone, as after `rollback`.
pub trait Store {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets the value of `key`.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is gone.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes `key`. Removing what is not there is fine.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is gone.
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError>;

    /// At most `limit` entries with keys that are greater than `after` (from the first, if `None`), in order.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError>;

    /// How many bytes can still be put, about and rather too few. A store that cannot tell says that there is no end.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    fn free(&self) -> Result<ByteCount, StoreError> {
        Ok(ByteCount::new(u64::MAX))
    }

    /// How many commits are known to be missing here: this is an older copy of a store that has gone on, and keys
    /// in it were used already. 0 if none are, or where nothing can tell. Commits make it 0.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    fn lost_commits(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Makes the open transaction durable. Without one it does nothing.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is gone.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Drops the open transaction.
    fn rollback(&mut self);
}

/// Why the store could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What is on the disk contradicts itself or its authentication tags.
    #[error("the store is damaged")]
    Corrupt,
    /// The disk, or the bound set on the store's size, is full.
    #[error("there is no room left for the store")]
    Full,
    /// The operating system refused a read or a write.
    #[error("the disk refused a read or a write")]
    Io,
    /// A key or value longer than [`MAX_KEY_LEN`] or [`MAX_VALUE_LEN`].
    #[error("a key or value is longer than the store takes")]
    TooLong,
}
