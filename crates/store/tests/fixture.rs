//! Stores of every past schema version open.
//!
//! `tests/fixtures/schema-N.db` was written by the release that made schema N, and never changes. To make the one of
//! a new schema: `cargo test -p chappe-store --test fixture -- --ignored`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::fs;
use std::path::PathBuf;

use chappe_node::{Store as _, Table};
use common::{folder, open, put_entry, value};

const ENTRIES: u32 = 16;
const LATEST: u32 = 2;

fn fixture(schema: u32) -> PathBuf {
    let name = format!("tests/fixtures/schema-{schema}.db");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn stores_of_every_schema_open_with_all_they_hold_and_go_on() {
    for schema in 1..=LATEST {
        let (_folder, path) = folder();
        fs::copy(fixture(schema), &path).unwrap();
        let mut store = open(&path);
        store.verify().unwrap();
        for number in 0..ENTRIES {
            for table in common::LAYOUTS {
                let found = store.get(table, &number.to_be_bytes()).unwrap();
                assert_eq!(
                    found,
                    Some(value(number)),
                    "schema {schema}, entry {number}"
                );
            }
        }
        for table in Table::ALL {
            let found = store.get(table, b"fixture").unwrap().unwrap();
            assert_eq!(found, format!("{table:?}").into_bytes());
        }
        put_entry(&mut store, ENTRIES);
        store.commit().unwrap();
        store.verify().unwrap();
    }
}

#[test]
#[ignore = "writes the fixture of the latest schema where there is none"]
fn write_the_fixture() {
    assert!(!fixture(LATEST).exists(), "a fixture never changes");
    let (_folder, path) = folder();
    let mut store = open(&path);
    for number in 0..ENTRIES {
        put_entry(&mut store, number);
    }
    for table in Table::ALL {
        store
            .put(table, b"fixture", format!("{table:?}").as_bytes())
            .unwrap();
    }
    store.commit().unwrap();
    drop(store);
    fs::copy(path, fixture(LATEST)).unwrap();
}
