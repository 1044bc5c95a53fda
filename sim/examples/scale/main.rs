//! What large worlds cost at the routing level, in one thread: random waypoint at the density of the trace rwp200, the
//! router spray and wait with six copies, one message for each node and day. As in the literature there are no receipts,
//! which everyone would carry.
//!
//! ```text
//! cargo run --release -p chappe-sim --example scale                          # 100,000 nodes for a day
//! cargo run --release -p chappe-sim --example scale -- NODES HOURS [SEED]
//! cargo run --release -p chappe-sim --example scale -- growth FILE.svg MAX   # an hour of 1,000 nodes up to MAX
//! ```

mod growth;
#[path = "../shared/plot.rs"]
mod plot;
#[path = "../shared/walkers.rs"]
mod walkers;

use std::error::Error;

use walkers::Walkers;

/// The run that the project's plan asks for.
const DAY: [u64; 3] = [100_000, 24, 1];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            let cost = Cost::measure(DAY)?;
            println!("figure: sim-scale-day = {:.3} min", cost.cpu_s / 60.0);
            println!("figure: sim-scale-memory = {:.1} MB", cost.megabytes);
            Ok(())
        }
        ["growth", file, most] => growth::draw(file.as_ref(), most.parse()?),
        [nodes, hours] => Cost::measure([nodes.parse()?, hours.parse()?, 1]).map(|_| ()),
        [nodes, hours, seed] => {
            Cost::measure([nodes.parse()?, hours.parse()?, seed.parse()?]).map(|_| ())
        }
        _ => Err("expected: NODES HOURS SEED, growth FILE.svg MAX, or nothing".into()),
    }
}

/// What a run cost.
struct Cost {
    contacts: f64,
    cpu_s: f64,
    /// The most memory, of 10^6 bytes.
    megabytes: f64,
}

impl Cost {
    fn measure([nodes, hours, seed]: [u64; 3]) -> Result<Self, Box<dyn Error>> {
        let walkers = Walkers {
            nodes: nodes.try_into()?,
            minutes: 60 * hours,
            each_writes_every: 86_400.0,
            sizes: "5kB..10kB",
            keys: "ttl = \"300min\"\nreceipts = false",
        };
        let (outcome, cost) = walkers.run("spray-and-wait", seed)?;
        let found = Self {
            contacts: outcome.contacts as f64,
            cpu_s: cost.cpu_s,
            megabytes: cost.peak_rss_bytes as f64 / 1e6,
        };
        let (micros, doublings) = (found.micros_a_contact(), (nodes as f64).log2());
        println!(
            "{nodes} nodes, {hours} h, seed {seed}: {} contacts, {} written, {} delivered, {} relayed; {:.2} CPU s, {:.1} s, \
             {:.1} MB; a contact {micros:.2} us, by log2 of nodes {:.3} us; a node {:.2} kB",
            outcome.contacts,
            outcome.created,
            outcome.delivered,
            outcome.relayed,
            cost.cpu_s,
            cost.wall_s,
            found.megabytes,
            micros / doublings,
            found.megabytes * 1e3 / nodes as f64,
        );
        Ok(found)
    }

    fn micros_a_contact(&self) -> f64 {
        self.cpu_s / self.contacts * 1e6
    }
}
