//! Scenarios: those that ship build, a seed is a world, and a mistake is refused with its place.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

use std::path::{Path, PathBuf};

use chappe_sim::scenario::{Behaviour, Scenario, ScenarioError, World};

const PARK: &str = r#"about = "A park"
duration = "1h"

[[groups]]
name = "people"
count = 40
radio = "ble"
movement.random-waypoint = { area = "300m x 300m", speed = "0.5..1.5m/s", pause = "0s..2min" }

[[traffic]]
when.poisson = { every = "30s" }
size = "5kB..10kB"
"#;

fn scenario(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(text, Path::new("park.toml"), &[])
}

fn world(text: &str, seed: u64) -> World {
    scenario(text).unwrap().build(seed).unwrap()
}

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn twelve_scenarios_ship_and_each_has_links_and_messages() {
    let files = shipped();
    assert_eq!(files.len(), 12);
    for path in files {
        let scenario = Scenario::load(&path, &[]).unwrap();
        assert!(
            scenario.file.about.split(' ').count() > 8,
            "{}",
            path.display()
        );
        let world = scenario.build(1).unwrap();
        assert!(!world.messages.is_empty(), "{}", path.display());
        assert!(world.contacts.take(20).count() == 20, "{}", path.display());
    }
}

#[test]
fn a_seed_is_a_world() {
    let both = |seed| {
        let world = world(PARK, seed);
        (world.contacts.collect::<Vec<_>>(), world.messages)
    };
    assert_eq!(both(1), both(1));
    assert_ne!(both(1).0, both(2).0);
    assert_ne!(both(1).1, both(2).1);
}

#[test]
fn links_come_later_than_nearness_and_in_order_of_time() {
    let slow: Vec<_> = world(PARK, 1).contacts.collect();
    let ideal = PARK.replace("radio = \"ble\"", "radio = \"ideal\"\nrange = \"30m\"");
    let near: Vec<_> = world(&ideal, 1).contacts.collect();
    assert!(slow.is_sorted_by_key(|event| event.at));
    assert!(slow.len() < near.len());
    assert!(slow.iter().filter(|event| event.up).all(|link| {
        near.iter()
            .any(|near| (near.a, near.b, near.up) == (link.a, link.b, true) && near.at < link.at)
    }));
}

#[test]
fn settings_come_before_the_file() {
    let settings = [
        "groups.people.count=7",
        "duration=10min",
        "traffic.0.size=1kB",
    ];
    let settings = settings.map(str::to_owned);
    let world = Scenario::parse(PARK, Path::new("park.toml"), &settings)
        .unwrap()
        .build(1)
        .unwrap();
    assert_eq!(world.nodes, 7);
    assert_eq!(world.end.as_secs_f64(), 600.0);
    assert!(
        world
            .messages
            .iter()
            .all(|message| message.size.get() == 1000)
    );
}

#[test]
fn faults_are_dealt_out_to_exactly_their_share() {
    let text = format!(
        "{PARK}\n[[faults]]\ndrop-all = {{ groups = [\"people\"], share = 0.25 }}\n\
         [[faults]]\ncrash = {{ every = \"20min\", down = \"1min..2min\" }}\n"
    );
    let faults = world(&text, 3).faults;
    let bad = faults
        .nodes
        .iter()
        .filter(|node| node.behaviour == Behaviour::DropAll);
    assert_eq!(bad.count(), 10);
    assert!(faults.crashes.len() > 40 && faults.crashes.is_sorted());
}

#[test]
fn a_blob_is_written_in_pieces_and_a_room_to_each_of_its_members() {
    let blob = PARK.replace(
        "size = \"5kB..10kB\"",
        "size = \"10kB\"\npieces = \"4096B\"",
    );
    let sizes: Vec<u64> = world(&blob, 1)
        .messages
        .iter()
        .take(3)
        .map(|m| m.size.get())
        .collect();
    assert_eq!(sizes, [4096, 4096, 1808]);
    let room = PARK.replace("size =", "recipients = 5\nsize =");
    let messages = world(&room, 1).messages;
    assert!(
        messages
            .chunks(5)
            .all(|room| room.iter().all(|m| m.from == room[0].from))
    );
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let replaced = [
        ("count = 40", "cuont = 40"),
        ("count = 40", "count = -4"),
        ("count = 40", "count = 0"),
        ("\"1h\"", "\"1 fortnight\""),
        ("\"ble\"", "\"smoke\""),
        ("0.5..1.5m/s", "0..1.5m/s"),
        ("0.5..1.5m/s", "1.5..0.5m/s"),
        ("300m x 300m", "300m by 300m"),
        ("random-waypoint", "random-waypiont"),
        (
            "random-waypoint = { area",
            "roads = { map = \"no.wkt\", area",
        ),
        ("size =", "to = [\"pepole\"]\nsize ="),
        ("\"30s\"", "\"0s\""),
        (
            "[[traffic]]",
            "[[faults]]\nloss = { probability = 1.5 }\n[[traffic]]",
        ),
        ("[[traffic]]", "[[traffic"),
    ];
    let refusals: Vec<String> = replaced
        .iter()
        .map(|(from, to)| {
            scenario(&PARK.replacen(from, to, 1))
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn what_cannot_be_is_refused() {
    let bursts = "[[traffic]]\nwhen.bursts = { every = \"1min\", messages = 0, within = \"1s\" }\nsize = \"1B\"\n[[traffic]]";
    for (from, to, told) in [
        ("5kB..10kB", "0B..10kB", "park.toml:12:"),
        ("size =", "recipients = 0\nsize =", "messages to nobody"),
        ("size =", "pieces = \"0B\"\nsize =", "pieces of no bytes"),
        (
            "size =",
            "starts = \"10min\"\nends = \"10min\"\nsize =",
            "messages that end before they start",
        ),
        ("\"30s\"", "\"2us\"", "about 1800000000 messages"),
        ("[[traffic]]", bursts, "bursts of no messages"),
        (
            "[[traffic]]",
            "[[faults]]\nflood = { share = 0.5, every = \"0s\", size = \"1kB\" }\n[[traffic]]",
            "park.toml:11:24: a fault without end",
        ),
        (
            "[[traffic]]",
            "[[faults]]\ncrash = { every = \"0s\", down = \"1s\" }\n[[traffic]]",
            "a fault without end",
        ),
        (
            "[[traffic]]",
            "[[groups]]\nname = \"people\"\ncount = 1\nradio = \"ble\"\nmovement.stationary = { places = [\"0m,0m\"] }\n[[traffic]]",
            "a second group called `people`",
        ),
        (
            "[[traffic]]",
            "[[groups]]\nname = \"roofs\"\ncount = 1\nradio = \"ble\"\nmovement.stationary = {}\n[[traffic]]",
            "no such `stationary` for the group `roofs`",
        ),
        (
            "\"1h\"",
            "\"1h\"\nttl = \"0s\"",
            "park.toml:3:1: messages that do not live",
        ),
        (
            "count = 40",
            "count = 99999999999",
            "expected a whole number from 0 to 4,294,967,295",
        ),
    ] {
        let text = PARK.replacen(from, to, 1);
        assert_ne!(text, PARK, "{from}");
        let error = scenario(&text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    // What is wrong from outside has no place in the file.
    let settings = ["faults=[{flood={share=0.5,every=\"0s\",size=\"1kB\"}}]".to_owned()];
    let error = Scenario::parse(PARK, "park.toml".as_ref(), &settings).unwrap_err();
    assert_eq!(error.line, 0, "{error}");
    let settings = ["duration=-5min".to_owned()];
    let error = Scenario::parse(PARK, "park.toml".as_ref(), &settings).unwrap_err();
    assert_eq!(error.expected, "a time such as 12h, 5min or 0.1s");
}

#[test]
fn somebody_has_to_write_and_somebody_to_read() {
    let refusal = |text: &str| scenario(text).unwrap_err().to_string();
    let alone = refusal(&PARK.replace("count = 40", "count = 1"));
    assert!(alone.contains("messages, and one node"), "{alone}");
    let ghosts = "[[groups]]\nname = \"ghosts\"\ncount = 0\nradio = \"ble\"\n\
        movement.stationary = { area = \"1m x 1m\" }\n[[traffic]]\nto = [\"ghosts\"]";
    let nobody = refusal(&PARK.replace("[[traffic]]", ghosts));
    assert!(
        nobody.ends_with("messages to nobody: ghosts have no nodes; expected groups with nodes"),
        "{nobody}"
    );
}

#[test]
fn a_missing_map_is_refused_where_it_is_named() {
    let text = PARK.replace(
        "random-waypoint = { area = \"300m x 300m\"",
        "roads = { map = \"no.wkt\"",
    );
    let error = scenario(&text).unwrap().build(1).err().unwrap().to_string();
    assert!(error.starts_with("park.toml:8:26: "), "{error}");
}
