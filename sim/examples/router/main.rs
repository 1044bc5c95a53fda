//! What the router that ships is worth, beside the oracle and the routers of the literature. Everything is simulated.
//!
//! ```text
//! cargo run --release -p chappe-sim --example router -- table          # routers on five sets of contacts and messages
//! cargo run --release -p chappe-sim --example router -- table rwp200-heavy --pieces --anew # on one, in pieces, without resuming
//! cargo run --release -p chappe-sim --example router -- ablation       # each idea off by itself
//! cargo run --release -p chappe-sim --example router -- adversaries    # who drops, floods, forges, lies
//! cargo run --release -p chappe-sim --example router -- crowd          # five hundred people who stand
//! cargo run --release -p chappe-sim --example router -- frontier DIR   # what hiding costs, as tables and pictures in DIR
//! cargo run --release -p chappe-sim --example router                   # the figures of the README
//! ```
//!
//! `--seeds N` means N runs of each instead of one; `adversaries --hours N` the first N hours in place of six of rwp200's
//! twelve.

#![allow(
    clippy::indexing_slicing,
    reason = "places of nodes and messages come out of the run that they are looked up in"
)]

mod ablation;
mod adversaries;
mod cases;
mod crowd;
mod figures;
mod frontier;
mod measure;
#[path = "../shared/plot.rs"]
mod plot;
mod table;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut seeds = 1;
    if let Some(place) = words.iter().position(|word| word == "--seeds") {
        let count = words.get(place + 1).ok_or("`--seeds` needs a number")?;
        seeds = count.parse()?;
        words.drain(place..=place + 1);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => figures::print(seeds),
        ["table", words @ ..] => table::print(words, seeds),
        ["ablation"] => ablation::print(seeds),
        ["adversaries"] => adversaries::print(seeds, adversaries::HOURS),
        ["adversaries", "--hours", hours] => adversaries::print(seeds, hours.parse()?),
        ["crowd"] => crowd::print(seeds),
        ["frontier", folder] => frontier::print(seeds, Path::new(folder)),
        _ => Err("expected table, ablation, adversaries, crowd, frontier DIR, or nothing".into()),
    }
}
