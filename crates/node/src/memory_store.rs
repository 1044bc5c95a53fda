//! A store in memory only.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Bound;

use chappe_wire::ByteCount;
use zeroize::Zeroizing;

use crate::{MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table};

/// What an entry is counted with, in bytes, besides its key and value.
pub const ENTRY_OVERHEAD: u64 = 128;

/// Ordered maps with the transactions of a store on the disk. Values are wiped when they go.
///
/// ```
/// use chappe_node::{MemoryStore, Store as _, Table};
///
/// let mut store = MemoryStore::default();
/// store.put(Table::Meta, b"name", b"north")?;
/// store.commit()?;
/// store.delete(Table::Meta, b"name")?;
/// store.rollback();
/// assert_eq!(store.get(Table::Meta, b"name")?.as_deref(), Some(&b"north"[..]));
/// # Ok::<(), chappe_node::StoreError>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    tables: BTreeMap<Table, Entries>,
    /// What the open transaction replaced, oldest first.
    undo: Vec<(Table, Vec<u8>, Option<Value>)>,
    used: u64,
    max_bytes: u64,
    commits: u64,
    lost: u64,
}

type Value = Zeroizing<Vec<u8>>;
type Entries = BTreeMap<Vec<u8>, Value>;

impl MemoryStore {
    /// An empty store that takes at most `max_bytes`: keys, values, and [`ENTRY_OVERHEAD`] for each entry. What the
    /// open transaction replaced comes on top.
    pub const fn new(max_bytes: ByteCount) -> Self {
        Self {
            tables: BTreeMap::new(),
            undo: Vec::new(),
            used: 0,
            max_bytes: max_bytes.get(),
            commits: 0,
            lost: 0,
        }
    }

    /// How many commits there were that changed something.
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// Tells this copy how many commits were seen of the store: if there are fewer in it, it is an older one.
    #[must_use]
    pub const fn witnessed(mut self, commits: u64) -> Self {
        self.lost = commits.saturating_sub(self.commits);
        self
    }

    /// What the entries take, as counted against the bound.
    pub const fn size(&self) -> ByteCount {
        ByteCount::new(self.used)
    }

    /// Sets or removes an entry and returns what was there.
    fn replace(&mut self, table: Table, key: &[u8], value: Option<Value>) -> Option<Value> {
        let entries = self.tables.entry(table).or_default();
        let added = value.as_ref().map_or(0, |value| cost(key, value));
        let old = match value {
            Some(value) => entries.insert(key.to_vec(), value),
            None => entries.remove(key),
        };
        let removed = old.as_ref().map_or(0, |old| cost(key, old));
        self.used = self.used.saturating_add(added).saturating_sub(removed);
        old
    }
}

impl Default for MemoryStore {
    /// At most 64 MiB.
    fn default() -> Self {
        Self::new(ByteCount::from_mib(64))
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let entries = self.tables.get(&table);
        Ok(entries
            .and_then(|entries| entries.get(key))
            .map(|value| value.to_vec()))
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if key.len() > MAX_KEY_LEN || value.len() > MAX_VALUE_LEN {
            self.rollback();
            return Err(StoreError::TooLong);
        }
        let old = self.replace(table, key, Some(Zeroizing::new(value.to_vec())));
        self.undo.push((table, key.to_vec(), old));
        if self.used > self.max_bytes {
            self.rollback();
            return Err(StoreError::Full);
        }
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        if key.len() > MAX_KEY_LEN {
            self.rollback();
            return Err(StoreError::TooLong);
        }
        let old = self.replace(table, key, None);
        self.undo.push((table, key.to_vec(), old));
        Ok(())
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let Some(entries) = self.tables.get(&table) else {
            return Ok(Vec::new());
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(entries
            .range::<[u8], _>((start, Bound::Unbounded))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.to_vec()))
            .collect())
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        Ok(ByteCount::new(self.max_bytes.saturating_sub(self.used)))
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        Ok(self.lost)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if !self.undo.is_empty() {
            self.commits = self.commits.saturating_add(self.lost).saturating_add(1);
            self.lost = 0;
        }
        self.undo.clear();
        Ok(())
    }

    fn rollback(&mut self) {
        while let Some((table, key, old)) = self.undo.pop() {
            self.replace(table, &key, old);
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

/// What an entry is counted with.
fn cost(key: &[u8], value: &Value) -> u64 {
    ENTRY_OVERHEAD + key.len() as u64 + value.len() as u64
}
