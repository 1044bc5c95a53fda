//! OMEMO sessions in the encrypted store: ratchet and text in one transaction, and an older copy of the file answered
//! with a new session.
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

use chappe_node::{MemoryStore, Store, StoreError, Table};
use chappe_omemo::{Address, Device, DeviceId, Encrypted, Restored, Sessions, StorageError};
use chappe_store::testing::{CrashPoint, CrashStore};
use chappe_store::{OmemoStorage, SqlStore};
use common::{copy_store, folder, log, open};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

struct Peer {
    rng: ChaCha20Rng,
    device: Device,
    sessions: Sessions,
}

impl Peer {
    fn new(number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let id = DeviceId::new(number.into()).unwrap();
        Self {
            device: Device::generate(&mut rng, id, 10),
            rng,
            sessions: Sessions::new(),
        }
    }

    fn start(&mut self, other: &Self) {
        let bundle = other.device.bundle().verify().unwrap();
        self.sessions
            .start(&mut self.rng, &self.device, &bundle)
            .unwrap();
    }

    fn send(&mut self, text: &str) -> Encrypted {
        self.sessions
            .encrypt(&mut self.rng, Some(text.as_bytes()))
            .unwrap()
    }

    fn read(&mut self, sent: &Encrypted) -> Option<Vec<u8>> {
        let read = self.sessions.decrypt(&mut self.device, &sent.incoming());
        read.ok()?.plaintext
    }
}

/// Two who have a session, and each has heard of the other.
fn acquainted() -> (Peer, Peer) {
    let (mut north, mut south) = (Peer::new(1), Peer::new(2));
    north.start(&south);
    let first = north.send("first");
    south.read(&first).unwrap();
    let answer = south.send("answer");
    north.read(&answer).unwrap();
    (north, south)
}

fn address() -> Address {
    Address {
        jid: "south@example.org".into(),
        device: DeviceId::new(2).unwrap(),
    }
}

fn load<S: Store>(storage: &OmemoStorage<S>) -> Restored {
    Sessions::load(storage, &address()).unwrap()
}

fn current<S: Store>(storage: &OmemoStorage<S>) -> Sessions {
    match load(storage) {
        Restored::Current(sessions) => sessions,
        Restored::RolledBack(_) => panic!("nothing was rolled back"),
    }
}

fn put_back(copy: &Path, path: &Path) {
    let _ = fs::remove_file(log(path));
    copy_store(copy, path);
}

#[test]
fn sessions_go_on_after_the_store_was_closed() {
    let (mut north, mut south) = acquainted();
    let (_folder, path) = folder();
    let mut storage = OmemoStorage::new(open(&path)).unwrap();
    assert!(current(&storage).is_empty());
    north.sessions.save(&mut storage, &address()).unwrap();
    storage.commit().unwrap();
    drop(storage);

    let storage = OmemoStorage::new(open(&path)).unwrap();
    north.sessions = current(&storage);
    let sent = north.send("after the restart");
    assert_eq!(south.read(&sent).unwrap(), b"after the restart");
    let other = Address {
        device: DeviceId::new(3).unwrap(),
        ..address()
    };
    let Restored::Current(others) = Sessions::load(&storage, &other).unwrap() else {
        panic!("there is nothing of this device");
    };
    assert!(others.is_empty());
}

/// Whenever the process dies: either the message was read and its text is there, or it can be read again.
#[test]
fn a_crash_leaves_both_ratchet_and_text_or_neither() {
    let points = (0..6).flat_map(|at| [CrashPoint::Before(at), CrashPoint::After(at)]);
    let (mut read, mut unread) = (0, 0);
    for point in points {
        let (mut north, mut south) = acquainted();
        let mut storage =
            OmemoStorage::new(CrashStore::new(MemoryStore::default(), point)).unwrap();
        let saved = |storage: &mut OmemoStorage<_>, sessions: &Sessions| {
            let written = sessions.save(storage, &address()).is_ok();
            written && storage.commit().is_ok()
        };
        let before = saved(&mut storage, &north.sessions);
        let sent = south.send("which way it goes");
        let text = north.read(&sent).unwrap();
        if before {
            let _ = north.sessions.save(&mut storage, &address());
            let _ = storage.store().put(Table::Inbox, b"1", &text);
            let _ = storage.commit();
        }
        let storage = OmemoStorage::new(storage.into_store().restart()).unwrap();
        let mut storage = storage;
        let shown = storage.store().get(Table::Inbox, b"1").unwrap();
        north.sessions = current(&storage);
        if north.sessions.is_empty() {
            continue; // it had died before anything was kept
        }
        match shown {
            Some(kept) => {
                assert_eq!((kept, north.read(&sent)), (text, None), "{point:?}");
                read += 1;
            }
            None => {
                assert_eq!(north.read(&sent), Some(text), "{point:?}");
                unread += 1;
            }
        }
    }
    assert!(read > 0 && unread > 0, "{read} {unread}");
}

/// A backup of the file comes back. Its keys were used: it neither encrypts nor decrypts, and everyone sees it.
#[test]
fn an_older_copy_of_the_file_is_answered_with_a_new_session() {
    let (mut north, mut south) = acquainted();
    let (_folder, path) = folder();
    let copy = path.with_extension("copy");
    let mut storage = OmemoStorage::new(open(&path)).unwrap();
    let save = |storage: &mut OmemoStorage<SqlStore>, sessions: &Sessions| {
        sessions.save(storage, &address()).unwrap();
        storage.commit().unwrap();
    };
    save(&mut storage, &north.sessions);
    copy_store(&path, &copy);
    let sent = north.send("after the backup");
    save(&mut storage, &north.sessions);
    south.read(&sent).unwrap();
    drop(storage);
    current(&OmemoStorage::new(open(&path)).unwrap());

    put_back(&copy, &path);
    for _ in 0..2 {
        // Told until it is answered, also if the process ends in between.
        let storage = OmemoStorage::new(open(&path)).unwrap();
        let Restored::RolledBack(sessions) = load(&storage) else {
            panic!("nobody noticed");
        };
        assert_eq!(
            sessions.identity(),
            Some(&south.device.identity().public()),
            "the identity stays pinned"
        );
        north.sessions = sessions;
    }
    assert!(north.sessions.encrypt(&mut north.rng, Some(b"x")).is_err());
    north.start(&south);
    let anew = north.send("anew");
    assert_eq!(south.read(&anew).unwrap(), b"anew");
    let mut storage = OmemoStorage::new(open(&path)).unwrap();
    save(&mut storage, &north.sessions);
    drop(storage);
    assert_eq!(current(&OmemoStorage::new(open(&path)).unwrap()).len(), 1);
}

#[test]
fn a_state_that_is_none_is_told() {
    let mut storage = OmemoStorage::new(MemoryStore::default()).unwrap();
    chappe_omemo::Storage::save(&mut storage, &address(), b"no state").unwrap();
    let refused = Sessions::load(&storage, &address());
    assert!(matches!(
        refused,
        Err(StorageError::Storage(StoreError::Corrupt))
    ));
}
