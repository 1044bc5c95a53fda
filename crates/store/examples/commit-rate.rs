//! How many envelopes a second the store commits: `cargo run --release -p chappe-store --example commit-rate`.
//!
//! Each envelope is three puts: its item row (96 bytes), its body (512 bytes) and its seen row, under a random id.
//! The first lines are for an empty store, the last for one that holds 100,000 envelopes.

use std::error::Error;
use std::time::Instant;

use chappe_node::{Store, Table};
use chappe_store::{OpenOptions, SqlStore, StoreKey};

/// Envelopes committed for one line.
const ENVELOPES: usize = 10_240;
/// Envelopes in the store for the last lines.
const FULL: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    // The current folder, not /tmp, which is memory on many machines.
    let folder = tempfile::tempdir_in(".")?;
    let mut numbers = Numbers(1);

    println!(
        "{:>9}  {:>6}  {:>12}  {:>13}",
        "in store", "batch", "envelopes/s", "ms per commit"
    );
    for batch in [1, 16, 64, 256] {
        let path = folder.path().join(format!("{batch}.db"));
        let mut store = SqlStore::open(&path, &StoreKey::generate()?, OpenOptions::default())?;
        let rate = measure(&mut store, 0, batch, &mut numbers)?;
        if batch == 256 {
            println!("figure: commit-rate = {rate:.0} envelopes/s");
        }
    }

    let path = folder.path().join("full.db");
    let mut store = SqlStore::open(&path, &StoreKey::generate()?, OpenOptions::default())?;
    write(&mut store, FULL, 1024, &mut numbers)?;
    for batch in [64, 256] {
        measure(&mut store, FULL, batch, &mut numbers)?;
    }
    println!("size with {FULL} envelopes and more: {}", store.size()?);
    Ok(())
}

/// Writes envelopes in batches and prints the rate.
fn measure(
    store: &mut SqlStore,
    present: usize,
    batch: usize,
    numbers: &mut Numbers,
) -> Result<f64, Box<dyn Error>> {
    let envelopes = if batch == 1 {
        ENVELOPES / 16
    } else {
        ENVELOPES
    };
    let start = Instant::now();
    write(store, envelopes, batch, numbers)?;
    let seconds = start.elapsed().as_secs_f64();
    let commits = envelopes.div_ceil(batch);
    println!(
        "{present:>9}  {batch:>6}  {:>12.0}  {:>13.2}",
        envelopes as f64 / seconds,
        1000.0 * seconds / commits as f64
    );
    Ok(envelopes as f64 / seconds)
}

/// Commits `envelopes` in batches of `batch`.
fn write(
    store: &mut SqlStore,
    envelopes: usize,
    batch: usize,
    numbers: &mut Numbers,
) -> Result<(), Box<dyn Error>> {
    for number in 1..=envelopes {
        let id = numbers.bytes::<32>();
        store.put(Table::Items, &id, &numbers.bytes::<96>())?;
        store.put(Table::Bodies, &id, &numbers.bytes::<512>())?;
        store.put(Table::Seen, &id, &[])?;
        if number % batch == 0 || number == envelopes {
            store.commit()?;
        }
    }
    Ok(())
}

/// Numbers that look random (SplitMix64), so that no time goes into them.
struct Numbers(u64);

impl Numbers {
    /// As many bytes.
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            for (to, from) in chunk.iter_mut().zip((mixed ^ (mixed >> 31)).to_le_bytes()) {
                *to = from;
            }
        }
        bytes
    }
}
