//! How fast whole nodes with real cryptography run, in one thread: 1,000 of them for an hour, random waypoint at the density
//! of the trace rwp200, each writing once in that hour, with the router that ships.
//!
//! `cargo run --release -p chappe-sim --example full-level [NODES MINUTES]`

#[path = "shared/walkers.rs"]
mod walkers;

use std::error::Error;

use walkers::Walkers;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<u32> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let (nodes, minutes) = match arguments.as_slice() {
        [] => (1_000, 60),
        [nodes, minutes] => (*nodes, *minutes),
        _ => return Err("expected: NODES MINUTES".into()),
    };
    let walkers = Walkers {
        nodes,
        minutes: minutes.into(),
        each_writes_every: 3_600.0,
        sizes: "200B..2kB",
        keys: r#"level = "full""#,
    };
    let (outcome, cost) = walkers.run("default", 1)?;
    println!(
        "{nodes} whole nodes, {minutes} min: {} contacts, {} written, {} delivered, {} relayed; {:.2} CPU s, {:.1} MB",
        outcome.contacts,
        outcome.created,
        outcome.delivered,
        outcome.relayed,
        cost.cpu_s,
        cost.peak_rss_bytes as f64 / 1e6
    );
    let speed = f64::from(minutes) * 60.0 / cost.cpu_s;
    println!("figure: sim-full-speed = {speed:.1} times");
    Ok(())
}
