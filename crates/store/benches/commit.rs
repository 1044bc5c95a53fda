//! Commits of envelopes (item row, body of 512 bytes, seen row) in batches, and reads of bodies.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]

use std::time::Duration;

use chappe_node::{Store, Table};
use chappe_store::{MemoryStore, OpenOptions, SqlStore, StoreKey};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

/// Envelopes that are in the store before anything is measured.
const PRESENT: u64 = 10_000;

fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for batch in [64, 256] {
        group.throughput(Throughput::Elements(batch));
        let (_folder, mut store) = prepared();
        let mut next = PRESENT;
        group.bench_function(format!("disk/{batch}"), |bencher| {
            bencher.iter(|| {
                write(&mut store, next, batch);
                next += batch;
            });
        });
        group.bench_function(format!("memory/{batch}"), |bencher| {
            bencher.iter_batched_ref(
                MemoryStore::default,
                |store| write(store, 0, batch),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let (_folder, store) = prepared();
    let mut number = 0;
    criterion.bench_function("read a body of 10,000", |bencher| {
        bencher.iter(|| {
            number = (number + 7_919) % PRESENT;
            store.get(Table::Bodies, &id(number)).unwrap().unwrap()
        });
    });
}

/// A store on the disk with `PRESENT` envelopes.
fn prepared() -> (TempDir, SqlStore) {
    // The current folder, not /tmp, which is memory on many machines.
    let folder = tempfile::tempdir_in(".").unwrap();
    let key = StoreKey::generate().unwrap();
    let path = folder.path().join("store.db");
    let mut store = SqlStore::open(&path, &key, OpenOptions::default()).unwrap();
    for start in (0..PRESENT).step_by(1_000) {
        write(&mut store, start, 1_000);
    }
    (folder, store)
}

/// Commits `batch` envelopes.
fn write(store: &mut impl Store, start: u64, batch: u64) {
    for number in start..start + batch {
        let id = id(number);
        store.put(Table::Items, &id, &[3; 96]).unwrap();
        store.put(Table::Bodies, &id, &[4; 512]).unwrap();
        store.put(Table::Seen, &id, &[]).unwrap();
    }
    store.commit().unwrap();
}

/// Ids in the order of hashes, which is none.
fn id(number: u64) -> [u8; 32] {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id
}

criterion_group!(benches, commit, read);
criterion_main!(benches);
