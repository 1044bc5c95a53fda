//! What the tests of the store share.
// Each test file is a program of its own that uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::path::{Path, PathBuf};

use chappe_node::Store;
use chappe_node::Table;
use chappe_store::{MIN_STORE_BYTES, OpenError, OpenOptions, SqlStore, StoreKey};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// The key of test stores.
pub fn key() -> StoreKey {
    StoreKey::new(Zeroizing::new([0x42; 32]))
}

pub fn other_key() -> StoreKey {
    StoreKey::new(Zeroizing::new([0x43; 32]))
}

pub fn smallest() -> OpenOptions {
    OpenOptions {
        max_bytes: MIN_STORE_BYTES,
    }
}

/// A folder for one store, and the store's path.
pub fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

pub fn try_open(path: &Path) -> Result<SqlStore, OpenError> {
    SqlStore::open(path, &key(), smallest())
}

pub fn open(path: &Path) -> SqlStore {
    try_open(path).unwrap()
}

pub fn log(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

/// Copies file and log, as a power cut would leave them.
pub fn copy_store(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    if log(from).exists() {
        fs::copy(log(from), log(to)).unwrap();
    }
}

/// What file and log take together.
pub fn disk_bytes(path: &Path) -> u64 {
    let length = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    length(path) + length(&log(path))
}

/// The value that belongs to `number`: of various lengths, and different in each byte's neighbourhood.
pub fn value(number: u32) -> Vec<u8> {
    let length = [0, 1, 32, 500, 980, 1500, 4100, 9000][number as usize % 8];
    (0..length)
        .map(|index| (number.wrapping_mul(31) + index).to_be_bytes()[3] | 1)
        .collect()
}

/// The two tables with the two layouts.
pub const LAYOUTS: [Table; 2] = [Table::Items, Table::Bodies];

/// Puts entry `number` into both layouts.
pub fn put_entry(store: &mut impl Store, number: u32) {
    for table in LAYOUTS {
        store
            .put(table, &number.to_be_bytes(), &value(number))
            .unwrap();
    }
}
