//! Both levels of the engine: whole nodes, and routers alone, decide the same on the same small world.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use chappe_sim::log::Keep;
use chappe_sim::routers::Router;
use chappe_sim::run::{Run, Wanted, run};
use chappe_sim::scenario::Scenario;

/// Five people, and what is written and who meets whom comes on top.
const LINE: &str = r#"about = "Five people who meet one after the other"
duration = "4h"
ttl = "1d"
contacts = "line.txt"

[[groups]]
name = "first"
count = 1
radio = "ideal"

[[groups]]
name = "between"
count = 3
radio = "ideal"

[[groups]]
name = "last"
count = 1
radio = "ideal"
"#;

/// Minutes before the first meeting at which a message is written. What is sent first depends on the age in classes that
/// double; so each is in a class of its own, and stays there for as long as the meetings last.
const AGES: [u32; 7] = [150, 90, 45, 22, 10, 5, 2];
const FIRST_MEETING: u32 = 12_000;

/// Everyone meets the next, one pair after the other, half a minute apart.
const QUICK: [(u32, u32, u32); 4] = [
    (0, 1, FIRST_MEETING + 5),
    (1, 2, FIRST_MEETING + 35),
    (2, 3, FIRST_MEETING + 65),
    (3, 4, FIRST_MEETING + 95),
];

/// There and back again, ten minutes apart.
const SLOW: [(u32, u32, u32); 8] = [
    (0, 1, 4_000),
    (1, 2, 4_600),
    (2, 3, 5_200),
    (3, 4, 5_800),
    (2, 3, 6_400),
    (1, 2, 7_000),
    (0, 1, 7_600),
    (3, 4, 8_200),
];

/// Everyone writes to everyone for an hour.
const EVERYONE: &str =
    "[[traffic]]\nwhen.periodic = { every = \"7min\" }\nsize = \"300B..900B\"\nends = \"1h\"\n";

/// Who handed which message to whom.
fn decisions(run: &Run) -> Vec<(u32, u32, Option<u32>)> {
    let handed = run.course.log.handovers();
    let handed = handed.map(|(_, handed)| {
        let message = handed.message.map(|message| message.get());
        (handed.from.get(), handed.to.get(), message)
    });
    handed.collect()
}

#[test]
fn both_levels_hand_over_the_same_in_the_same_order() {
    let mut text = String::new();
    for age in AGES {
        let written = FIRST_MEETING - age * 60;
        text.push_str(&format!(
            "[[traffic]]\nwhen.periodic = {{ every = \"1s\" }}\nfrom = [\"first\"]\nto = [\"last\"]\nsize = \"500B\"\n\
             starts = \"{}s\"\nends = \"{}ms\"\n",
            written - 1,
            written * 1_000 + 500,
        ));
    }
    let [routing, full] =
        ["level=routing", "level=full"].map(|level| of(&text, &QUICK, "default", 1, &[level]));
    // The youngest goes first, all the way.
    let expected: Vec<_> = (0..4)
        .flat_map(|hop| {
            (0..7)
                .rev()
                .map(move |message| (hop, hop + 1, Some(message)))
        })
        .collect();
    assert_eq!(decisions(&routing), expected);
    assert_eq!(decisions(&full), expected);
    let seconds = |run: &Run| -> Vec<u64> {
        let handed = run.course.log.handovers();
        handed.map(|(at, _)| at.as_micros() / 30_000_000).collect()
    };
    assert_eq!(seconds(&full), seconds(&routing));
}

#[test]
fn both_levels_hand_over_the_same_in_each_meeting() {
    let mut all = 0;
    for (router, seed) in [
        ("default", 1),
        ("default", 2),
        ("spray-and-wait", 3),
        ("spray-and-wait", 4),
    ] {
        let [routing, full] = ["level=routing", "level=full"]
            .map(|level| of(EVERYONE, &SLOW, router, seed, &[level]));
        // Among what is of about one age the order is random, so each meeting counts as a whole.
        let by_meeting = |run: &Run| {
            let handed = run.course.log.handovers().zip(decisions(run));
            let handed = handed.map(|((at, _), decision)| (at.as_micros() / 600_000_000, decision));
            let mut handed: Vec<_> = handed.collect();
            handed.sort_unstable();
            handed
        };
        all += by_meeting(&routing).len();
        assert_eq!(by_meeting(&full), by_meeting(&routing), "{router} {seed}");
        let (full, routing) = (full.course.outcome, routing.course.outcome);
        assert_eq!(full.delivered, routing.delivered);
        assert_eq!(full.hopcount_avg, routing.hopcount_avg);
        let (full, routing) = (full.latency_avg.unwrap(), routing.latency_avg.unwrap());
        assert!((full - routing).abs() < 2.0, "{full}, {routing}");
    }
    assert!(all > 40, "{all}");
}

#[test]
fn a_node_that_crashes_loses_nothing_that_it_told_of() {
    let whole = line("default", 1, &["level=full"]).course.outcome;
    let text = format!("{EVERYONE}[[faults]]\ncrash = {{ every = \"1min\", down = \"1s..2s\" }}\n");
    let crashing = line_of(&text, "default", 1, &["level=full"]).course.outcome;
    assert!(whole.delivered > 3);
    assert!(crashing.contacts > whole.contacts, "no link was cut");
    assert_eq!(crashing.delivered, whole.delivered);
}

#[test]
fn whole_nodes_repair_what_the_air_does() {
    let text = format!(
        "{EVERYONE}[[faults]]\nloss = {{ probability = 0.1 }}\n[[faults]]\nduplication = {{ probability = 0.05 }}\n\
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
fn without_receipts_nobody_learns_what_has_arrived() {
    let with = line("default", 1, &[]).course.outcome;
    let without = line("default", 1, &["receipts=false"]).course.outcome;
    assert_eq!(without.delivered, with.delivered);
    assert!(with.removed > 0);
    assert_eq!(without.removed, 0);
    let whole = line("default", 1, &["receipts=false", "level=full"]);
    assert_eq!(whole.not_modelled, ["receipts=false"]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let flood = format!(
        "{EVERYONE}[[faults]]\nflood = {{ share = 0.2, every = \"1min\", size = \"4kB\" }}\n"
    );
    let both = [(); 2].map(|()| line_of(&flood, "spray-and-wait", 7, &["level=full"]).course);
    assert_eq!(both[0], both[1]);
    let junk = both[0]
        .log
        .handovers()
        .filter(|(_, handed)| handed.message.is_none());
    assert!(junk.count() > 20);
}

#[test]
fn what_no_device_does_is_refused_or_told() {
    let scenario = scenario(LINE, Path::new("line.toml"), &["level=full"]);
    let router = Router::named("direct-delivery").unwrap();
    let refused = run(&scenario, router, 1, Wanted::default())
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("level=routing"), "{refused}");
    let text = format!("{EVERYONE}[[faults]]\ndrop-all = {{ share = 0.5 }}\n");
    let told = line_of(&text, "default", 1, &["level=full"]).not_modelled;
    assert_eq!(told, ["drop-all"]);
}

fn line(router: &str, seed: u64, settings: &[&str]) -> Run {
    line_of(EVERYONE, router, seed, settings)
}

fn line_of(text: &str, router: &str, seed: u64, settings: &[&str]) -> Run {
    of(text, &SLOW, router, seed, settings)
}

/// A run with this traffic and these faults; each meeting lasts 20 seconds.
fn of(text: &str, meetings: &[(u32, u32, u32)], router: &str, seed: u64, settings: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut contacts = String::new();
    for (a, b, begin) in meetings {
        let end = begin + 20;
        contacts.push_str(&format!(
            "{begin} CONN {a} {b} up\n{end} CONN {a} {b} down\n"
        ));
    }
    std::fs::write(folder.path().join("line.txt"), contacts).unwrap();
    let text = format!("{LINE}{text}");
    let scenario = scenario(&text, &folder.path().join("line.toml"), settings);
    let wanted = Wanted {
        keep: Keep::Everything,
        ..Wanted::default()
    };
    run(&scenario, Router::named(router).unwrap(), seed, wanted).unwrap()
}

fn scenario(text: &str, path: &Path, settings: &[&str]) -> Scenario {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    Scenario::parse(text, path, &settings).unwrap()
}
