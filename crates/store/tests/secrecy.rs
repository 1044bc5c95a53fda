//! Nothing that is put into the store, and no key, stands in its files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::fs;
use std::path::Path;

use chappe_node::{Store as _, Table};
use chappe_store::{
    KeyFile, KeyProvider as _, OpenOptions, Passphrase, PassphraseCost, SqlStore, StoreKey,
    open_or_create,
};
use common::folder;
use zeroize::Zeroizing;

const MARKER: &[u8; 16] = b"marker-4f1c9e27a";

/// The files in `folder` that contain `needle`.
fn found_in(folder: &Path, needle: &[u8]) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            fs::read(path)
                .unwrap()
                .windows(needle.len())
                .any(|part| part == needle)
        })
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_search_finds_what_is_there() {
    let (folder, path) = folder();
    fs::write(path, [b"before ", &MARKER[..], b" after"].concat()).unwrap();
    assert_eq!(found_in(folder.path(), MARKER), ["store.db"]);
}

#[test]
fn keys_and_values_are_in_no_file_at_any_time() {
    let (folder, path) = folder();
    let key = StoreKey::generate().unwrap();
    let mut store = SqlStore::open(&path, &key, OpenOptions::default()).unwrap();
    for table in Table::ALL {
        for number in 0..40u8 {
            let name = [&MARKER[..], &[number]].concat();
            store
                .put(table, &name, &MARKER.repeat(usize::from(number) * 10))
                .unwrap();
        }
        store.commit().unwrap();
        assert_eq!(found_in(folder.path(), MARKER), [""; 0]);
    }
    let names = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let all = [
        "store.db",
        "store.db-generation",
        "store.db-lock",
        "store.db-wal",
    ];
    assert_eq!(names, all);

    drop(store);
    for needle in [
        &MARKER[..],
        &key.as_bytes()[..16],
        &hex(key.as_bytes()).as_bytes()[..16],
    ] {
        assert_eq!(found_in(folder.path(), needle), [""; 0]);
    }
    // Not even that it is a database with tables of these names.
    for needle in [&b"SQLite format"[..], b"CREATE TABLE", b"receipts"] {
        assert_eq!(found_in(folder.path(), needle), [""; 0]);
    }
}

#[test]
fn the_key_is_in_its_key_file_alone() {
    let (folder, path) = folder();
    let file = KeyFile::new(folder.path().join("store.key"));
    drop(open_or_create(&path, &file, OpenOptions::default()).unwrap());
    let key = file.load().unwrap().unwrap();
    assert_eq!(
        found_in(folder.path(), hex(key.as_bytes()).as_bytes()),
        ["store.key"]
    );
    assert_eq!(found_in(folder.path(), key.as_bytes()), [""; 0]);
}

#[test]
fn with_a_passphrase_the_key_is_in_no_file() {
    let (folder, path) = folder();
    let cost = PassphraseCost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };
    let header = folder.path().join("store.passphrase");
    let passphrase = Passphrase::new(header, Zeroizing::new(MARKER.to_vec())).with_cost(cost);
    drop(open_or_create(&path, &passphrase, OpenOptions::default()).unwrap());
    let key = passphrase.load().unwrap().unwrap();
    for needle in [&key.as_bytes()[..], hex(key.as_bytes()).as_bytes(), MARKER] {
        assert_eq!(found_in(folder.path(), needle), [""; 0]);
    }
}

#[test]
fn debug_output_of_a_key_does_not_show_it() {
    let key = StoreKey::new(Zeroizing::new([0xab; 32]));
    assert_eq!(format!("{key:?}"), "StoreKey(secret)");
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, path) = folder();
    let file = KeyFile::new(folder.path().join("store.key"));
    let mut store = open_or_create(&path, &file, OpenOptions::default()).unwrap();
    store.put(Table::Meta, b"a", b"b").unwrap();
    store.commit().unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{entry:?}"
        );
        seen += 1;
    }
    assert_eq!(seen, 5);
}
