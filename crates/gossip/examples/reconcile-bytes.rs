//! Prints what it costs two stores to find out what they do not have in common: bytes both ways and turns until both
//! know, from the frames of two routers; and beside it what other methods take.
//!
//! `cargo run --release -p chappe-gossip --example reconcile-bytes`
#![allow(
    clippy::indexing_slicing,
    reason = "a program to be read, with ranges known to fit"
)]

#[path = "../benches/baselines/mod.rs"]
mod baselines;
#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use baselines::{Cost, Stores};
use chappe_gossip::reconcile::{Decoder, Encoder};
use chappe_wire::{LinkSalt, ShortId};
use common::{Net, sample};

fn main() {
    ours();
    beside_others();
    symbols();
}

fn ours() {
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
}

fn symbols() {
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

/// Other methods on the same ids: both ends together, from the ids of 32 bytes to the known difference.
fn beside_others() {
    println!(
        "\nStores of about 10,000, half of the differences on each side; all methods tell the difference as salted short \
         ids of 8 bytes:\n"
    );
    println!(
        "| differences | method | bytes, median | bytes, 95 % | turns | not found | CPU, ms |"
    );
    println!(
        "|------------:|:-------|--------------:|------------:|------:|----------:|--------:|"
    );
    let methods: [(&str, fn(&Stores) -> Timed); 8] = [
        ("this router", |stores| router(stores, true)),
        ("this router, no outline heard", |stores| {
            router(stores, false)
        }),
        ("list of ids", |stores| timed(|| baselines::list(stores))),
        ("Bloom filters, 1 %", |stores| {
            timed(|| baselines::bloom(stores))
        }),
        ("Golomb-coded sets, P = 7", |stores| {
            timed(|| baselines::golomb(stores))
        }),
        ("range-based, 16 buckets", |stores| {
            timed(|| baselines::ranges(stores))
        }),
        ("PinSketch, told how many", |stores| {
            timed(|| baselines::pin_sketch_told(stores))
        }),
        ("PinSketch, by the sizes", |stores| {
            timed(|| baselines::pin_sketch_by_sizes(stores))
        }),
    ];
    for differences in [0, 10, 1_000] {
        for (name, method) in &methods {
            // The work of a large sketch takes seconds.
            let is_slow = name.starts_with("PinSketch") && differences > 100;
            let runs = 0..if is_slow { 2 } else { 20 };
            let all: Vec<Timed> = runs
                .clone()
                .map(|run| method(&stores(run, differences)))
                .collect();
            let sorted = |of: fn(&Timed) -> u64| {
                let mut values: Vec<u64> = all.iter().map(of).collect();
                values.sort_unstable();
                values
            };
            let bytes = sorted(|timed| timed.cost.bytes);
            let turns = sorted(|timed| timed.cost.turns);
            let missed = all.iter().map(|timed| timed.cost.missed).sum::<u64>();
            let missed = missed as f64 / all.len() as f64;
            let cpu = all.iter().map(|timed| timed.cpu).sum::<Duration>() / all.len() as u32;
            let cpu = cpu.as_secs_f64() * 1e3;
            println!(
                "| {differences} | {name} | {} | {} | {} | {missed:.1} | {cpu:.1} |",
                at(&bytes, 0.5),
                at(&bytes, 0.95),
                at(&turns, 0.95),
            );
        }
    }
}

struct Timed {
    cost: Cost,
    cpu: Duration,
}

fn stores(run: u64, differences: u64) -> Stores {
    const COMMON: u64 = 10_000;
    let mut salt = [0x77; 16];
    salt[..8].copy_from_slice(&run.to_le_bytes());
    let ids =
        |numbers: &mut dyn Iterator<Item = u64>| numbers.map(|number| sample(number).id).collect();
    let half = COMMON + differences / 2;
    Stores {
        run,
        salt: LinkSalt::new(salt),
        first: ids(&mut (0..half)),
        second: ids(&mut (0..COMMON).chain(half..COMMON + differences)),
    }
}

fn timed(method: impl FnOnce() -> Cost) -> Timed {
    let start = processor_time();
    let cost = method();
    let cpu = processor_time().saturating_sub(start);
    Timed { cost, cpu }
}

/// Two routers with these stores, from the moment that their hop is up.
fn router(stores: &Stores, outlines: bool) -> Timed {
    let mut net = Net::new(2);
    net.skip_links(stores.run);
    net.outlines = outlines;
    for (peer, ids) in [(0, &stores.first), (1, &stores.second)] {
        for id in ids {
            net.add_own(peer, &common::sample_of(*id));
        }
    }
    timed(|| {
        net.connect(0, 1);
        net.run_until_known(0, 1);
        Cost {
            bytes: net.traffic.bytes_until_known,
            turns: net.traffic.turns_until_known,
            missed: 0,
        }
    })
}

/// What this process has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
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
