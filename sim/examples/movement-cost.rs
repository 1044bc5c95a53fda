//! What movement and contact detection cost: random waypoint at the density of the trace rwp200.
//!
//! `cargo run --release -p chappe-sim --example movement-cost [NODES HOURS [SEED]]`

use chappe_sim::SimTime;
use chappe_sim::movement::{Area, Contacts, Fleet, Group, RandomWaypoint, Span};
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds that The ONE (commit c973bfb) took per simulated hour for 2,000 such nodes with ticks of 0.1 s, on 2 cores
/// of an AMD EPYC.
const THE_ONE_2000_NODES_AN_HOUR: f64 = 220.0;

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .flat_map(|text| text.parse())
        .collect();
    if let [nodes, hours, seed @ ..] = arguments.as_slice() {
        let seed = seed.first().copied().unwrap_or(1);
        let (contacts, cpu) = run(*nodes as u32, *hours, seed);
        println!("{nodes} nodes, {hours} h, seed {seed}: {contacts} contacts, {cpu:.3} CPU s");
        return;
    }
    let (contacts, cpu) = run(2000, 12, 1);
    let speed = 12.0 * THE_ONE_2000_NODES_AN_HOUR / cpu;
    println!("2000 nodes, 12 h: {contacts} contacts, {cpu:.3} CPU s");
    println!("figure: sim-movement-speed = {speed:.0} times");
}

/// Contacts, and the CPU seconds that it took to find them.
fn run(nodes: u32, hours: u64, seed: u64) -> (usize, f64) {
    let side = 1500.0 * (f64::from(nodes) / 200.0).sqrt();
    let before = cpu_seconds();
    let walkers = Group {
        count: nodes,
        model: Box::new(RandomWaypoint {
            area: Area::sized(side, side),
            speed: Span::new(0.5, 1.5),
            pause: Span::new(0.0, 120.0),
        }),
        range: 30.0,
        radio: 0,
    };
    let contacts = Contacts::new(
        Fleet::new(seed, vec![walkers]),
        SimTime::from_secs(3600 * hours),
    );
    let count = contacts.filter(|event| event.up).count();
    (count, cpu_seconds() - before)
}

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
