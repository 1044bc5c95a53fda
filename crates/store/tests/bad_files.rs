//! Whatever lies where the store should be: a typed answer, nothing overwritten, and never a wrong value.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chappe_node::{Store as _, StoreError, Table};
use chappe_store::{OpenError, SqlStore, quarantine};
use common::{
    LAYOUTS, copy_store, folder, key, log, open, other_key, put_entry, smallest, try_open, value,
};
use proptest::prelude::*;

const ENTRIES: u32 = 60;

/// A store with entries, closed, so that all of it is in the main file.
fn written() -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = folder();
    let mut store = open(&path);
    for number in 0..ENTRIES {
        put_entry(&mut store, number);
    }
    store.commit().unwrap();
    drop(store);
    (folder, path)
}

/// Everything in the folder but the lock, to see that nothing changed.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_str().unwrap().ends_with("-lock"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Opening is refused with `expected`, and the files stay as they are.
fn assert_refused(folder: &Path, path: &Path, expected: OpenError) {
    let before = files(folder);
    assert_eq!(try_open(path).err(), Some(expected));
    assert_eq!(files(folder), before);
}

#[test]
fn another_key_is_told_from_damage() {
    let (folder, path) = written();
    let before = files(folder.path());
    let refused = SqlStore::open(&path, &other_key(), smallest());
    assert_eq!(refused.err(), Some(OpenError::WrongKey));
    assert_eq!(files(folder.path()), before);

    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_refused(folder.path(), &path, OpenError::Corrupt);
}

#[test]
fn files_that_are_no_store_are_refused_and_left_alone() {
    let (folder, path) = folder();
    for bytes in [
        &b""[..],
        b"x",
        b"SQLite format 3\0",
        &[0; 4096],
        &[0x5a; 20_000],
    ] {
        fs::write(&path, bytes).unwrap();
        let before = files(folder.path());
        let refused = try_open(&path).err().unwrap();
        assert!(
            matches!(refused, OpenError::Corrupt | OpenError::WrongKey),
            "{refused:?}"
        );
        assert_eq!(files(folder.path()), before);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_refused(folder.path(), &path, OpenError::NotAFile);
}

#[test]
fn a_folder_that_is_not_there_is_reported() {
    let (folder, _) = folder();
    let refused = try_open(&folder.path().join("nowhere/store.db")).err();
    assert_eq!(refused, Some(OpenError::Io(std::io::ErrorKind::NotFound)));
}

#[test]
fn a_log_without_its_file_is_the_rest_of_a_store() {
    let (folder, path) = folder();
    fs::write(log(&path), b"what is left").unwrap();
    assert_refused(folder.path(), &path, OpenError::Corrupt);
}

#[test]
fn a_later_schema_is_refused_untouched_with_its_log() {
    let (folder, path) = written();
    let image = folder.path().join("image.db");
    let mut later = open(&path);
    put_entry(&mut later, 1_000);
    later.commit().unwrap();
    drop(later);
    // A later version sets its number and dies, so that the number is in the log alone.
    let connection = raw_connection(&path);
    connection.execute_batch("PRAGMA user_version = 9").unwrap();
    copy_store(&path, &image);
    drop(connection);
    assert!(fs::metadata(log(&image)).unwrap().len() > 0);
    assert_refused(
        folder.path(),
        &image,
        OpenError::TooNew { found: 9, known: 2 },
    );
}

/// The store as SQLCipher alone opens it. The salt is read from the file.
fn raw_connection(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    let key: String = key()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    connection
        .execute_batch(&format!("PRAGMA key = \"x'{key}'\""))
        .unwrap();
    connection
}

#[test]
fn a_second_opener_is_told_until_the_first_is_gone() {
    let (_folder, path) = written();
    let first = open(&path);
    assert_eq!(try_open(&path).err(), Some(OpenError::InUse));
    assert_eq!(quarantine(&path).err(), Some(OpenError::InUse));
    // A backup of the file by the same process does not let anyone in either.
    fs::read(&path).unwrap();
    assert_eq!(try_open(&path).err(), Some(OpenError::InUse));
    drop(first);
    try_open(&path).unwrap();
}

#[test]
fn a_damaged_store_is_moved_aside_with_its_log_and_an_empty_one_takes_its_place() {
    let (folder, path) = written();
    for number in 1..=2 {
        fs::write(log(&path), b"a log").unwrap();
        fs::write(&path, [number; 5000]).unwrap();
        let moved = quarantine(&path).unwrap();
        assert_eq!(
            moved,
            folder.path().join(format!("store.db.damaged-{number}"))
        );
        assert_eq!(fs::read(&moved).unwrap(), [number; 5000]);
        assert_eq!(fs::read(log(&moved)).unwrap(), b"a log");
        assert_eq!(open(&path).get(Table::Items, &[0; 4]), Ok(None));
    }
    fs::remove_file(&path).unwrap();
    let nothing = OpenError::Io(std::io::ErrorKind::NotFound);
    assert_eq!(quarantine(&path).err(), Some(nothing));
}

/// Reads all entries of a store that may be damaged. Each answer is the right one or `Corrupt`; returns how many
/// were right.
fn read_all(path: &Path) -> usize {
    let mut store = match try_open(path) {
        Ok(store) => store,
        Err(OpenError::Corrupt | OpenError::WrongKey) => return 0,
        Err(error) => panic!("{error:?}"),
    };
    let mut right = 0;
    for table in LAYOUTS {
        for number in 0..ENTRIES {
            match store.get(table, &number.to_be_bytes()) {
                Ok(found) => {
                    assert_eq!(found, Some(value(number)), "{table:?} {number}");
                    right += 1;
                }
                Err(error) => assert_eq!(error, StoreError::Corrupt),
            }
        }
        match store.scan(table, None, usize::MAX) {
            Ok(found) => assert_eq!(found.len() as u32, ENTRIES),
            Err(error) => assert_eq!(error, StoreError::Corrupt),
        }
    }
    // Writing into a damaged store fails or succeeds, and is never the end of the process.
    let _ = store
        .put(Table::Bodies, b"more", &[1; 5000])
        .and_then(|()| store.commit());
    right
}

fn image() -> &'static Vec<u8> {
    static IMAGE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    IMAGE.get_or_init(|| fs::read(written().1).unwrap())
}

#[test]
fn every_page_damaged_in_turn_gives_no_wrong_value() {
    let (_folder, path) = folder();
    let pages = image().len() / 4096;
    let mut damaged = 0;
    for page in 0..pages {
        let mut bytes = image().clone();
        bytes[page * 4096 + 2000] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let _ = fs::remove_file(log(&path));
        if read_all(&path) < 2 * ENTRIES as usize {
            damaged += 1;
        }
        // What the reads may not touch, the check does.
        fs::write(&path, image()).unwrap();
    }
    assert!(
        damaged > pages / 2,
        "{damaged} of {pages} pages were missed"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn flipped_bytes_give_no_wrong_value(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..6),
    ) {
        let (_folder, path) = folder();
        let mut bytes = image().clone();
        for (at, bits) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        fs::write(&path, bytes).unwrap();
        read_all(&path);
    }

    #[test]
    fn a_page_in_the_place_of_another_gives_no_wrong_value(
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let (_folder, path) = folder();
        let mut bytes = image().clone();
        let pages = bytes.len() / 4096;
        let (from, to) = (from.index(pages) * 4096, to.index(pages) * 4096);
        bytes.copy_within(from..from + 4096, to);
        fs::write(&path, bytes).unwrap();
        read_all(&path);
    }

    #[test]
    fn a_shortened_file_gives_no_wrong_value(length in any::<prop::sample::Index>()) {
        let (_folder, path) = folder();
        fs::write(&path, &image()[..length.index(image().len())]).unwrap();
        read_all(&path);
    }
}

#[test]
fn a_damaged_salt_alone_is_healed_and_a_damaged_page_is_found_by_the_check() {
    let (_folder, path) = written();
    let mut bytes = image().clone();
    bytes[3] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read_all(&path), 2 * ENTRIES as usize);

    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let store = open(&path);
    assert_eq!(store.verify(), Err(StoreError::Corrupt));
    assert_eq!(store.get(Table::Meta, b"x"), Err(StoreError::Corrupt));
}

const READ_ONLY: &str = "CHAPPE_READ_ONLY_STORE";

#[test]
#[cfg(unix)]
fn a_store_that_this_user_may_not_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let (folder, path) = written();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "as_another_user", "--nocapture"])
        .env(READ_ONLY, &path);
    // Permissions mean nothing to root: become nobody.
    if fs::write(folder.path().join("probe"), b"").is_ok() {
        child.uid(65534).gid(65534);
    }
    let output = child.output().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("was refused"),
        "{output:?}"
    );
}

/// Not a test of its own: the user who may not.
#[test]
fn as_another_user() {
    let Ok(path) = std::env::var(READ_ONLY) else {
        return;
    };
    assert_eq!(
        try_open(Path::new(&path)).err(),
        Some(OpenError::Permissions)
    );
    println!("was refused");
}
