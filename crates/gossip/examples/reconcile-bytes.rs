//! Prints what it costs two stores to find out what they do not have in common: bytes both ways and round trips
//! until both know, from the frames of two routers.
//!
//! `cargo run --release -p chappe-gossip --example reconcile-bytes`
#![allow(
    clippy::indexing_slicing,
    reason = "a program to be read, with ranges known to fit"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use chappe_gossip::reconcile::{Decoder, Encoder};
use chappe_wire::{LinkSalt, ShortId};
use common::{Net, sample};

fn main() {
    println!(
        "Two routers (bytes of digest, cells, more, list, offer and want frames, both ways):\n"
    );
    println!("| common | only first | only second | bytes | round trips |");
    println!("|-------:|-----------:|------------:|------:|------------:|");
    let rows = [
        (10_000, 0, 0),
        (10_000, 5, 5),
        (10_000, 10, 0),
        (10_000, 0, 10),
        (10_000, 50, 50),
        (10_000, 500, 500),
        (1_000, 1, 0),
        (1_000, 5, 5),
        (1_000, 50, 50),
        (100, 5, 5),
        (0, 1_000, 0),
        (0, 0, 1_000),
        (0, 1_000, 1_000),
    ];
    for (common, first, second) in rows {
        let (bytes, turns) = cost(common, first, second);
        let trips = turns.div_ceil(2);
        println!("| {common:>6} | {first:>10} | {second:>11} | {bytes:>5} | {trips:>11} |");
    }
    let (bytes, turns) = cost(10_000, 5, 5);
    println!("\nfigure: reconcile-10-bytes = {bytes} B");
    println!(
        "figure: reconcile-10-trips = {} round trips",
        turns.div_ceil(2)
    );
    let (bytes, _) = cost(10_000, 0, 0);
    println!("figure: reconcile-0-bytes = {bytes} B");

    println!(
        "\nCoded symbols until the difference is read (what both have cancels out; 2,000 runs each):\n"
    );
    println!("| differences | mean | 95 % | 99.9 % | most | per difference |");
    println!("|------------:|-----:|-----:|-------:|-----:|---------------:|");
    for difference in [1u64, 2, 5, 10, 20, 50, 100] {
        let mut symbols: Vec<u32> = (0..2_000).map(|run| needed(run, difference)).collect();
        symbols.sort_unstable();
        let at = |share: f64| symbols[(share * (symbols.len() - 1) as f64) as usize];
        let mean = f64::from(symbols.iter().sum::<u32>()) / symbols.len() as f64;
        println!(
            "| {difference:>11} | {mean:>4.1} | {:>4} | {:>6} | {:>4} | {:>14.2} |",
            at(0.95),
            at(0.999),
            at(1.0),
            mean / difference as f64
        );
    }
}

fn cost(common: u64, first: u64, second: u64) -> (u64, u64) {
    let mut net = Net::new(2);
    for number in 0..common + first {
        net.add_own(0, &sample(number));
    }
    for number in (0..common).chain(common + first..common + first + second) {
        net.add_own(1, &sample(number));
    }
    net.connect(0, 1);
    net.run_in_turns(0, 1);
    (net.traffic.reconciliation_bytes(), net.traffic.known_after)
}

fn needed(run: u64, difference: u64) -> u32 {
    let mut salt = [9; 16];
    salt[..8].copy_from_slice(&run.to_le_bytes());
    let salt = LinkSalt::new(salt);
    let ids = |numbers: std::ops::Range<u64>| -> Vec<ShortId> {
        let items = numbers.map(|number| sample(number).id);
        items.map(|id| ShortId::of(&salt, &id)).collect()
    };
    let mut encoder = Encoder::new(&salt, ids(0..difference));
    let mut decoder = Decoder::new(&salt, ids(0..0));
    while !decoder.is_complete() {
        decoder.push(&encoder.produce(1));
    }
    decoder.received()
}
