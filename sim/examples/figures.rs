//! The figures of the README: how close the replay comes to The ONE, and how much faster it is.
//!
//! The ONE's own figures and CPU seconds (commit c973bfb, Java 17, two shared cores) are written down here; it is not run.
//! So the ratios compare two machines' CPU seconds, and are rough.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use chappe_sim::compat::{self, Replay};
use chappe_sim::cost::Meter;
use chappe_sim::routers::Router;
use chappe_sim::routing::{self, Network};
use chappe_sim::{Buffers, ContactTrace, MessageEvent, Outcome, Rate, trace};
use chappe_wire::ByteCount;

/// What The ONE reports, and what it costs.
struct Cell {
    router: &'static str,
    relayed: f64,
    delivered: f64,
    mean_delay: f64,
    cpu_s: f64,
}

const LIGHT: [Cell; 4] = [
    cell("direct-delivery", 143, 143, 6873.40, 11.0),
    cell("spray-and-wait", 2_110, 331, 3819.25, 20.0),
    cell("epidemic", 70_443, 355, 1054.36, 223.0),
    cell("prophet", 68_019, 350, 1590.59, 99.0),
];
const SFHH: [Cell; 3] = [
    cell("epidemic", 153_133, 395, 7048.83, 145.0),
    cell("spray-and-wait", 3_142, 131, 7956.71, 23.0),
    cell("prophet", 65_733, 293, 7794.40, 68.0),
];
const HEAVY: [Cell; 6] = [
    cell("epidemic", 183_095, 191, 2216.95, 56.0),
    cell("spray-and-wait", 8_175, 1_069, 2783.18, 42.0),
    cell("prophet", 166_410, 300, 2799.00, 67.0),
    cell("prophet-v2", 81_710, 532, 1944.14, 108.0),
    cell("maxprop", 229_101, 971, 2184.84, 505.0),
    cell("direct-delivery", 635, 635, 6718.48, 30.0),
];

const fn cell(
    router: &'static str,
    relayed: u32,
    delivered: u32,
    mean_delay: f64,
    cpu_s: f64,
) -> Cell {
    Cell {
        router,
        relayed: relayed as f64,
        delivered: delivered as f64,
        mean_delay,
        cpu_s,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let light = Input::read("rwp200", "rwp200-messages")?;
    let sfhh = Input::read("sfhh", "sfhh-messages")?;
    let heavy = Input::read("rwp200", "rwp200-messages-heavy")?;
    let light_rows = light.rows(&LIGHT, 1_000, 3)?;
    let sfhh_rows = sfhh.rows(&SFHH, 1_000, 3)?;
    let heavy_rows = heavy.rows(&HEAVY, 100, 20)?;

    let counts = |rows: &[Row]| worst(rows, |row| row.delivered.max(row.relayed));
    figure("sim-light-counts", counts(&light_rows), "%");
    figure(
        "sim-light-delay",
        worst(&light_rows, |row| row.mean_delay),
        "%",
    );
    figure("sim-sfhh-counts", counts(&sfhh_rows), "%");
    let (epidemic, others): (Vec<Row>, Vec<Row>) =
        heavy_rows.iter().partition(|row| row.router == "epidemic");
    figure(
        "sim-heavy-epidemic",
        worst(&epidemic, |row| row.delivered),
        "%",
    );
    figure("sim-heavy-others", counts(&others), "%");

    let all = [light_rows, sfhh_rows, heavy_rows].concat();
    let mut speeds: Vec<f64> = all.iter().map(|row| row.speed).collect();
    speeds.sort_by(f64::total_cmp);
    let median = speeds.get(speeds.len() / 2).copied().unwrap_or(0.0);
    figure("sim-speed-median", median, "times");
    figure(
        "sim-speed-least",
        speeds.first().copied().unwrap_or(0.0),
        "times",
    );
    let rate = epidemic.first().map_or(0.0, |row| row.events_per_second);
    figure("sim-events", rate, "events/s");
    figure(
        "sim-router-speed",
        light.router_speed("default", 223.0)?,
        "times",
    );
    Ok(())
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("figure: {name} = {value:.2} {unit}");
}

fn worst(rows: &[Row], of: impl Fn(&Row) -> f64) -> f64 {
    rows.iter().map(of).fold(0.0, f64::max)
}

/// How far the mean of some runs is from The ONE, in percent, and how much faster they were.
#[derive(Clone, Copy)]
struct Row {
    router: &'static str,
    delivered: f64,
    relayed: f64,
    mean_delay: f64,
    speed: f64,
    events_per_second: f64,
}

struct Input {
    contacts: ContactTrace,
    messages: Vec<MessageEvent>,
}

impl Input {
    fn read(contacts: &str, messages: &str) -> Result<Self, Box<dyn Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        Ok(Self {
            contacts: trace::read_contacts(&folder.join(format!("{contacts}-contacts.txt.gz")))?,
            messages: trace::read_messages(&folder.join(format!("{messages}.txt.gz")))?,
        })
    }

    fn rows(&self, cells: &[Cell], tick_ms: u64, seeds: u64) -> Result<Vec<Row>, Box<dyn Error>> {
        let settings = compat::Settings {
            tick: Duration::from_millis(tick_ms),
            rate: Rate::THE_ONE,
            buffers: Buffers::all(ByteCount::new(5_000_000)),
            ttl: Duration::from_secs(18_000),
            end: None,
        };
        let replay = Replay::new(&self.contacts, &self.messages, settings)?;
        let mut rows = Vec::new();
        for cell in cells {
            let router = Router::named(cell.router).ok_or("no such router")?;
            let meter = Meter::start();
            let runs: Vec<Outcome> = (1..=seeds)
                .map(|seed| router.replay(&replay, seed))
                .collect();
            let row = cell.compare(&runs, meter.read().cpu_s);
            println!(
                "{:<16} delivered {:.2} %, relayed {:.2} %, mean delay {:.2} % off; {:.0} times faster, {:.0} events/s",
                row.router,
                row.delivered,
                row.relayed,
                row.mean_delay,
                row.speed,
                row.events_per_second
            );
            rows.push(row);
        }
        Ok(rows)
    }

    fn router_speed(&self, router: &str, one_cpu_s: f64) -> Result<f64, Box<dyn Error>> {
        let settings = routing::Settings {
            rate: Rate::THE_ONE,
            buffers: Buffers::all(ByteCount::new(5_000_000)),
            ttl: Duration::from_secs(18_000),
            end: None,
        };
        let network = Network::new(&self.contacts, &self.messages, settings)?;
        let router = Router::named(router).ok_or("no such router")?;
        let meter = Meter::start();
        let outcome = router.route(&network, 1).ok_or("not sealed")?;
        let cpu_s = meter.read().cpu_s;
        println!(
            "{}: {} delivered in {cpu_s:.2} s of CPU",
            router.name, outcome.delivered
        );
        Ok(one_cpu_s / cpu_s)
    }
}

impl Cell {
    fn compare(&self, runs: &[Outcome], cpu_s: f64) -> Row {
        let count = runs.len() as f64;
        let mean = |of: fn(&Outcome) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let off = |found: f64, theirs: f64| (found / theirs - 1.0).abs() * 100.0;
        let events = mean(|run| run.events as f64) * count;
        Row {
            router: self.router,
            delivered: off(mean(|run| run.delivered as f64), self.delivered),
            relayed: off(mean(|run| run.relayed as f64), self.relayed),
            mean_delay: off(mean(|run| run.latency_avg.unwrap_or(0.0)), self.mean_delay),
            speed: self.cpu_s / (cpu_s / count),
            events_per_second: events / cpu_s,
        }
    }
}
