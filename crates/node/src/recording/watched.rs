//! A store whose answers are written down where they depend on more than what was put there.

use alloc::vec::Vec;
use core::cell::Cell;

use chappe_wire::ByteCount;

use super::words::Line;
use crate::{Store, StoreError, Table};

/// Where the lines of a recording go.
pub trait Sink {
    /// Takes a line, without its end.
    fn line(&self, line: &str);
}

/// A store that tells a recording what it says of its disk, and when it fails.
pub struct Watched<S, W> {
    store: S,
    sink: W,
    /// Calls so far.
    calls: Cell<u64>,
}

impl<S: Store, W: Sink> Watched<S, W> {
    /// Watches a store. Its calls are counted from here on: it is given to a node that is about to be built.
    pub const fn new(store: S, sink: W) -> Self {
        Self {
            store,
            sink,
            calls: Cell::new(0),
        }
    }

    /// Counts a call, and tells of it if it failed or says something of the disk.
    fn saw<T>(
        &self,
        result: Result<T, StoreError>,
        said: impl FnOnce(&T) -> Option<(&'static str, u64)>,
    ) -> Result<T, StoreError> {
        let call = self.calls.get().saturating_add(1);
        self.calls.set(call);
        let line = Line::of("answer").number(call);
        match &result {
            Ok(value) => {
                if let Some((what, number)) = said(value) {
                    self.sink.line(&line.word(what).number(number).done());
                }
            }
            Err(error) => {
                let error = match error {
                    StoreError::Corrupt => "corrupt",
                    StoreError::Full => "full",
                    StoreError::Io => "io",
                    StoreError::TooLong => "too-long",
                };
                self.sink.line(&line.word("error").word(error).done());
            }
        }
        result
    }
}

impl<S: Store, W: Sink> Store for Watched<S, W> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.saw(self.store.get(table, key), |_| None)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let result = self.store.put(table, key, value);
        self.saw(result, |()| None)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        let result = self.store.delete(table, key);
        self.saw(result, |()| None)
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.saw(self.store.scan(table, after, limit), |_| None)
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        self.saw(self.store.free(), |free| Some(("free", free.get())))
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        self.saw(self.store.lost_commits(), |lost| Some(("lost", *lost)))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let result = self.store.commit();
        self.saw(result, |()| None)
    }

    fn rollback(&mut self) {
        self.store.rollback();
    }
}
