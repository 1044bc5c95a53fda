//! The bounds, on traces for which they are known to the digit, and on worlds small enough to see why.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::Duration;

use chappe_sim::log::Keep;
use chappe_sim::oracle::{Bound, Bounds, Question, bounds};
use chappe_sim::replay::{Recording, Terms};
use chappe_sim::routers::Router;
use chappe_sim::run::Wanted;
use chappe_sim::{
    ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex, Rate, SimTime,
    trace,
};
use chappe_wire::ByteCount;

#[test]
fn random_waypoint_is_right_to_the_digit() {
    let found = bounds_of("rwp200", "rwp200-messages");
    assert_eq!(rounded(&found.zero_time), (355, 1_035.2, 1_008.0));
    assert_eq!(rounded(&found.earliest_arrival), (355, 1_040.5, 1_015.1));
    assert_eq!(found.fewest_relays.relayed, Some(576));
}

#[test]
fn a_conference_is_right_to_the_digit() {
    let found = bounds_of("sfhh", "sfhh-messages");
    assert_eq!(rounded(&found.zero_time), (434, 6_749.6, 6_298.0));
    assert_eq!(rounded(&found.earliest_arrival), (429, 6_924.9, 6_525.1));
    assert_eq!(found.fewest_relays.relayed, Some(1_247));
}

#[test]
fn a_run_that_ends_early_has_the_bound_of_its_time() {
    let path = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        folder.join(format!("{name}.txt.gz"))
    };
    let recording = Recording::read(&path("rwp200-contacts"), &path("rwp200-messages")).unwrap();
    let end = Some(SimTime::from_secs(7_200));
    let terms = Terms {
        end,
        ..Terms::default()
    };
    let early = recording.bounds(&terms);
    let written = recording.messages.iter().filter(|m| Some(m.at) <= end);
    assert!(early.zero_time.delivered <= written.count() as u64);
    let epidemic = Router::named("epidemic").unwrap();
    let wanted = Wanted {
        oracle: false,
        keep: Keep::Figures,
    };
    let run = recording.run(&terms, epidemic, 1, wanted).unwrap();
    assert!(run.course.outcome.delivered > 0);
    assert!(run.course.outcome.delivered <= early.zero_time.delivered);
    let whole = recording.bounds(&Terms::default());
    assert_eq!(rounded(&whole.zero_time), (355, 1_035.2, 1_008.0));
}

#[test]
fn large_messages_share_the_air() {
    let found = bounds_of("rwp200", "rwp200-messages-heavy");
    assert_eq!(rounded(&found.earliest_arrival), (1_404, 1_087.5, 1_056.3));
    let (delivered, mean, _) = rounded(&found.schedule);
    assert_eq!((delivered, mean), (1_404, 1_089.8));
    let relayed = found.schedule.relayed.unwrap();
    assert!(relayed.abs_diff(6_490) < 33, "{relayed}");
}

#[test]
fn a_flood_crosses_contacts_that_touch_and_a_transfer_does_not() {
    // 0 meets 1 until 10 s, 1 meets 2 from 10 s on.
    let contacts = world(3, &[(0, 1, 0, 10), (1, 2, 10, 20)]);
    let found = ask(&contacts, &[message(10, 0, 2, 1)]);
    assert_eq!(
        found.zero_time.delivered, 0,
        "written after `up` and `down`"
    );
    let found = ask(&contacts, &[message(9, 0, 2, 25_000)]);
    assert_eq!(rounded(&found.zero_time), (1, 1.0, 1.0));
    assert_eq!(rounded(&found.earliest_arrival), (1, 1.1, 1.1));
}

#[test]
fn a_transfer_may_end_with_its_contact_but_not_later() {
    let contacts = world(2, &[(0, 1, 0, 10)]);
    let delivered = |size| {
        let found = ask(&contacts, &[message(8, 0, 1, size)]);
        found.earliest_arrival.delivered
    };
    assert_eq!(delivered(500_000), 1);
    assert_eq!(delivered(500_001), 0);
}

#[test]
fn the_schedule_gives_a_node_one_transfer_at_a_time() {
    let contacts = world(3, &[(0, 1, 0, 10), (0, 2, 0, 10)]);
    let messages = [message(0, 0, 1, 1_500_000), message(0, 0, 2, 1_000_000)];
    let found = ask(&contacts, &messages);
    assert_eq!(found.schedule.delivered, 2);
    assert_eq!(
        found.schedule.latency_avg,
        Some(8.0),
        "6 s and then 4 s more"
    );
    let messages = [message(0, 0, 1, 1_500_000), message(0, 0, 2, 1_500_000)];
    assert_eq!(ask(&contacts, &messages).schedule.delivered, 1);
}

#[test]
fn what_arrives_after_its_lifetime_does_not_count() {
    let contacts = world(2, &[(0, 1, 18_000, 18_010)]);
    let delivered = |at| {
        ask(&contacts, &[message(at, 0, 1, 1)])
            .earliest_arrival
            .delivered
    };
    assert_eq!(
        (delivered(0), delivered(1)),
        (0, 1),
        "0.1 s late, 0.9 s early"
    );
}

#[test]
fn fewer_relays_may_take_longer() {
    let contacts = world(3, &[(0, 1, 0, 10), (1, 2, 20, 30), (0, 2, 100, 110)]);
    let found = ask(&contacts, &[message(0, 0, 2, 1)]);
    assert_eq!(rounded(&found.earliest_arrival), (1, 20.1, 20.1));
    assert_eq!(rounded(&found.fewest_relays), (1, 100.1, 100.1));
    assert_eq!(found.fewest_relays.relayed, Some(1));
}

fn bounds_of(contacts: &str, messages: &str) -> Bounds {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let file = |name: &str| folder.join(format!("{name}.txt.gz"));
    let contacts = trace::read_contacts(&file(&format!("{contacts}-contacts"))).unwrap();
    let messages = trace::read_messages(&file(messages)).unwrap();
    ask(&contacts, &messages)
}

fn ask(contacts: &ContactTrace, messages: &[MessageEvent]) -> Bounds {
    let question = Question {
        rate: Rate::THE_ONE,
        ttl: Duration::from_secs(18_000),
    };
    let mut messages = messages.to_vec();
    for (index, message) in (0..).zip(&mut messages) {
        message.index = MessageIndex::new(index);
    }
    bounds(contacts, &messages, &question)
}

/// As the tables have it: delivered, mean and median delay to a tenth of a second.
fn rounded(bound: &Bound) -> (u64, f64, f64) {
    let tenths = |time: Option<f64>| (time.unwrap() * 10.0).round() / 10.0;
    (
        bound.delivered,
        tenths(bound.latency_avg),
        tenths(bound.latency_med),
    )
}

/// Contacts of two nodes, from and to a second.
fn world(nodes: u32, contacts: &[(u32, u32, u64, u64)]) -> ContactTrace {
    let event = |at, a, b, up| ContactEvent {
        at: SimTime::from_secs(at),
        a: NodeIndex::new(a),
        b: NodeIndex::new(b),
        up,
        rate: None,
    };
    let ends = contacts
        .iter()
        .flat_map(|(a, b, from, to)| [event(*from, *a, *b, true), event(*to, *a, *b, false)]);
    let mut events: Vec<_> = ends.collect();
    events.sort_by_key(|event| event.at);
    ContactTrace {
        nodes,
        end: events.last().unwrap().at,
        events,
    }
}

fn message(at: u64, from: u32, to: u32, size: u64) -> MessageEvent {
    MessageEvent {
        at: SimTime::from_secs(at),
        index: MessageIndex::new(0),
        name: MessageName::new("M"),
        from: NodeIndex::new(from),
        to: NodeIndex::new(to),
        size: ByteCount::new(size),
    }
}
