//! A store that says what a recorded one said of its disk.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use chappe_wire::ByteCount;

use super::Answer;
use crate::{MemoryStore, Store, StoreError, Table};

/// A handle of the store; the node has another.
#[derive(Clone)]
pub(super) struct RecordedStore(Rc<Inner>);

struct Inner {
    entries: RefCell<MemoryStore>,
    calls: Cell<u64>,
    answers: RefCell<VecDeque<(u64, Answer)>>,
    strayed: RefCell<Option<(String, String)>>,
}

impl RecordedStore {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(Rc::new(Inner {
            entries: RefCell::new(MemoryStore::new(ByteCount::new(u64::MAX))),
            calls: Cell::new(0),
            answers: RefCell::default(),
            strayed: RefCell::default(),
        }))
    }

    /// It has this entry from the beginning.
    pub(super) fn begin_with(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        let mut entries = self.0.entries.borrow_mut();
        entries.put(table, key, value)?;
        entries.commit()
    }

    /// What it is to say at a call.
    pub(super) fn expect(&self, call: u64, answer: Answer) {
        self.0.answers.borrow_mut().push_back((call, answer));
    }

    /// What is recorded and what was asked, where a call was another one.
    pub(super) fn strayed(&self) -> Option<(String, String)> {
        self.0.strayed.borrow().clone()
    }

    /// The same, and what is recorded where a call was not made at all.
    pub(super) fn left(&self) -> Option<(String, String)> {
        self.strayed().or_else(|| {
            let answers = self.0.answers.borrow();
            let (call, answer) = answers.front()?;
            let calls = self.0.calls.get();
            Some((
                format!("answer {call} {}", words(*answer)),
                format!("no call {call} of the store, only {calls}"),
            ))
        })
    }

    /// Counts a call. What it was answered with, if that is recorded.
    fn call(&self, what: &str) -> Option<Answer> {
        let call = self.0.calls.get().saturating_add(1);
        self.0.calls.set(call);
        let mut answers = self.0.answers.borrow_mut();
        let (_, answer) = answers.front().filter(|(of, _)| *of <= call).copied()?;
        answers.pop_front();
        let fits = match answer {
            Answer::Error(_) => true,
            Answer::Free(_) => what == "free",
            Answer::Lost(_) => what == "lost",
        };
        if !fits {
            self.stray(format!("answer {call} {}", words(answer)), call, what);
        }
        Some(answer)
    }

    fn stray(&self, recorded: String, call: u64, what: &str) {
        let now = format!("call {call} of the store is `{what}`");
        let mut strayed = self.0.strayed.borrow_mut();
        strayed.get_or_insert((recorded, now));
    }

    /// Something that follows from what was put there, unless it failed.
    fn read<T>(
        &self,
        what: &str,
        read: impl FnOnce(&MemoryStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.call(what) {
            Some(Answer::Error(error)) => Err(error),
            _ => read(&self.0.entries.borrow()),
        }
    }

    /// A change, unless it failed: then the transaction is gone.
    fn write(
        &self,
        what: &str,
        write: impl FnOnce(&mut MemoryStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut entries = self.0.entries.borrow_mut();
        match self.call(what) {
            Some(Answer::Error(error)) => {
                entries.rollback();
                Err(error)
            }
            _ => write(&mut entries),
        }
    }

    /// Something that only the recording knows.
    fn ask(&self, what: &str) -> Result<u64, StoreError> {
        match self.call(what) {
            Some(Answer::Error(error)) => Err(error),
            Some(Answer::Free(number) | Answer::Lost(number)) => Ok(number),
            None => {
                self.stray(String::from("no answer"), self.0.calls.get(), what);
                Ok(0)
            }
        }
    }
}

fn words(answer: Answer) -> String {
    match answer {
        Answer::Free(number) => format!("free {number}"),
        Answer::Lost(number) => format!("lost {number}"),
        Answer::Error(error) => format!("error ({error})"),
    }
}

impl Store for RecordedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("get", |entries| entries.get(table, key))
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write("put", |entries| entries.put(table, key, value))
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.write("delete", |entries| entries.delete(table, key))
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.read("scan", |entries| entries.scan(table, after, limit))
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        self.ask("free").map(ByteCount::new)
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        self.ask("lost")
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.write("commit", MemoryStore::commit)
    }

    fn rollback(&mut self) {
        self.0.entries.borrow_mut().rollback();
    }
}
