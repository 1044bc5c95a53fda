//! On the same contacts and messages The ONE's own figures come out (commit c973bfb; 250 kB/s, 5 MB, 300 min).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::Duration;

use chappe_sim::compat::{Replay, Settings};
use chappe_sim::routers::Router;
use chappe_sim::{Buffers, Outcome, Rate, trace};
use chappe_wire::ByteCount;

/// What The ONE reports.
struct Report {
    delivered: f64,
    relayed: f64,
    mean_delay: f64,
}

/// How far the mean of the runs may be from it, in percent.
struct Within {
    delivered: f64,
    relayed: f64,
    mean_delay: f64,
}

const LIGHT: Within = within(0.5, 0.5, 2.0);
const SFHH: Within = within(5.0, 3.0, 5.0);
const HEAVY: Within = within(6.0, 6.0, 10.0);

#[test]
fn light_load_is_met_to_half_a_percent() {
    for (router, one) in [
        ("direct-delivery", report(143, 143, 6873.40)),
        ("spray-and-wait", report(331, 2_110, 3819.25)),
        ("epidemic", report(355, 70_443, 1054.36)),
        ("prophet", report(350, 68_019, 1590.59)),
    ] {
        let runs = replay("rwp200", "rwp200-messages", router, 1_000, 1);
        check(router, &runs, &one, &LIGHT);
    }
}

#[test]
fn a_conference_is_met() {
    for (router, one) in [
        ("direct-delivery", report(30, 30, 7309.03)),
        ("spray-and-wait", report(131, 3_142, 7956.71)),
        ("epidemic", report(395, 153_133, 7048.83)),
        ("prophet", report(293, 65_733, 7794.40)),
    ] {
        let runs = replay("sfhh", "sfhh-messages", router, 1_000, 1);
        check(router, &runs, &one, &SFHH);
    }
}

#[test]
fn heavy_load_is_met_within_the_noise_of_ties() {
    for (router, one, within) in [
        ("direct-delivery", report(635, 635, 6718.48), HEAVY),
        ("spray-and-wait", report(1_069, 8_175, 2783.18), HEAVY),
        (
            "epidemic",
            report(191, 183_095, 2216.95),
            self::within(9.0, 6.0, 10.0),
        ),
        ("prophet", report(300, 166_410, 2799.00), HEAVY),
        ("prophet-v2", report(532, 81_710, 1944.14), HEAVY),
        ("maxprop", report(971, 229_101, 2184.84), HEAVY),
    ] {
        // MaxProp varies little and costs most.
        let seeds = if router == "maxprop" { 1 } else { 3 };
        let runs = replay("rwp200", "rwp200-messages-heavy", router, 100, seeds);
        check(router, &runs, &one, &within);
    }
}

fn replay(contacts: &str, messages: &str, router: &str, tick_ms: u64, seeds: u64) -> Vec<Outcome> {
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        folder.join(format!("{name}.txt.gz"))
    };
    let contacts = trace::read_contacts(&file(&format!("{contacts}-contacts"))).unwrap();
    let messages = trace::read_messages(&file(messages)).unwrap();
    let settings = Settings {
        tick: Duration::from_millis(tick_ms),
        rate: Rate::THE_ONE,
        buffers: Buffers::all(ByteCount::new(5_000_000)),
        ttl: Duration::from_secs(18_000),
        end: None,
    };
    let replay = Replay::new(&contacts, &messages, settings).unwrap();
    let router = Router::named(router).unwrap();
    (1..=seeds)
        .map(|seed| router.replay(&replay, seed))
        .collect()
}

fn check(router: &str, runs: &[Outcome], one: &Report, within: &Within) {
    let mean =
        |figure: fn(&Outcome) -> f64| runs.iter().map(figure).sum::<f64>() / runs.len() as f64;
    for (figure, found, theirs, tolerance) in [
        (
            "delivered",
            mean(|run| run.delivered as f64),
            one.delivered,
            within.delivered,
        ),
        (
            "relayed",
            mean(|run| run.relayed as f64),
            one.relayed,
            within.relayed,
        ),
        (
            "mean delay",
            mean(|run| run.latency_avg.unwrap()),
            one.mean_delay,
            within.mean_delay,
        ),
    ] {
        let off = (found / theirs - 1.0).abs() * 100.0;
        assert!(
            off <= tolerance,
            "{router}: {figure} is {found}, The ONE's {theirs}: {off:.2} % off"
        );
    }
}

fn report(delivered: u32, relayed: u32, mean_delay: f64) -> Report {
    Report {
        delivered: f64::from(delivered),
        relayed: f64::from(relayed),
        mean_delay,
    }
}

const fn within(delivered: f64, relayed: f64, mean_delay: f64) -> Within {
    Within {
        delivered,
        relayed,
        mean_delay,
    }
}
