//! The bound on the store's size holds, a full store still reads and deletes, and room that returns is used.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use chappe_node::{MAX_VALUE_LEN, Store as _, StoreError, Table};
use chappe_store::{
    ENTRY_OVERHEAD, MIN_STORE_BYTES, MIN_TRANSACTION_BYTES, MemoryStore, OpenError, OpenOptions,
    SqlStore,
};
use chappe_wire::ByteCount;
use common::{disk_bytes, folder, key, log, open, smallest};

/// Puts values of `length` in transactions of `batch` until the store is full; returns how many were committed.
fn fill(store: &mut SqlStore, path: &Path, length: usize, batch: u32) -> u32 {
    let value = vec![9; length];
    let mut committed = 0;
    loop {
        for number in committed..committed + batch {
            // Spread over the tree, as hashes are.
            let key = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
            if let Err(error) = store.put(Table::Bodies, &key, &value) {
                assert_eq!(error, StoreError::Full);
                return committed;
            }
            assert!(disk_bytes(path) <= MIN_STORE_BYTES.get());
        }
        store.commit().unwrap();
        assert!(disk_bytes(path) <= MIN_STORE_BYTES.get());
        committed += batch;
    }
}

#[test]
fn a_full_store_reads_and_deletes_and_then_takes_more() {
    for (length, batch) in [(512, 64), (MAX_VALUE_LEN, 1)] {
        let (_folder, path) = folder();
        let mut store = open(&path);
        let committed = fill(&mut store, &path, length, batch);
        let stored = u64::from(committed) * length as u64;
        assert!(stored > 6 << 20, "{stored} bytes of values of {length} fit");

        // The transaction that was refused is gone, the rest is there.
        let entries = store.scan(Table::Bodies, None, usize::MAX).unwrap();
        assert_eq!(entries.len() as u32, committed);
        // Every delete succeeds, in a store without a free page.
        let before = store.size().unwrap();
        for (number, (key, _)) in entries.iter().take(entries.len() / 2 + 1).enumerate() {
            store.delete(Table::Bodies, key).unwrap();
            if number % 32 == 0 {
                store.commit().unwrap();
            }
        }
        store.commit().unwrap();
        store.shrink(ByteCount::from_mib(64)).unwrap();
        store.verify().unwrap();
        assert!(store.size().unwrap() < before);
        assert!(fill(&mut store, &path, length, batch) > 0);
    }
}

#[test]
fn what_is_free_is_told_in_time_and_comes_back_with_deletes() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    let empty = store.free().unwrap();
    assert!(empty < MIN_STORE_BYTES, "{empty}");
    let mut committed = 0_u32;
    // What was told to be free can be put, down to half a MiB.
    while store.free().unwrap() > ByteCount::new(512 << 10) {
        for _ in 0..64 {
            let key = committed.wrapping_mul(0x9e37_79b1).to_be_bytes();
            store.put(Table::Bodies, &key, &[9; 512]).unwrap();
            committed += 1;
        }
        store.commit().unwrap();
    }
    assert!(u64::from(committed) * 512 > 6 << 20);
    for number in 0..committed {
        let key = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
        store.delete(Table::Bodies, &key).unwrap();
        if number % 64 == 0 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
    assert!(store.free().unwrap().saturating_add(ByteCount::from_mib(1)) > empty);
}

#[test]
fn deletes_of_small_values_never_need_room() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    // Values of mixed lengths in a tree of keys: the shape in which a delete can split a page.
    let mut number = 0u32;
    let mut keys = Vec::new();
    loop {
        let key = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
        let value = vec![9; (number % 29 * 33) as usize];
        if store.put(Table::Items, &key, &value).is_err() {
            break;
        }
        keys.push(key);
        if number % 16 == 15 {
            store.commit().unwrap();
        }
        number += 1;
    }
    for key in keys.iter().step_by(7) {
        store.delete(Table::Items, key).unwrap();
    }
    store.commit().unwrap();
    store.verify().unwrap();
}

#[test]
fn transactions_of_the_promised_size_fit_again_and_again() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    let chunk = vec![1; 64 << 10];
    let fits = MIN_TRANSACTION_BYTES.get() / (68 << 10);
    for number in 0..fits as u32 {
        store
            .put(Table::Chunks, &number.to_be_bytes(), &chunk)
            .unwrap();
    }
    store.commit().unwrap();

    // The same few entries again and again: the file does not grow, the log does not either.
    for round in 0..12u32 {
        for number in 0..fits as u32 {
            store
                .put(Table::Chunks, &number.to_be_bytes(), &chunk)
                .unwrap();
        }
        store.commit().unwrap();
        assert!(disk_bytes(&path) <= MIN_STORE_BYTES.get(), "round {round}");
    }
}

#[test]
fn an_endless_transaction_is_refused_before_the_log_leaves_its_share() {
    let (_folder, path) = folder();
    let options = OpenOptions {
        max_bytes: ByteCount::from_mib(128),
    };
    let mut store = SqlStore::open(&path, &key(), options).unwrap();
    let log_bytes = || fs::metadata(log(&path)).map_or(0, |found| found.len());
    let mut longest = 0;
    let refused = (0u32..90).find_map(|number| {
        let put = store.put(
            Table::Chunks,
            &number.to_be_bytes(),
            &vec![1; MAX_VALUE_LEN],
        );
        longest = longest.max(log_bytes());
        put.err()
    });
    assert_eq!(refused, Some(StoreError::Full));
    // A quarter of the bound. The file itself is still empty, so that nothing else can have refused it.
    assert!((16 << 20..32 << 20).contains(&longest), "{longest}");

    for number in 0..8u32 {
        store
            .put(
                Table::Chunks,
                &number.to_be_bytes(),
                &vec![1; MAX_VALUE_LEN],
            )
            .unwrap();
        store.commit().unwrap();
    }
    assert!(log_bytes() < 32 << 20);
    assert_eq!(store.scan(Table::Chunks, None, 99).unwrap().len(), 8);
}

#[test]
fn deleted_room_goes_back_to_the_disk_by_itself() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    let committed = fill(&mut store, &path, 512, 64);
    let full = store.size().unwrap();
    for number in 0..committed {
        store
            .delete(
                Table::Bodies,
                &number.wrapping_mul(0x9e37_79b1).to_be_bytes(),
            )
            .unwrap();
        if number % 64 == 63 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
    drop(store);
    let rest = disk_bytes(&path);
    assert!(
        rest < full.get() * 3 / 4,
        "{full} full, {rest} bytes after deleting all of it"
    );
}

#[test]
fn a_store_longer_than_its_bound_does_not_open_and_stays_as_it_is() {
    let (_folder, path) = folder();
    let large = OpenOptions {
        max_bytes: ByteCount::from_mib(128),
    };
    let mut store = SqlStore::open(&path, &key(), large).unwrap();
    for number in 0..24u32 {
        store
            .put(
                Table::Chunks,
                &number.to_be_bytes(),
                &vec![1; MAX_VALUE_LEN],
            )
            .unwrap();
        store.commit().unwrap();
    }
    drop(store);
    assert_eq!(
        SqlStore::open(&path, &key(), smallest()).err(),
        Some(OpenError::Full)
    );
    SqlStore::open(&path, &key(), large)
        .unwrap()
        .verify()
        .unwrap();
}

#[test]
fn a_store_in_memory_is_bounded_too() {
    let room = ByteCount::new(10 * (ENTRY_OVERHEAD + 101));
    let mut store = MemoryStore::new(room);
    for number in 0..10u8 {
        store.put(Table::Items, &[number], &[0; 100]).unwrap();
        store.commit().unwrap();
    }
    assert_eq!(store.size(), room);
    assert_eq!(store.put(Table::Items, b"x", b""), Err(StoreError::Full));
    assert_eq!(store.scan(Table::Items, None, 99).unwrap().len(), 10);
    store.put(Table::Items, &[0], &[1; 100]).unwrap();
    store.delete(Table::Items, &[1]).unwrap();
    store.put(Table::Items, b"x", b"").unwrap();
    store.commit().unwrap();
}

const DISK: &str = "CHAPPE_FULL_DISK";

/// A file system of 4 MiB, in a namespace of its own. Where the kernel allows none, the test says so and ends.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=4m tmpfs \"$CHAPPE_FULL_DISK\"";
    let unshare = |script: &str| {
        Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                script,
                "sh",
            ])
            .arg(env::current_exe().unwrap())
            .env(DISK, folder.path())
            .output()
    };
    if !unshare(mount).is_ok_and(|tried| tried.status.success()) {
        println!("not tested: this machine lets nobody mount a small file system");
        return;
    }
    let script = format!("{mount} && exec \"$1\" --exact on_a_small_disk --nocapture");
    let output = unshare(&script).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("small disk survived"),
        "{output:?}"
    );
}

/// Not a test of its own: what runs on the small file system.
#[test]
fn on_a_small_disk() {
    let Ok(disk) = env::var(DISK) else { return };
    let disk = Path::new(&disk);
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let path = disk.join("store.db");
    let mut store = open(&path);
    let mut count = 0u32;
    let error = loop {
        let put = store.put(Table::Bodies, &count.to_be_bytes(), &[7; 4000]);
        if let Err(error) = put.and_then(|()| store.commit()) {
            break error;
        }
        count += 1;
    };
    assert_eq!(error, StoreError::Full);
    assert!(count > 100, "{count} entries fit");
    let present = |store: &SqlStore| store.scan(Table::Bodies, None, usize::MAX).unwrap().len();
    assert_eq!(present(&store) as u32, count);

    // Something else leaves the disk: the store goes on without being opened again.
    fs::remove_file(&ballast).unwrap();
    for number in 0..count / 2 {
        store.delete(Table::Bodies, &number.to_be_bytes()).unwrap();
        store.commit().unwrap();
    }
    store.shrink(ByteCount::from_mib(4)).unwrap();
    store.put(Table::Bodies, b"more", &[7; 4000]).unwrap();
    store.commit().unwrap();
    store.verify().unwrap();
    drop(store);
    assert_eq!(present(&open(&path)) as u32, count - count / 2 + 1);
    println!("small disk survived");
}
