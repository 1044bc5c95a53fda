//! What large worlds cost at the routing level, in one thread: random waypoint at the density of the trace rwp200, the
//! router spray and wait with six copies, one message for each node and day. As in the literature there are no receipts,
//! which everyone would carry.
//!
//! `cargo run --release -p chappe-sim --example scale [NODES HOURS [SEED]]`; without arguments 100,000 nodes for a day.

use std::error::Error;

use chappe_sim::cost::Meter;
use chappe_sim::log::Keep;
use chappe_sim::routers::Router;
use chappe_sim::run::{self, Wanted};
use chappe_sim::scenario::Scenario;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    match arguments.as_slice() {
        [] => {
            let (cpu_s, megabytes) = measure(100_000, 24, 1)?;
            println!("figure: sim-scale-day = {:.3} min", cpu_s / 60.0);
            println!("figure: sim-scale-memory = {megabytes:.1} MB");
            Ok(())
        }
        [nodes, hours] => measure(*nodes, *hours, 1).map(|_| ()),
        [nodes, hours, seed] => measure(*nodes, *hours, *seed).map(|_| ()),
        _ => Err("expected: NODES HOURS SEED".into()),
    }
}

/// CPU seconds and the most memory (10^6 bytes). The process is to run one world only: it is asked for its peak.
fn measure(nodes: u64, hours: u64, seed: u64) -> Result<(f64, f64), Box<dyn Error>> {
    let scenario = Scenario::parse(&world(nodes, hours), "scale.toml".as_ref(), &[])?;
    let router = Router::named("spray-and-wait").ok_or("no such router")?;
    let wanted = Wanted {
        oracle: false,
        keep: Keep::Figures,
    };
    let meter = Meter::start();
    let outcome = run::run(&scenario, router, seed, wanted)?.course.outcome;
    let cost = meter.read();
    let megabytes = cost.peak_rss_bytes as f64 / 1e6;
    let contacts = outcome.contacts as f64;
    println!(
        "{nodes} nodes, {hours} h, seed {seed}: {} contacts, {} written, {} delivered, {} relayed; {:.2} CPU s, {:.1} s, \
         {megabytes:.1} MB; a contact {:.2} us, by log2 of nodes {:.3} us; a node {:.2} kB",
        outcome.contacts,
        outcome.created,
        outcome.delivered,
        outcome.relayed,
        cost.cpu_s,
        cost.wall_s,
        cost.cpu_s / contacts * 1e6,
        cost.cpu_s / contacts * 1e6 / (nodes as f64).log2(),
        megabytes * 1e3 / nodes as f64,
    );
    Ok((cost.cpu_s, megabytes))
}

fn world(nodes: u64, hours: u64) -> String {
    let side = 1500.0 * (nodes as f64 / 200.0).sqrt();
    let every = 86_400.0 / nodes as f64;
    format!(
        r#"
            about = "Many people, each of whom writes once a day"
            duration = "{hours}h"
            ttl = "300min"
            receipts = false
            [[groups]]
            name = "walkers"
            count = {nodes}
            radio = "ideal"
            range = "30m"
            movement.random-waypoint = {{ area = "{side:.1}m x {side:.1}m", speed = "0.5..1.5m/s", pause = "0s..2min" }}
            [[traffic]]
            when.poisson = {{ every = "{every:.4}s" }}
            size = "5kB..10kB"
        "#
    )
}
