//! Stores that fail and crash on purpose.
//!
//! A test runs its workload once for each `k` and lets the `k`-th operation fail, until the workload is through.

use core::cell::Cell;

use chappe_node::{Store, StoreError, Table};
use chappe_wire::ByteCount;

/// When a [`FaultStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Only the operation with this number fails; the first is 0.
    Once(u64),
    /// All operations from this one on fail.
    From(u64),
}

/// A store whose `k`-th operation fails. Each call of `get`, `put`, `delete`, `scan` and `commit` counts.
#[derive(Debug)]
pub struct FaultStore<S> {
    inner: S,
    fault: Fault,
    error: StoreError,
    operations: Cell<u64>,
    fired: Cell<u64>,
}

impl<S: Store> FaultStore<S> {
    /// Wraps `inner`; the operations that `fault` names fail with `error`.
    pub const fn new(inner: S, fault: Fault, error: StoreError) -> Self {
        Self {
            inner,
            fault,
            error,
            operations: Cell::new(0),
            fired: Cell::new(0),
        }
    }

    /// How many operations failed on purpose. A test whose fault never fired has tested nothing.
    pub const fn fired(&self) -> u64 {
        self.fired.get()
    }

    /// The store inside, without an open transaction.
    pub fn into_inner(mut self) -> S {
        self.inner.rollback();
        self.inner
    }

    /// Counts an operation, and fails if it is its turn.
    fn count(&self) -> Result<(), StoreError> {
        let number = self.operations.get();
        self.operations.set(number + 1);
        let fails = match self.fault {
            Fault::Once(fault) => number == fault,
            Fault::From(fault) => number >= fault,
        };
        if !fails {
            return Ok(());
        }
        self.fired.set(self.fired.get() + 1);
        Err(self.error)
    }

    /// Counts a write, and ends the transaction if it fails.
    fn count_write(&mut self) -> Result<(), StoreError> {
        self.count().inspect_err(|_| self.inner.rollback())
    }
}

impl<S: Store> Store for FaultStore<S> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count()?;
        self.inner.get(table, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.count_write()?;
        self.inner.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.count_write()?;
        self.inner.delete(table, key)
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.count()?;
        self.inner.scan(table, after, limit)
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        self.inner.free()
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        self.inner.lost_commits()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.count_write()?;
        self.inner.commit()
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }
}

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Before the `put`, `delete` or `commit` with this number; the first is 0.
    Before(u64),
    /// After it, before the caller hears of it. A commit is durable then.
    After(u64),
}

/// A store whose process dies at one point: from there on everything fails, and [`CrashStore::restart`] gives what
/// a new process finds.
///
/// ```
/// use chappe_node::{Store as _, Table};
/// use chappe_store::MemoryStore;
/// use chappe_store::testing::{CrashPoint, CrashStore};
///
/// let mut store = CrashStore::new(MemoryStore::default(), CrashPoint::Before(2));
/// store.put(Table::Meta, b"a", b"1")?;
/// store.commit()?;
/// assert!(store.put(Table::Meta, b"b", b"2").is_err());
/// let store = store.restart();
/// assert!(store.get(Table::Meta, b"a")?.is_some());
/// # Ok::<(), chappe_node::StoreError>(())
/// ```
#[derive(Debug)]
pub struct CrashStore<S> {
    inner: S,
    point: CrashPoint,
    writes: u64,
    crashed: bool,
}

impl<S: Store> CrashStore<S> {
    /// Wraps `inner`, whose process dies at `point`.
    pub const fn new(inner: S, point: CrashPoint) -> Self {
        Self {
            inner,
            point,
            writes: 0,
            crashed: false,
        }
    }

    /// True once the process is dead.
    pub const fn crashed(&self) -> bool {
        self.crashed
    }

    /// The store as a new process finds it: what was committed, and nothing else.
    pub fn restart(mut self) -> S {
        self.inner.rollback();
        self.inner
    }

    /// Fails once the process is dead.
    const fn alive(&self) -> Result<(), StoreError> {
        if self.crashed {
            Err(StoreError::Io)
        } else {
            Ok(())
        }
    }

    /// Runs a write, and dies before or after it if it is its turn.
    fn write(
        &mut self,
        write: impl FnOnce(&mut S) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.alive()?;
        let number = self.writes;
        self.writes += 1;
        if self.point == CrashPoint::Before(number) {
            self.crashed = true;
            return Err(StoreError::Io);
        }
        let written = write(&mut self.inner);
        if self.point == CrashPoint::After(number) {
            self.crashed = true;
            return Err(StoreError::Io);
        }
        written
    }
}

impl<S: Store> Store for CrashStore<S> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.alive()?;
        self.inner.get(table, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write(|inner| inner.put(table, key, value))
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.write(|inner| inner.delete(table, key))
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.alive()?;
        self.inner.scan(table, after, limit)
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        self.inner.free()
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        self.inner.lost_commits()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.write(S::commit)
    }

    fn rollback(&mut self) {
        if !self.crashed {
            self.inner.rollback();
        }
    }
}
