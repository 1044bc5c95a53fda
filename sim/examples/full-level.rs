//! How fast whole nodes with real cryptography run, in one thread: 1,000 of them for an hour, random waypoint at the density
//! of the trace rwp200, each writing once in that hour, with the router that ships.
//!
//! `cargo run --release -p chappe-sim --example full-level [NODES MINUTES]`

use std::error::Error;

use chappe_sim::cost::Meter;
use chappe_sim::log::Keep;
use chappe_sim::routers::Router;
use chappe_sim::run::{self, Wanted};
use chappe_sim::scenario::Scenario;

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
    let scenario = Scenario::parse(&world(nodes, minutes), "full.toml".as_ref(), &[])?;
    let router = Router::named("default").ok_or("no such router")?;
    let wanted = Wanted {
        oracle: false,
        keep: Keep::Figures,
    };
    let meter = Meter::start();
    let outcome = run::run(&scenario, router, 1, wanted)?.course.outcome;
    let cost = meter.read();
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

fn world(nodes: u32, minutes: u32) -> String {
    let side = 1500.0 * (f64::from(nodes) / 200.0).sqrt();
    let every = 3_600.0 / f64::from(nodes);
    format!(
        r#"
            about = "Whole nodes of many people"
            duration = "{minutes}min"
            level = "full"
            [[groups]]
            name = "walkers"
            count = {nodes}
            radio = "ideal"
            range = "30m"
            movement.random-waypoint = {{ area = "{side:.1}m x {side:.1}m", speed = "0.5..1.5m/s", pause = "0s..2min" }}
            [[traffic]]
            when.poisson = {{ every = "{every:.4}s" }}
            size = "200B..2kB"
        "#
    )
}
