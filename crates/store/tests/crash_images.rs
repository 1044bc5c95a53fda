//! What a power cut can leave on the disk opens as a state that was committed.
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
use std::sync::OnceLock;

use chappe_node::{Store as _, Table};
use common::{copy_store, folder, log, open, put_entry, try_open, value};
use proptest::prelude::*;

/// Writes transactions of three entries; `moment` is called with the number of commits after each step.
fn workload(path: &Path, commits: u32, mut moment: impl FnMut(u32)) {
    let mut store = open(path);
    for commit in 0..commits {
        for entry in commit * 3..commit * 3 + 3 {
            put_entry(&mut store, entry);
            moment(commit);
        }
        store
            .delete(Table::Items, &(commit / 2).to_be_bytes())
            .unwrap();
        store.commit().unwrap();
        moment(commit + 1);
    }
}

/// The number of commits that the store at `path` has, which must be whole.
fn commits(path: &Path) -> u32 {
    let store = open(path);
    store.verify().unwrap();
    let bodies = store.scan(Table::Bodies, None, usize::MAX).unwrap();
    for (number, (key, found)) in (0u32..).zip(&bodies) {
        assert_eq!(
            (key.as_slice(), found),
            (&number.to_be_bytes()[..], &value(number))
        );
    }
    let commits = bodies.len() as u32 / 3;
    assert_eq!(bodies.len() as u32, commits * 3);
    let items = store.scan(Table::Items, None, usize::MAX).unwrap();
    assert_eq!(items.len() as u32, commits * 3 - commits.div_ceil(2));
    commits
}

#[test]
fn copies_taken_at_any_moment_are_the_last_commit() {
    let (folder, path) = folder();
    let mut images = Vec::new();
    workload(&path, 30, |commit| {
        let image = folder.path().join(format!("image-{}", images.len()));
        copy_store(&path, &image);
        images.push((image, commit));
    });
    assert_eq!(images.len(), 120);
    for (image, commit) in images {
        assert_eq!(commits(&image), commit);
    }
}

/// How the end of the log looks after a power cut: what was written and not synced may be missing, zero or torn.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Cut,
    Zero,
    Garbage,
}

/// What is on the disk after 12 commits, all of them in the log.
struct Recorded {
    main: Vec<u8>,
    log: Vec<u8>,
    /// The length of the log after each commit.
    synced: Vec<u64>,
}

fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let (_folder, path) = folder();
        let mut synced = Vec::new();
        let (mut main, mut bytes) = (Vec::new(), Vec::new());
        workload(&path, 12, |commit| {
            if synced.len() as u32 == commit {
                synced.push(fs::metadata(log(&path)).map_or(0, |found| found.len()));
            }
            if commit == 12 {
                main = fs::read(&path).unwrap();
                bytes = fs::read(log(&path)).unwrap();
            }
        });
        Recorded {
            main,
            log: bytes,
            synced,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_log_with_a_torn_end_is_an_earlier_commit_and_never_less_than_what_was_synced(
        at in any::<prop::sample::Index>(),
        damage in prop::sample::select(&[Damage::Cut, Damage::Zero, Damage::Garbage][..]),
    ) {
        let (folder, _) = folder();
        let image = folder.path().join("image");
        let Recorded { main, log: bytes, synced } = recorded();
        let mut bytes = bytes.clone();
        fs::write(&image, main).unwrap();
        let at = at.index(bytes.len());
        match damage {
            Damage::Cut => bytes.truncate(at),
            Damage::Zero => bytes[at..].fill(0),
            Damage::Garbage => bytes[at..].iter_mut().for_each(|byte| *byte ^= 0xa5),
        }
        fs::write(log(&image), bytes).unwrap();

        let whole = synced.iter().rposition(|length| *length <= at as u64).unwrap();
        prop_assert_eq!(commits(&image) as usize, whole);
    }
}

#[test]
fn a_first_start_that_was_cut_off_begins_again() {
    let (_folder, path) = folder();
    drop(open(&path));
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for length in [0, 1, 4096, whole.len()] {
        fs::write(format!("{}-new", path.display()), &whole[..length]).unwrap();
        let mut store = try_open(&path).unwrap();
        put_entry(&mut store, 1);
        store.commit().unwrap();
        drop(store);
        fs::remove_file(&path).unwrap();
    }
}
