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
        "Two routers, after the outline in the handshake: bytes both ways and turns until both know the difference (digest, \
         sketch, cells, more, list, want, offer), over so many links:\n"
    );
    println!("| common | only first | only second | links | median | 95 % | most | turns, 95 % |");
    println!("|-------:|-----------:|------------:|------:|-------:|-----:|-----:|------------:|");
    let rows = [
        (10_000, 0, 0, 20),
        (10_000, 1, 0, 20),
        (10_000, 5, 5, 200),
        (10_000, 10, 0, 60),
        (10_000, 0, 10, 60),
        (10_000, 15, 15, 40),
        (10_000, 50, 50, 40),
        (10_000, 500, 500, 40),
        (1_000, 5, 5, 100),
        (1_000, 50, 50, 40),
        (100, 5, 5, 100),
        (0, 1_000, 0, 5),
        (0, 1_000, 1_000, 5),
    ];
    for (common, first, second, links) in rows {
        let Costs { bytes, turns } = costs(common, first, second, links);
        let (median, high, most) = (at(&bytes, 0.5), at(&bytes, 0.95), at(&bytes, 1.0));
        let turns = at(&turns, 0.95);
        println!(
            "| {common:>6} | {first:>10} | {second:>11} | {links:>5} | {median:>6} | {high:>4} | {most:>4} | {turns:>11} |"
        );
        match (common, first, second) {
            (10_000, 0, 0) => println!("figure: reconcile-0-bytes = {most} B"),
            (10_000, 5, 5) => {
                println!("figure: reconcile-10-bytes = {median} B");
                println!("figure: reconcile-10-bytes-95 = {high} B");
                println!("figure: reconcile-10-turns = {turns} flights");
            }
            (10_000, 500, 500) => println!(
                "figure: reconcile-1000-bytes-each = {:.1} B",
                median as f64 / 1_000.0
            ),
            _ => {}
        }
    }
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

struct Costs {
    bytes: Vec<u64>,
    turns: Vec<u64>,
}

/// What it costs on so many links, each with other salts, in ascending order.
fn costs(common: u64, first: u64, second: u64, links: u64) -> Costs {
    let mut costs = Costs {
        bytes: Vec::new(),
        turns: Vec::new(),
    };
    for link in 0..links {
        let mut net = Net::new(2);
        net.skip_links(link);
        for number in 0..common + first {
            net.add_own(0, &sample(number));
        }
        for number in (0..common).chain(common + first..common + first + second) {
            net.add_own(1, &sample(number));
        }
        net.connect(0, 1);
        net.run_in_turns(0, 1);
        costs.bytes.push(net.traffic.bytes_until_known);
        costs.turns.push(net.traffic.turns_until_known);
    }
    costs.bytes.sort_unstable();
    costs.turns.sort_unstable();
    costs
}

fn at(sorted: &[u64], share: f64) -> u64 {
    sorted[(share * (sorted.len() - 1) as f64).ceil() as usize]
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
