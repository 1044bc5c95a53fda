//! Both stores do what `chappe_node::Store` says, and the same as a model, under any sequence of operations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::collections::BTreeMap;

use chappe_node::{MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table};
use chappe_store::MemoryStore;
use common::{folder, open};
use proptest::prelude::*;

/// Runs `test` on a new store of each kind.
fn on_both(test: impl Fn(&mut dyn Store)) {
    let (_folder, path) = folder();
    test(&mut open(&path));
    test(&mut MemoryStore::default());
}

#[test]
fn a_transaction_is_read_before_its_commit_and_gone_after_a_rollback() {
    on_both(|store| {
        store.put(Table::Meta, b"key", b"one").unwrap();
        assert_eq!(store.get(Table::Meta, b"key").unwrap().unwrap(), b"one");
        store.commit().unwrap();
        store.put(Table::Meta, b"key", b"two").unwrap();
        store.delete(Table::Meta, b"other").unwrap();
        store.rollback();
        assert_eq!(store.get(Table::Meta, b"key").unwrap().unwrap(), b"one");
    });
}

#[test]
fn tables_do_not_see_each_other() {
    on_both(|store| {
        for table in Table::ALL {
            store.put(table, b"key", &[table as u8]).unwrap();
        }
        store.commit().unwrap();
        for table in Table::ALL {
            assert_eq!(
                store.scan(table, None, 9).unwrap(),
                [(b"key".to_vec(), vec![table as u8])]
            );
        }
    });
}

#[test]
fn scans_are_in_the_order_of_bytes_and_begin_after_their_key() {
    on_both(|store| {
        for table in Table::ALL {
            let keys: [&[u8]; 6] = [b"", b"\0", b"a", b"a\0", b"b", b"\xff"];
            for key in [3, 1, 5, 0, 4, 2] {
                store.put(table, keys[key], &[key as u8]).unwrap();
            }
            let numbers = |after, limit| -> Vec<u8> {
                store
                    .scan(table, after, limit)
                    .unwrap()
                    .iter()
                    .map(|(_, value)| value[0])
                    .collect()
            };
            assert_eq!(numbers(None, usize::MAX), [0, 1, 2, 3, 4, 5]);
            assert_eq!(numbers(Some(b""), 2), [1, 2]);
            assert_eq!(numbers(Some(b"a"), 9), [3, 4, 5]);
            assert_eq!(numbers(Some(b"aa"), 9), [4, 5]);
            assert_eq!(numbers(Some(b"\xff"), 9), []);
            assert_eq!(numbers(None, 0), []);
        }
    });
}

#[test]
fn the_longest_key_and_value_fit_and_one_byte_more_ends_the_transaction() {
    on_both(|store| {
        let key = [7; MAX_KEY_LEN + 1];
        let value = vec![8; MAX_VALUE_LEN + 1];
        store.put(Table::Chunks, &key[1..], &value[1..]).unwrap();
        store.commit().unwrap();
        assert_eq!(
            store.get(Table::Chunks, &key[1..]).unwrap().unwrap(),
            value[1..]
        );

        store.put(Table::Meta, b"a", b"").unwrap();
        assert_eq!(
            store.put(Table::Chunks, &key, b""),
            Err(StoreError::TooLong)
        );
        store.put(Table::Meta, b"b", b"").unwrap();
        assert_eq!(
            store.put(Table::Chunks, b"", &value),
            Err(StoreError::TooLong)
        );
        store.put(Table::Meta, b"c", b"").unwrap();
        assert_eq!(store.delete(Table::Chunks, &key), Err(StoreError::TooLong));
        store.commit().unwrap();
        assert_eq!(store.scan(Table::Meta, None, 9).unwrap(), []);
    });
}

#[test]
fn deleting_what_is_not_there_and_committing_nothing_is_fine() {
    on_both(|store| {
        store.commit().unwrap();
        store.rollback();
        store.delete(Table::Seen, b"nothing").unwrap();
        store.commit().unwrap();
    });
}

#[derive(Clone, Debug)]
enum Operation {
    Put(Table, u8, u32),
    Delete(Table, u8),
    Commit,
    Rollback,
    TooLong,
    Reopen,
}

fn operation() -> impl Strategy<Value = Operation> {
    let table = || prop::sample::select(Table::ALL.as_slice());
    let key = || 0u8..12;
    prop_oneof![
        8 => (table(), key(), any::<u32>()).prop_map(|(t, k, v)| Operation::Put(t, k, v)),
        4 => (table(), key()).prop_map(|(t, k)| Operation::Delete(t, k)),
        3 => Just(Operation::Commit),
        1 => Just(Operation::Rollback),
        1 => Just(Operation::TooLong),
        1 => Just(Operation::Reopen),
    ]
}

type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Every entry that the store shows, read with scans of three.
fn contents(store: &impl Store) -> Model {
    let mut found = Model::new();
    for table in Table::ALL {
        let mut after = None;
        loop {
            let part = store.scan(table, after.as_deref(), 3).unwrap();
            let Some((last, _)) = part.last() else { break };
            after = Some(last.clone());
            found.extend(part.into_iter().map(|(key, value)| ((table, key), value)));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_stores_are_the_model(operations in prop::collection::vec(operation(), 1..120)) {
        let (_folder, path) = folder();
        let mut sql = open(&path);
        let mut memory = MemoryStore::default();
        let (mut committed, mut model) = (Model::new(), Model::new());
        for operation in operations {
            match operation {
                Operation::Put(table, key, number) => {
                    let (key, value) = (vec![key; key as usize], common::value(number));
                    sql.put(table, &key, &value).unwrap();
                    memory.put(table, &key, &value).unwrap();
                    model.insert((table, key), value);
                }
                Operation::Delete(table, key) => {
                    let key = vec![key; key as usize];
                    sql.delete(table, &key).unwrap();
                    memory.delete(table, &key).unwrap();
                    model.remove(&(table, key));
                }
                Operation::Commit => {
                    sql.commit().unwrap();
                    memory.commit().unwrap();
                    committed = model.clone();
                }
                Operation::Rollback => {
                    sql.rollback();
                    memory.rollback();
                    model = committed.clone();
                }
                Operation::TooLong => {
                    prop_assert!(sql.put(Table::Meta, &[0; 65], b"").is_err());
                    prop_assert!(memory.put(Table::Meta, &[0; 65], b"").is_err());
                    model = committed.clone();
                }
                Operation::Reopen => {
                    drop(sql);
                    sql = open(&path);
                    memory.rollback();
                    model = committed.clone();
                }
            }
        }
        prop_assert_eq!(&contents(&sql), &model);
        prop_assert_eq!(&contents(&memory), &model);
        for ((table, key), value) in &model {
            prop_assert_eq!(&sql.get(*table, key).unwrap().unwrap(), value);
        }
        sql.verify().unwrap();
        drop(sql);
        prop_assert_eq!(contents(&open(&path)), committed);
    }
}
