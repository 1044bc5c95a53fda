//! `kill -9` at any moment loses nothing that was acknowledged, and leaves no half transaction.
//!
//! `CHAPPE_KILL_CYCLES` sets the number of kills.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may panic as the test itself"
)]

mod common;

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chappe_node::{Store as _, Table};
use common::{folder, open, value};

const STORE: &str = "CHAPPE_KILL_STORE";
/// Entries of one batch, each in two tables.
const BATCH: u32 = 6;
/// Batches that are kept; each new one deletes the oldest, so that the store does not fill up.
const KEPT: u64 = 64;

#[test]
fn every_reported_batch_is_whole_after_each_kill() {
    let cycles = env::var("CHAPPE_KILL_CYCLES").map_or(40, |cycles| cycles.parse().unwrap());
    let (_folder, path) = folder();
    let mut batches = 0;
    for cycle in 0..cycles {
        let reported = run_and_kill(&path, Duration::from_micros(2_000 + cycle * 7_919 % 60_000));
        batches = check(&path, batches.max(reported));
    }
    assert!(
        batches > cycles,
        "only {batches} batches in {cycles} cycles"
    );
}

/// Starts the writer, kills it after `delay` from its first report, and returns the last batch it reported.
fn run_and_kill(path: &Path, delay: Duration) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut number = || {
        lines
            .by_ref()
            .find_map(|line| line.ok()?.rsplit_once("committed ")?.1.parse::<u64>().ok())
    };
    let mut last = number().expect("the writer starts");
    thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(reported) = number() {
        last = reported;
    }
    last
}

/// Opens the store, checks that it has all batches up to one that is at least `reported`, and returns that one.
fn check(path: &Path, reported: u64) -> u64 {
    let store = open(path);
    store.verify().unwrap();
    let count = store.get(Table::Meta, b"batches").unwrap().unwrap();
    let count = u64::from_be_bytes(count.try_into().unwrap());
    assert!(
        count == reported || count == reported + 1,
        "reported {reported}, found {count}"
    );
    let first = count.saturating_sub(KEPT) as u32 * BATCH;
    let end = count as u32 * BATCH;
    for table in [Table::Seen, Table::Bodies] {
        let entries = store.scan(table, None, usize::MAX).unwrap();
        let expected = (first..end).map(|number| (number.to_be_bytes().to_vec(), value(number)));
        assert!(
            entries.into_iter().eq(expected),
            "{table:?} of {count} batches"
        );
    }
    count
}

/// Not a test of its own: the process that is killed.
#[test]
fn writer() {
    let Ok(path) = env::var(STORE) else { return };
    let mut store = open(Path::new(&path));
    let mut count = match store.get(Table::Meta, b"batches").unwrap() {
        Some(count) => u64::from_be_bytes(count.try_into().unwrap()),
        None => 0,
    };
    loop {
        for table in [Table::Seen, Table::Bodies] {
            for index in 0..BATCH {
                let number = count as u32 * BATCH + index;
                store
                    .put(table, &number.to_be_bytes(), &value(number))
                    .unwrap();
                if let Some(oldest) = number.checked_sub(KEPT as u32 * BATCH) {
                    store.delete(table, &oldest.to_be_bytes()).unwrap();
                }
            }
        }
        count += 1;
        store
            .put(Table::Meta, b"batches", &count.to_be_bytes())
            .unwrap();
        store.commit().unwrap();
        let mut output = std::io::stdout().lock();
        writeln!(output, "committed {count}").unwrap();
        output.flush().unwrap();
    }
}
