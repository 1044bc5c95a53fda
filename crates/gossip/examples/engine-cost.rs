//! Prints the processor time that the router takes for each envelope with a body of 512 bytes, without disk and
//! hop: decode the frame, hash, look up, take in, offer to a second neighbour, answer the first. Linux only.
//!
//! `cargo run --release -p chappe-gossip --example engine-cost`

#[path = "../benches/workload/mod.rs"]
mod workload;

use std::time::Duration;

use chappe_wire::ItemId;

const RUNS: u32 = 100;

fn main() {
    let work = workload::Workload::new();
    // The kernel counts in ticks: many runs, and their mean.
    let mut engine = Duration::ZERO;
    for _ in 0..RUNS {
        let mut router = work.router();
        let start = processor_time();
        work.run(&mut router);
        engine += processor_time().saturating_sub(start);
    }
    let start = processor_time();
    for _ in 0..RUNS {
        for frame in &work.frames {
            std::hint::black_box(ItemId::of(frame));
        }
    }
    let hash = processor_time().saturating_sub(start);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(RUNS) / workload::BATCH as f64;
    println!(
        "processor time for each envelope, mean of {RUNS} runs of {}:",
        workload::BATCH
    );
    println!(
        "  all of it   {:.2} microseconds (into a store of 10,000)",
        each(engine)
    );
    println!("  its SHA-256 {:.2} microseconds", each(hash));
    println!("figure: engine-cost = {:.2} us", each(engine));
}

/// What this process has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
