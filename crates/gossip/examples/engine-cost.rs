//! Prints the processor time that the router takes for each envelope with a body of 512 bytes, without disk and
//! hop: decode the frame, hash, look up, take in, offer to a second neighbour, answer the first. And the memory that the
//! router takes for each envelope. Linux only.
//!
//! `cargo run --release -p chappe-gossip --example engine-cost`

#[path = "../benches/workload/mod.rs"]
mod workload;

use std::time::Duration;

use chappe_wire::{ItemId, LinkId};
use workload::{BATCH, Workload};

/// How many envelopes are held, how many thousands arrive then, how often that is done, and the figure's name. Into a
/// million as many arrive as bring about whatever is done now and then for many at once.
const ROWS: [(u64, u64, u32, &str); 2] = [
    (10_000, 1, 100, "engine-cost"),
    (1_000_000, 70, 1, "engine-cost-million"),
];

/// For the memory.
const HELD_FOR_MEMORY: u64 = 1_000_000;
const LINKS: u64 = 6;

fn main() {
    // First, for what is freed later stays with the process.
    memory();
    println!("processor time for each envelope with a body of 512 bytes:");
    for (held, thousands, runs, name) in ROWS {
        let work: Vec<Workload> = (0..thousands).map(Workload::numbered).collect();
        // The kernel counts in ticks: many envelopes, and their mean.
        let mut spent = Duration::ZERO;
        for _ in 0..runs {
            let mut router = workload::router(held);
            for work in &work {
                work.ask(&mut router);
                let start = processor_time();
                work.run(&mut router);
                spent += processor_time().saturating_sub(start);
            }
        }
        let each = each(spent, u64::from(runs) * thousands * BATCH);
        println!("  {each:.2} microseconds into a store of {held}");
        println!("figure: {name} = {each:.2} us");
    }
    let work = Workload::numbered(0);
    let start = processor_time();
    for _ in 0..RUNS_OF_HASH {
        for frame in &work.frames {
            std::hint::black_box(ItemId::of(frame));
        }
    }
    let hash = processor_time().saturating_sub(start);
    println!(
        "  of it {:.2} microseconds for its SHA-256",
        each(hash, RUNS_OF_HASH * BATCH)
    );
}

/// Prints what the router's own part of an envelope takes, without its body, with the slack of lists and trees.
fn memory() {
    let before = resident_memory();
    let mut router = workload::router_alone(HELD_FOR_MEMORY);
    let alone = resident_memory();
    for link in 1..=LINKS {
        workload::meet(&mut router, LinkId::new(link));
    }
    let met = resident_memory();
    let each = |from: u64, to: u64| to.saturating_sub(from) / HELD_FOR_MEMORY;
    println!("memory for each of {HELD_FOR_MEMORY} envelopes:");
    println!("  {} bytes without neighbours", each(before, alone));
    println!("  {} bytes more for {LINKS} neighbours", each(alone, met));
    println!("figure: engine-memory = {} B", each(before, met));
}

const RUNS_OF_HASH: u64 = 100;

fn each(spent: Duration, envelopes: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / envelopes as f64
}

/// Bytes of memory that this process has in use.
fn resident_memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * PAGE
}

const PAGE: u64 = 4_096;

/// What this process has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
