//! Prints how fast a hop in memory is, beside bare snow with the same cryptography:
//! `cargo run --release -p chappe-hop --example throughput`.
//!
//! Runs alternate, so that both meet the same load of the machine; medians are printed.

#[path = "../benches/measure/mod.rs"]
mod measure;

use std::time::Instant;

use measure::{BareSnow, FRAME_LEN, Hops};

/// 10 MB a run.
const FRAMES: usize = 10_000_000 / FRAME_LEN;
const RUNS: usize = 31;

fn main() {
    println!("medians of {RUNS} alternating runs of {FRAMES} frames of {FRAME_LEN} bytes");
    for mtu in [65_535, 16_384, 4_096, 512, 247, 20] {
        let (mut snow, mut hops) = (BareSnow::new(), Hops::new(mtu));
        let (mut of_snow, mut of_hop) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            of_snow.push(rate(|| snow.move_frames(FRAMES)));
            of_hop.push(rate(|| hops.move_frames(FRAMES)));
        }
        let (of_snow, of_hop) = (median(of_snow), median(of_hop));
        let ratio = 100.0 * of_hop / of_snow;
        println!(
            "MTU {mtu:>5}: bare snow {of_snow:>6.1} MB/s, hop {of_hop:>6.1} MB/s, {ratio:.0} %"
        );
        if mtu == 16_384 {
            println!("figure: hop-ratio = {ratio:.0} %");
        }
    }
}

/// Megabytes a second.
fn rate(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    (FRAMES * FRAME_LEN) as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
