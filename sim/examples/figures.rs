//! The figures of the README: how close the replay comes to The ONE, and how much faster it is.
//!
//! The ONE's own figures and CPU seconds (commit c973bfb, Java 17, two shared cores) are written down here; it is not run.
//! So the ratios compare two machines' CPU seconds, and are rough.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use chappe_sim::compat::{self, Replay};
use chappe_sim::cost::Meter;
use chappe_sim::oracle::{self, Bound, Question};
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
    let light_rows = light.rows("rwp200", &LIGHT, 1_000, 3)?;
    let sfhh_rows = sfhh.rows("SFHH", &SFHH, 1_000, 3)?;
    let heavy_rows = heavy.rows("rwp200 heavy", &HEAVY, 100, 20)?;

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
    let rate = |of: fn(&Row) -> f64| epidemic.first().map_or(0.0, of);
    figure("sim-events", rate(|row| row.events_per_second), "events/s");
    let contacts = rate(|row| row.contacts_per_second);
    figure("sim-contacts", contacts, "contacts/s");

    let routed = [
        light.router_speed("rwp200", &LIGHT)?,
        sfhh.router_speed("SFHH", &SFHH)?,
        heavy.router_speed("rwp200 heavy", &HEAVY)?,
    ];
    let least = routed.into_iter().fold(f64::MAX, f64::min);
    figure("sim-router-speed", least, "times");

    let (wrong, off) = bounds(&light, &sfhh, &heavy);
    figure("sim-oracle", f64::from(wrong), "figures");
    figure("sim-schedule", off, "%");
    Ok(())
}

/// How many figures of the oracle differ from those on record, and how far the schedule is off, in percent.
fn bounds(light: &Input, sfhh: &Input, heavy: &Input) -> (u32, f64) {
    let question = Question {
        rate: Rate::THE_ONE,
        ttl: Duration::from_secs(18_000),
    };
    let [light, sfhh, heavy] = [light, sfhh, heavy]
        .map(|input| oracle::bounds(&input.contacts, &input.messages, &question));
    let told = |bound: &Bound| {
        let tenths = |time: Option<f64>| (time.unwrap_or(0.0) * 10.0).round() / 10.0;
        (
            bound.delivered,
            tenths(bound.latency_avg),
            tenths(bound.latency_med),
        )
    };
    let times = [
        (told(&light.zero_time), (355, 1_035.2, 1_008.0)),
        (told(&light.earliest_arrival), (355, 1_040.5, 1_015.1)),
        (told(&sfhh.zero_time), (434, 6_749.6, 6_298.0)),
        (told(&sfhh.earliest_arrival), (429, 6_924.9, 6_525.1)),
        (told(&heavy.earliest_arrival), (1_404, 1_087.5, 1_056.3)),
    ];
    let relays = [
        (light.fewest_relays.relayed, Some(576)),
        (sfhh.fewest_relays.relayed, Some(1_247)),
    ];
    let wrong = times.iter().filter(|(found, right)| found != right).count()
        + relays
            .iter()
            .filter(|(found, right)| found != right)
            .count();
    let schedule = &heavy.schedule;
    let off = [
        (schedule.delivered as f64, 1_404.0),
        (schedule.latency_avg.unwrap_or(0.0), 1_089.8),
        (schedule.relayed.unwrap_or(0) as f64, 6_490.0),
    ];
    let off = off
        .iter()
        .map(|(found, right)| (found / right - 1.0).abs() * 100.0);
    (wrong as u32, off.fold(0.0, f64::max))
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
    contacts_per_second: f64,
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

    fn rows(
        &self,
        trace: &str,
        cells: &[Cell],
        tick_ms: u64,
        seeds: u64,
    ) -> Result<Vec<Row>, Box<dyn Error>> {
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
                "{trace}, {:<16} delivered {:.2} %, relayed {:.2} %, mean delay {:.2} % off; {:.0} times faster, {:.0} events/s",
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

    /// The ONE's CPU seconds with its epidemic router by those of the router that ships.
    fn router_speed(&self, trace: &str, cells: &[Cell]) -> Result<f64, Box<dyn Error>> {
        let settings = routing::Settings {
            rate: Rate::THE_ONE,
            buffers: Buffers::all(ByteCount::new(5_000_000)),
            ttl: Duration::from_secs(18_000),
            end: None,
        };
        let network = Network::new(&self.contacts, &self.messages, settings)?;
        let epidemic = cells.iter().find(|cell| cell.router == "epidemic");
        let epidemic = epidemic.ok_or("The ONE has no epidemic cell")?;
        let router = Router::named("default").ok_or("no such router")?;
        let meter = Meter::start();
        let outcome = router.route(&network, 1).ok_or("not sealed")?;
        let cpu_s = meter.read().cpu_s;
        let speed = epidemic.cpu_s / cpu_s;
        println!(
            "{trace}, {}: {} delivered, {} relayed in {cpu_s:.2} s of CPU: {speed:.0} times faster",
            router.name, outcome.delivered, outcome.relayed
        );
        Ok(speed)
    }
}

impl Cell {
    fn compare(&self, runs: &[Outcome], cpu_s: f64) -> Row {
        let count = runs.len() as f64;
        let mean = |of: fn(&Outcome) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let off = |found: f64, theirs: f64| (found / theirs - 1.0).abs() * 100.0;
        let rate = |of: fn(&Outcome) -> f64| mean(of) * count / cpu_s;
        Row {
            router: self.router,
            delivered: off(mean(|run| run.delivered as f64), self.delivered),
            relayed: off(mean(|run| run.relayed as f64), self.relayed),
            mean_delay: off(mean(|run| run.latency_avg.unwrap_or(0.0)), self.mean_delay),
            speed: self.cpu_s / (cpu_s / count),
            events_per_second: rate(|run| run.events as f64),
            contacts_per_second: rate(|run| run.contacts as f64),
        }
    }
}
