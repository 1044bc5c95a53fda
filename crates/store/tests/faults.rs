//! The stores that fail on purpose do so, and a store behind them loses only what was not committed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use chappe_node::{Store, StoreError, Table};
use chappe_store::MemoryStore;
use chappe_store::testing::{CrashPoint, CrashStore, Fault, FaultStore};
use common::{folder, open};

const BATCHES: u8 = 4;

/// Writes batches of three entries; ends at the first error and returns the batches committed.
fn workload(store: &mut impl Store) -> u8 {
    for batch in 0..BATCHES {
        let mut write = || {
            for entry in 0..3 {
                store.put(Table::Items, &[batch, entry], &[batch; 100])?;
            }
            store.delete(Table::Items, &[batch, 0])?;
            store.commit()
        };
        if write().is_err() {
            return batch;
        }
    }
    BATCHES
}

/// The number of batches that the store has, each whole.
fn batches(store: &impl Store) -> u8 {
    let keys = store.scan(Table::Items, None, usize::MAX).unwrap();
    let keys: Vec<_> = keys.into_iter().map(|(key, _)| key).collect();
    let count = keys.len() as u8 / 2;
    let whole: Vec<_> = (0..count)
        .flat_map(|batch| [vec![batch, 1], vec![batch, 2]])
        .collect();
    assert_eq!(keys, whole);
    count
}

/// Each of the 20 operations fails in turn; after that the workload runs through on the same store.
fn fail_each_operation<S: Store>(make: impl Fn() -> S) {
    for error in [StoreError::Full, StoreError::Io] {
        for fault in 0..20 {
            let mut store = FaultStore::new(make(), Fault::Once(fault), error);
            let committed = workload(&mut store);
            assert_eq!(u64::from(committed), fault / 5);
            assert_eq!(store.fired(), 1);
            assert_eq!(batches(&store), committed);
            assert_eq!(workload(&mut store), BATCHES);
            assert_eq!(batches(&store.into_inner()), BATCHES);
        }
    }
}

#[test]
fn each_operation_that_fails_ends_its_transaction_alone() {
    fail_each_operation(MemoryStore::default);
}

#[test]
fn a_disk_that_fails_for_good_stops_the_writes() {
    let mut store = FaultStore::new(MemoryStore::default(), Fault::From(7), StoreError::Io);
    assert_eq!((workload(&mut store), workload(&mut store)), (1, 0));
    assert_eq!(store.fired(), 2);
    assert_eq!(store.get(Table::Items, b""), Err(StoreError::Io));
    assert_eq!(batches(&store.into_inner()), 1);
}

/// A process that dies around each write: a committed batch is there, others are not.
fn die_at_each_write<S: Store>(make: impl Fn(u64) -> S) {
    for number in 0..20 {
        let whole = (number / 5) as u8;
        for (point, expected) in [
            (CrashPoint::Before(number), whole),
            // The fifth write of a batch is its commit.
            (
                CrashPoint::After(number),
                if number % 5 == 4 { whole + 1 } else { whole },
            ),
        ] {
            let mut store = CrashStore::new(make(number), point);
            assert_eq!(workload(&mut store), whole);
            assert!(store.crashed());
            assert!(store.get(Table::Items, b"").is_err());
            assert_eq!(batches(&store.restart()), expected);
        }
    }
}

#[test]
fn a_process_that_dies_loses_its_transaction() {
    die_at_each_write(|_| MemoryStore::default());
}

#[test]
fn a_store_on_the_disk_is_the_same_behind_the_wrappers() {
    let (_folder, path) = folder();
    let store = CrashStore::new(open(&path), CrashPoint::Before(11));
    let mut store = FaultStore::new(store, Fault::Once(3), StoreError::Full);
    assert_eq!(workload(&mut store), 0);
    assert_eq!(workload(&mut store), 1);
    assert_eq!(batches(&store.into_inner().restart()), 1);
    assert_eq!(batches(&open(&path)), 1);
}
