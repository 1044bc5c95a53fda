//! How soon a link that has just come up is of use: what passes before the first envelope has been handed over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Event, NodeConfig};
use chappe_testkit::{NodeIndex, Pair, Side, Weather};
use chappe_wire::Duration;

/// One way; the links have no other delay, so that time counts the round trips.
const LATENCY: Duration = Duration::from_millis(100);
/// What one ATT write over Bluetooth LE often takes.
const MTU: usize = 244;

/// Handshake, reconciliation and an envelope with a body of 512 or 1,024 bytes.
const BYTES: u64 = 2_000;

struct First {
    /// Half round trips from link up to its end.
    flights: u64,
    /// Both ways, the envelope with them.
    bytes: u64,
}

fn taken(pair: &mut Pair, by: NodeIndex) -> bool {
    let events = pair.world.events(by);
    events
        .iter()
        .any(|event| matches!(event, Event::Taken { .. }))
}

/// Brings the two into range and waits until `taker` has custody of an envelope.
fn first(pair: &mut Pair, opener: NodeIndex, other: NodeIndex, taker: NodeIndex) -> First {
    taken(pair, taker);
    let weather = Weather {
        latency: LATENCY,
        mtu: MTU,
        ..Weather::default()
    };
    let link = pair.world.connect(opener, other, weather);
    let start = pair.world.now();
    while !taken(pair, taker) {
        pair.world.run(Duration::from_millis(1));
        let waited = pair.world.now().since(start);
        assert!(waited < Duration::from_secs(10), "nothing was handed over");
    }
    let waited = pair.world.now().since(start).as_micros();
    let bytes = pair.world.sent(link).get();
    pair.world.disconnect(link);
    First {
        flights: waited / LATENCY.as_micros(),
        bytes,
    }
}

/// North and a relay that have met before, and one message that the relay lacks.
fn pair_with_news() -> (Pair, NodeIndex, NodeIndex) {
    let mut pair = Pair::new(11);
    let relay = pair.world.add(NodeConfig::relay());
    let north = pair.node(Side::North);
    for number in 0..40 {
        pair.send(Side::North, &format!("old {number}")).unwrap();
    }
    let link = pair.world.connect(north, relay, Weather::default());
    pair.world.run(Duration::from_secs(5));
    pair.world.disconnect(link);
    pair.send(Side::North, "news").unwrap();
    (pair, north, relay)
}

#[test]
fn who_opens_the_link_hands_the_first_envelope_over_within_three_round_trips() {
    let (mut pair, north, relay) = pair_with_news();
    let first = first(&mut pair, north, relay, relay);
    assert_eq!(first.flights, 5, "two round trips and a half");
    println!("{} bytes, the envelope with them", first.bytes);
    assert!(first.bytes < BYTES, "{} bytes", first.bytes);
}

#[test]
fn who_is_called_hands_the_first_envelope_over_within_three_round_trips() {
    let (mut pair, north, relay) = pair_with_news();
    let first = first(&mut pair, relay, north, relay);
    assert_eq!(first.flights, 6, "three round trips");
    println!("{} bytes, the envelope with them", first.bytes);
    assert!(first.bytes < BYTES, "{} bytes", first.bytes);
}
