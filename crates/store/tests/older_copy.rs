//! An older copy of a store that is put in its place is told from the store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use chappe_node::{Store as _, StoreError, Table};
use chappe_store::SqlStore;
use common::{copy_store, folder, key, log, open, smallest};

fn witness(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-generation", path.display()))
}

fn write(store: &mut SqlStore, value: u8) {
    store.put(Table::Meta, b"value", &[value]).unwrap();
    store.commit().unwrap();
}

/// Puts a copy in the place of a store that is closed.
fn put_back(copy: &Path, path: &Path) {
    let _ = fs::remove_file(log(path));
    copy_store(copy, path);
}

#[test]
fn commits_that_are_missing_are_counted_until_the_next_one() {
    let (_folder, path) = folder();
    let copy = path.with_extension("copy");
    let mut store = open(&path);
    write(&mut store, 1);
    copy_store(&path, &copy);
    for value in 2..=4 {
        write(&mut store, value);
    }
    drop(store);
    assert_eq!(open(&path).lost_commits(), Ok(0));

    put_back(&copy, &path);
    let store = open(&path);
    assert_eq!(store.get(Table::Meta, b"value").unwrap(), Some(vec![1]));
    assert_eq!(store.lost_commits(), Ok(3));
    drop(store);
    // Nobody has reacted to it yet: it is told again.
    let mut store = open(&path);
    assert_eq!(store.lost_commits(), Ok(3));
    write(&mut store, 5);
    assert_eq!(store.lost_commits(), Ok(0));
    drop(store);
    assert_eq!(open(&path).lost_commits(), Ok(0));

    // And the same copy once more.
    put_back(&copy, &path);
    assert_eq!(open(&path).lost_commits(), Ok(4));
}

#[test]
fn what_was_rolled_back_counts_for_nothing() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    write(&mut store, 1);
    store.put(Table::Meta, b"value", &[2]).unwrap();
    store.rollback();
    drop(store);
    assert_eq!(open(&path).lost_commits(), Ok(0));
}

/// The process dies after the commit and before the witness hears of it, or the power goes.
#[test]
fn a_witness_that_is_behind_tells_nothing() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    write(&mut store, 1);
    let before = fs::read(witness(&path)).unwrap();
    write(&mut store, 2);
    drop(store);
    for bytes in [&before[..], &before[..20], b""] {
        fs::write(witness(&path), bytes).unwrap();
        assert_eq!(open(&path).lost_commits(), Ok(0));
    }
    fs::remove_file(witness(&path)).unwrap();
    assert_eq!(open(&path).lost_commits(), Ok(0));
}

#[test]
fn the_witness_of_a_store_that_was_deleted_means_nothing_to_its_successor() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    for value in 1..=5 {
        write(&mut store, value);
    }
    drop(store);
    fs::remove_file(&path).unwrap();
    let _ = fs::remove_file(log(&path));
    assert_eq!(open(&path).lost_commits(), Ok(0));
}

#[test]
fn the_witness_can_stand_where_a_restored_folder_does_not_reach() {
    let (_folder, path) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let witness = elsewhere.path().join("generation");
    let open = || SqlStore::open_witnessed(&path, &witness, &key(), smallest());
    let copy = path.with_extension("copy");
    let mut store = open().unwrap();
    write(&mut store, 1);
    copy_store(&path, &copy);
    write(&mut store, 2);
    drop(store);
    put_back(&copy, &path);
    assert_eq!(open().unwrap().lost_commits(), Ok::<_, StoreError>(1));
}
