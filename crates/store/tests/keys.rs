//! The three ways in which the store's key is kept.
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

use chappe_node::Table;
use chappe_store::{
    KeyError, KeyFile, KeyProvider, MemoryOnly, OpenError, OpenOptions, Passphrase, PassphraseCost,
    StoreKey, open_or_create,
};
use common::folder;
use proptest::prelude::*;
use zeroize::Zeroizing;

const CHEAP: PassphraseCost = PassphraseCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn passphrase(path: &Path, words: &str) -> Passphrase {
    Passphrase::new(path, Zeroizing::new(words.as_bytes().to_vec())).with_cost(CHEAP)
}

fn bytes(key: &StoreKey) -> [u8; 32] {
    *key.as_bytes()
}

/// What both kinds of file have in common.
fn assert_kept_once(keys: &impl KeyProvider) {
    assert!(keys.load().unwrap().is_none());
    let made = keys.create().unwrap();
    assert_eq!(bytes(&keys.load().unwrap().unwrap()), bytes(&made));
    assert_eq!(keys.create().err(), Some(KeyError::Exists));
    assert_eq!(bytes(&keys.load().unwrap().unwrap()), bytes(&made));
}

#[test]
fn a_key_is_made_once_and_never_replaced() {
    let (folder, path) = folder();
    assert_kept_once(&KeyFile::new(&path));
    assert_kept_once(&passphrase(&folder.path().join("header"), "words"));
    // Nothing else is left in the folder.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn keys_differ() {
    let key = || bytes(&StoreKey::generate().unwrap());
    let (one, two) = (key(), key());
    assert_ne!(one, two);
    assert_ne!(one, [0; 32]);
}

#[test]
#[cfg(unix)]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, path) = folder();
    let keys = KeyFile::new(&path);
    keys.create().unwrap();
    for (mode, refused) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o620, true),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            keys.load().err() == Some(KeyError::Exposed),
            refused,
            "{mode:o}"
        );
    }
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_header() {
    let (_folder, path) = folder();
    passphrase(&path, "right").create().unwrap();
    assert_eq!(
        passphrase(&path, "wrong").load().err(),
        Some(KeyError::WrongPassphrase)
    );
    assert_eq!(
        passphrase(&path, "").load().err(),
        Some(KeyError::EmptyPassphrase)
    );
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("salt ", "salt 0", 1)).unwrap();
    assert_eq!(
        passphrase(&path, "right").load().err(),
        Some(KeyError::Damaged)
    );
}

#[test]
fn an_empty_passphrase_makes_no_key() {
    let (_folder, path) = folder();
    assert_eq!(
        passphrase(&path, "").create().err(),
        Some(KeyError::EmptyPassphrase)
    );
    assert!(!path.exists());
}

#[test]
fn a_changed_passphrase_opens_the_same_store_and_the_old_one_does_not() {
    let (folder, store) = folder();
    let header = folder.path().join("header");
    let old = passphrase(&header, "old");
    let mut opened = open_or_create(&store, &old, OpenOptions::default()).unwrap();
    opened.put(Table::Meta, b"a", b"b").unwrap();
    opened.commit().unwrap();
    drop(opened);

    let wrong = passphrase(&header, "wrong").change(Zeroizing::new(b"new".to_vec()));
    assert_eq!(wrong.err(), Some(KeyError::WrongPassphrase));
    let empty = old.change(Zeroizing::new(Vec::new()));
    assert_eq!(empty.err(), Some(KeyError::EmptyPassphrase));
    let new = old.change(Zeroizing::new(b"new".to_vec())).unwrap();

    let refused = open_or_create(&store, &old, OpenOptions::default()).err();
    assert_eq!(refused, Some(OpenError::Key(KeyError::WrongPassphrase)));
    let opened = open_or_create(&store, &new, OpenOptions::default()).unwrap();
    assert_eq!(opened.get(Table::Meta, b"a").unwrap().unwrap(), b"b");
}

#[test]
fn a_header_cannot_ask_for_more_than_the_limits() {
    let (_folder, path) = folder();
    for cost in [
        PassphraseCost {
            memory_kib: PassphraseCost::MAX_MEMORY_KIB + 1,
            ..CHEAP
        },
        PassphraseCost {
            passes: PassphraseCost::MAX_PASSES + 1,
            ..CHEAP
        },
        PassphraseCost {
            lanes: PassphraseCost::MAX_LANES + 1,
            ..CHEAP
        },
        PassphraseCost {
            memory_kib: 1,
            ..CHEAP
        },
        PassphraseCost { passes: 0, ..CHEAP },
        PassphraseCost { lanes: 0, ..CHEAP },
    ] {
        assert_eq!(
            passphrase(&path, "x").with_cost(cost).create().err(),
            Some(KeyError::Cost)
        );
    }
}

#[test]
fn a_store_without_its_key_gets_no_new_key() {
    let (folder, path) = folder();
    let file = folder.path().join("key");
    let keys = KeyFile::new(&file);
    drop(open_or_create(&path, &keys, OpenOptions::default()).unwrap());
    fs::remove_file(&file).unwrap();
    let refused = open_or_create(&path, &keys, OpenOptions::default()).err();
    assert_eq!(refused, Some(OpenError::KeyMissing));
    assert!(!file.exists());
}

#[test]
fn in_memory_nothing_touches_the_disk() {
    let (folder, path) = folder();
    let mut store = open_or_create(&path, &MemoryOnly, OpenOptions::default()).unwrap();
    store.put(Table::Meta, b"a", b"b").unwrap();
    store.commit().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_key_file_of_a_later_version_is_told_from_damage() {
    // The check line is that of these lines.
    let later = "chappe store-key 2\nkey new\ncheck LATER\n";
    let (_folder, path) = folder();
    KeyFile::new(&path).create().unwrap();
    fs::write(&path, later.replace("LATER", LATER_CHECK)).unwrap();
    assert_eq!(KeyFile::new(&path).load().err(), Some(KeyError::TooNew));
}

/// The first 8 bytes of the SHA-256 of the first two lines above.
const LATER_CHECK: &str = "d6ec21d73ec6a30c";

/// A key file and a header that are valid.
fn valid() -> &'static [Vec<u8>; 2] {
    static VALID: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    VALID.get_or_init(|| {
        let (folder, path) = folder();
        let header = folder.path().join("header");
        KeyFile::new(&path).create().unwrap();
        passphrase(&header, "words").create().unwrap();
        [fs::read(path).unwrap(), fs::read(header).unwrap()]
    })
}

/// What the two decoders say of these bytes: they refuse them with `Damaged`, or for what the bytes say.
fn assert_refused(bytes: &[u8]) {
    let (_folder, path) = folder();
    KeyFile::new(&path).create().unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(KeyFile::new(&path).load().err(), Some(KeyError::Damaged));
    assert_eq!(
        passphrase(&path, "words").load().err(),
        Some(KeyError::Damaged)
    );
}

#[test]
fn a_shortened_key_file_is_refused_at_every_length() {
    for text in valid() {
        for length in 0..text.len() {
            assert_refused(&text[..length]);
        }
        assert_refused(&[text.as_slice(), b"\n"].concat());
        assert_refused(&text.repeat(2));
        assert_refused(&text.repeat(100));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_key_files_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        assert_refused(&bytes);
    }

    #[test]
    fn a_flipped_bit_in_a_key_file_is_found(
        which in 0usize..2, at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let mut bytes = valid()[which].clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        assert_refused(&bytes);
    }
}
