//! Movement is read from ns-2's and BonnMotion's files, and written as it was read.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_sim::SimTime;
use chappe_sim::movement::{Contacts, Fleet, Group};
use chappe_sim::trace::{self, MovementTrace};

/// Node 1 walks by node 0 at 2 m/s, turns round at 30 s on its way, and stops.
const SETDEST: &str = r#"
$node_(0) set X_ 0
$node_(0) set Y_ 0
$node_(0) set Z_ 0.0
$node_(1) set X_ -40
$node_(1) set Y_ 6
$god_ set-dist 0 1 1
$ns_ at 0.0 "$node_(1) setdest 100 6 2.0"
$ns_ at 30.0 "$node_(1) setdest 20 -94 2.0"
$ns_ at 31.0 "$node_(1) setdest 20 -94 0.0"
"#;

fn movement(text: &str) -> MovementTrace {
    let (_guard, path) = common::file(text);
    trace::read_movement(&path, None).unwrap()
}

fn refused(text: &str) -> String {
    let (_guard, path) = common::file(text);
    let error = trace::read_movement(&path, None).unwrap_err();
    format!(
        "{}: {}; expected {}",
        error.line, error.what, error.expected
    )
}

fn fleet(movement: MovementTrace) -> Fleet {
    let group = Group {
        count: movement.nodes(),
        model: Box::new(movement),
        range: 10.0,
        radio: 0,
    };
    Fleet::new(0, vec![group])
}

fn contacts(text: &str) -> String {
    let mut out = Vec::new();
    let events = Contacts::new(fleet(movement(text)), SimTime::from_secs(60));
    trace::write_contacts(&mut out, events).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn ns2_goals_break_off_the_way_before_them() {
    // 6 m aside and 10 m of range: 8 m before and after, at 2 m/s from -40 m on.
    let events = contacts(SETDEST);
    let times: Vec<f64> = events
        .lines()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(times.len(), 2, "{events}");
    assert!(
        (times[0] - 16.0).abs() < 1e-5 && (times[1] - 24.0).abs() < 1e-5,
        "{events}"
    );
    let way = &movement(SETDEST).ways[1];
    assert_eq!(way.iter().filter(|leg| leg.from != leg.to).count(), 2);
    assert!((way.last().unwrap().to.y - 4.0).abs() < 1e-6);
}

#[test]
fn bonnmotion_tells_the_same_way() {
    let text = "0.0 0 0\n0.0 -40 6 30.0 20 6 31.0 20 4\n";
    let near = |a: &str, b: &str| {
        a.lines().zip(b.lines()).all(|(a, b)| {
            let time = |line: &str| line.split(' ').next().unwrap().parse::<f64>().unwrap();
            (time(a) - time(b)).abs() < 1e-4
        })
    };
    let (ours, theirs) = (contacts(text), contacts(SETDEST));
    assert!(
        ours.lines().count() == 2 && near(&ours, &theirs),
        "{ours}{theirs}"
    );
}

#[test]
fn what_is_written_for_ns2_has_the_same_contacts() {
    let mut out = Vec::new();
    let end = SimTime::from_secs(60);
    trace::write_setdest(&mut out, fleet(movement(SETDEST)), end).unwrap();
    assert_eq!(
        contacts(&String::from_utf8(out).unwrap()),
        contacts(SETDEST)
    );
}

#[test]
fn the_one_gets_the_bounds_and_then_everybody_every_so_often() {
    let mut out = Vec::new();
    let (end, every) = (SimTime::from_secs(60), SimTime::from_secs(20));
    trace::write_one_movement(&mut out, fleet(movement(SETDEST)), end, every).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn mistakes_are_refused_with_their_line() {
    let texts = [
        "$node_(0) set X_ east\n",
        "$node_(0) set W_ 1\n",
        "$node_(1) set X_ 1\n",
        "$ns_ at 1.0 \"$node_(0) setdest 1 1 1\"\n",
        "$node_(0) set X_ 1\n$ns_ at 1.0 \"$node_(0) setdest 1 1 -1\"\n",
        "$node_(0) set X_ 1\n$ns_ at 2.0 \"$node_(0) setdest 1 1 1\"\n$ns_ at 1.0 \"$node_(0) setdest 2 1 1\"\n",
        "$node_(0) moves\n",
        "0.0 1 2 3.0 4 5\n0.0 1 2 3.0 4\n",
        "0.0 1 2 3.0 4 5 2.0 4 5\n",
        "0.0 1 2 nan 4 5\n",
        "1 CONN 0 1 up\n",
    ];
    let refusals: Vec<String> = texts
        .iter()
        .map(|text| {
            let (_guard, path) = common::file(text);
            let format = if text.starts_with("0.0") {
                "bonnmotion"
            } else {
                "setdest"
            };
            let format = (!text.contains("CONN")).then(|| format.parse().unwrap());
            let error = trace::read_movement(&path, format).unwrap_err();
            format!(
                "{}: {}; expected {}",
                error.line, error.what, error.expected
            )
        })
        .collect();
    insta::assert_snapshot!(refusals.join("\n"));
    assert!(refused("1 CONN 0 1 up\n").contains("expected movement"));
}
