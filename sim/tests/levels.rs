//! Both levels of the engine: whole nodes, and routers alone, decide the same on the same small world.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use chappe_sim::routers::Router;
use chappe_sim::run::{Run, run};
use chappe_sim::scenario::Scenario;

/// Five people on a line in time: each meets the next only, one pair after the other, and then everyone once more in the
/// other direction. All write before the first meeting, minutes apart.
const LINE: &str = r#"about = "Five people who meet one after the other"
duration = "4h"
ttl = "1d"
contacts = "line.txt"

[[groups]]
name = "people"
count = 5
radio = "ideal"

[[traffic]]
when.periodic = { every = "7min" }
size = "300B..900B"
ends = "1h"
"#;

const MEETINGS: [(u32, u32); 8] = [
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (2, 3),
    (1, 2),
    (0, 1),
    (3, 4),
];

/// Who handed which message to whom, in order.
fn decisions(run: &Run) -> Vec<(u32, u32, Option<u32>)> {
    let handed = run.course.handovers.iter();
    let handed = handed.map(|handed| {
        let message = handed.message.map(|message| message.get());
        (handed.from.get(), handed.to.get(), message)
    });
    handed.collect()
}

#[test]
fn both_levels_make_the_same_decisions() {
    let mut all = 0;
    for seed in 1..=6 {
        let routing = line("default", seed, &["level=routing"]);
        let full = line("default", seed, &["level=full"]);
        all += decisions(&routing).len();
        assert_eq!(decisions(&full), decisions(&routing), "seed {seed}");
        let (full, routing) = (full.course.outcome, routing.course.outcome);
        assert_eq!(full.delivered, routing.delivered);
        assert_eq!(full.hopcount_avg, routing.hopcount_avg);
        let (full, routing) = (full.latency_avg.unwrap(), routing.latency_avg.unwrap());
        assert!((full - routing).abs() < 2.0, "{full}, {routing}");
    }
    assert!(all > 80, "{all}");
}

#[test]
fn both_levels_spray_the_same_copies() {
    for seed in 1..=3 {
        // Of what goes over in one meeting the order is random at the level of routers.
        let sorted = |level| {
            let mut decisions = decisions(&line("spray-and-wait", seed, &[level]));
            decisions.sort_unstable();
            decisions
        };
        assert_eq!(sorted("level=full"), sorted("level=routing"), "seed {seed}");
    }
}

#[test]
fn a_node_that_crashes_loses_nothing_that_it_told_of() {
    let whole = line("default", 1, &["level=full"]).course.outcome;
    let text = format!(
        "{LINE}\n[[faults]]\nloss = {{ probability = 0.1 }}\n[[faults]]\nduplication = {{ probability = 0.05 }}\n\
         [[faults]]\nreordering = {{ probability = 0.1, within = \"100ms\" }}\n\
         [[faults]]\ncorruption = {{ probability = 0.02 }}\n"
    );
    let clear = line("default", 1, &["level=full"]).course.outcome;
    let stormy = line_of(&text, "default", 1, &["level=full"]);
    assert!(stormy.not_modelled.is_empty());
    let stormy = stormy.course.outcome;
    assert_eq!(stormy.delivered, clear.delivered);
    assert!(stormy.control_bytes > clear.control_bytes);
}

#[test]
fn a_long_message_goes_as_a_file() {
    let run = line("default", 1, &["level=full", "traffic.0.size=20kB"]);
    let outcome = run.course.outcome;
    assert!(outcome.delivered > 0);
    assert!(outcome.relayed >= 5 * outcome.delivered);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let flood = format!(
        "{LINE}\n[[faults]]\nflood = {{ share = 0.2, every = \"1min\", size = \"4kB\" }}\n"
    );
    let both = [(); 2].map(|()| line_of(&flood, "spray-and-wait", 7, &["level=full"]).course);
    assert_eq!(both[0], both[1]);
    let junk = both[0]
        .handovers
        .iter()
        .filter(|handed| handed.message.is_none());
    assert!(junk.count() > 20);
}

#[test]
fn what_no_device_does_is_refused_or_told() {
    let scenario = scenario(LINE, Path::new("line.toml"), &["level=full"]);
    let router = Router::named("direct-delivery").unwrap();
    let refused = run(&scenario, router, 1, false).err().unwrap().to_string();
    assert!(refused.contains("level=routing"), "{refused}");
    let text = format!("{LINE}\n[[faults]]\ndrop-all = {{ share = 0.5 }}\n");
    let told = line_of(&text, "default", 1, &["level=full"]).not_modelled;
    assert_eq!(told, ["drop-all"]);
}

fn line(router: &str, seed: u64, settings: &[&str]) -> Run {
    line_of(LINE, router, seed, settings)
}

fn line_of(text: &str, router: &str, seed: u64, settings: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut contacts = String::new();
    for (place, (a, b)) in (0..).zip(MEETINGS) {
        let begin = 4_000 + place * 900;
        let end = begin + 600;
        contacts.push_str(&format!(
            "{begin} CONN {a} {b} up\n{end} CONN {a} {b} down\n"
        ));
    }
    std::fs::write(folder.path().join("line.txt"), contacts).unwrap();
    let scenario = scenario(text, &folder.path().join("line.toml"), settings);
    run(&scenario, Router::named(router).unwrap(), seed, false).unwrap()
}

fn scenario(text: &str, path: &Path, settings: &[&str]) -> Scenario {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    Scenario::parse(text, path, &settings).unwrap()
}
