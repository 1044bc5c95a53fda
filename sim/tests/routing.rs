//! The router that devices run, on worlds small enough to see what it does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use chappe_sim::routers::Router;
use chappe_sim::routing::{Network, Settings};
use chappe_sim::{
    Buffers, ContactEvent, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex,
    Outcome, Rate, SimTime,
};
use chappe_wire::ByteCount;

#[test]
fn a_message_is_carried_and_its_receipt_frees_the_copies() {
    // 0 writes to 2, and only 1 meets both.
    let contacts = [(0, 1, 0, 10), (1, 2, 100, 200), (0, 1, 300, 310)];
    let run = run("default", &contacts, &[message(1, 0, 2, 5_000)]);
    assert_eq!((run.delivered, run.relayed), (1, 2));
    assert_eq!(run.hopcount_avg, Some(2.0));
    let delay = run.latency_avg.unwrap();
    assert!((99.02..99.1).contains(&delay), "airtime counts: {delay}");
    assert_eq!((run.removed, run.dropped), (3, 0), "all three let it go");
    assert!(run.control_bytes > 0);
}

#[test]
fn what_has_come_when_a_contact_ends_counts() {
    // 1 MB takes 4 s, and no contact lasts longer than 3.
    let contacts = [(0, 1, 0, 3), (0, 1, 10, 13)];
    let run = run("default", &contacts, &[message(0, 0, 1, 1_000_000)]);
    assert_eq!((run.started, run.aborted, run.delivered), (2, 1, 1));
    let twice = 1_000_000 + 4_096;
    assert!(
        (1_000_000..twice).contains(&run.data_bytes),
        "{}",
        run.data_bytes
    );
    let delay = run.latency_avg.unwrap();
    assert!((11.0..11.1).contains(&delay), "{delay}");
}

#[test]
fn the_last_copy_waits_for_the_recipient_who_asks_by_tag() {
    // Six copies: 0 keeps 3, then 2, then 1; the last is for 9 alone.
    let contacts: Vec<_> = (1..=5)
        .map(|peer| (0, peer, u64::from(peer) * 100, u64::from(peer) * 100 + 50))
        .chain([(0, 9, 1_000, 1_050)])
        .collect();
    let spray = run("spray-and-wait", &contacts, &[message(1, 0, 9, 1_000)]);
    assert_eq!((spray.delivered, spray.relayed), (1, 4));
    let direct = run("direct-delivery", &contacts, &[message(1, 0, 9, 1_000)]);
    assert_eq!((direct.delivered, direct.relayed), (1, 1));
    let default = run("default", &contacts, &[message(1, 0, 9, 1_000)]);
    assert_eq!((default.delivered, default.relayed), (1, 6));
}

#[test]
fn what_comes_after_its_lifetime_is_not_delivered() {
    let contacts = [(0, 1, 18_000, 18_100)];
    let delivered = |at| run("default", &contacts, &[message(at, 0, 1, 1)]).delivered;
    assert_eq!((delivered(0), delivered(10)), (0, 1));
}

#[test]
fn a_node_is_in_one_transmission_at_a_time() {
    // 0 has a megabyte for each of two neighbours.
    let contacts = [(0, 1, 0, 7), (0, 2, 0, 7)];
    let messages = [message(0, 0, 1, 1_000_000), message(0, 0, 2, 1_000_000)];
    let run = run("direct-delivery", &contacts, &messages);
    assert_eq!((run.delivered, run.aborted), (1, 1));
}

#[test]
fn what_sealed_traffic_hides_is_not_routed_by() {
    let network = world(&[(0, 1, 0, 10)]);
    let network = Network::new(&network, &[], settings()).unwrap();
    for (name, runs) in [
        ("default", true),
        ("epidemic", true),
        ("prophet", false),
        ("first-contact", false),
    ] {
        let router = Router::named(name).unwrap();
        assert_eq!(router.route(&network, 1).is_some(), runs, "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let contacts: Vec<_> = (0..60)
        .map(|n| (n % 7, 7 + n % 5, u64::from(n) * 10, u64::from(n) * 10 + 25))
        .collect();
    let messages: Vec<_> = (0..40)
        .map(|n| message(u64::from(n) * 9, n % 7, 7 + (n * 3) % 5, 200_000))
        .collect();
    let both = [(); 2].map(|()| run("default", &contacts, &messages));
    let [first, second] = both;
    assert_eq!(first, second);
    assert!(first.delivered > 10, "{}", first.delivered);
}

fn run(router: &str, contacts: &[(u32, u32, u64, u64)], messages: &[MessageEvent]) -> Outcome {
    let contacts = world(contacts);
    let mut messages = messages.to_vec();
    for (index, message) in (0..).zip(&mut messages) {
        message.index = MessageIndex::new(index);
    }
    let network = Network::new(&contacts, &messages, settings()).unwrap();
    Router::named(router).unwrap().route(&network, 1).unwrap()
}

fn settings() -> Settings {
    Settings {
        rate: Rate::THE_ONE,
        buffers: Buffers::all(ByteCount::new(5_000_000)),
        ttl: Duration::from_secs(18_000),
        end: None,
    }
}

/// Contacts of two nodes, from and to a second.
fn world(contacts: &[(u32, u32, u64, u64)]) -> ContactTrace {
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
        nodes: contacts
            .iter()
            .map(|(a, b, ..)| a.max(b) + 1)
            .max()
            .unwrap(),
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
