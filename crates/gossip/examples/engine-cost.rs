//! Prints the processor time that the router takes for each envelope with a body of 512 bytes, without disk and
//! hop: decode the frame, hash, look up, take in, offer to a second neighbour, answer the first. Linux only.
//!
//! `cargo run --release -p chappe-gossip --example engine-cost`

#[path = "../benches/workload/mod.rs"]
mod workload;

use std::time::Duration;

use chappe_wire::ItemId;
use workload::{BATCH, Workload};

/// How many envelopes are held, how many thousands arrive then, how often that is done, and the figure's name.
const ROWS: [(u64, u64, u32, &str); 2] = [
    (10_000, 1, 100, "engine-cost"),
    (1_000_000, 40, 2, "engine-cost-million"),
];

fn main() {
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

const RUNS_OF_HASH: u64 = 100;

fn each(spent: Duration, envelopes: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / envelopes as f64
}

/// What this process has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
