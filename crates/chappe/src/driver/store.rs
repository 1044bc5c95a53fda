//! A store that can be handed to a node and kept at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chappe_node::{Store, StoreError, Table};
use chappe_wire::ByteCount;

/// A handle of a store of any kind. The lock is never contended: one node at a time uses it.
#[derive(Clone)]
pub(crate) struct SharedStore(Arc<Mutex<Box<dyn Store + Send>>>);

impl SharedStore {
    pub(crate) fn new(store: impl Store + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(store))))
    }

    fn inner(&self) -> MutexGuard<'_, Box<dyn Store + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SharedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner().get(table, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.inner().put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.inner().delete(table, key)
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.inner().scan(table, after, limit)
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        self.inner().free()
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        self.inner().lost_commits()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.inner().commit()
    }

    fn rollback(&mut self) {
        self.inner().rollback();
    }
}
