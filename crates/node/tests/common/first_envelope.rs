//! How soon after a link came up the first envelope is handed over.

use chappe_node::NodeConfig;
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;

/// How long a packet takes: so much that time counts flights, and so little that nothing is sent again meanwhile.
const LATENCY: Duration = Duration::from_millis(200);
/// How closely it is looked.
const STEP: Duration = Duration::from_millis(10);
/// Nobody lets a receipt go before.
const LATER: Duration = Duration::from_secs(3_600);
/// When it is given up.
const LIMIT: Duration = Duration::from_secs(20);

/// What the first envelope over a link took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstEnvelope {
    /// From the link's coming up until the envelope is read at the other end, in round trips of that link.
    pub(crate) round_trips: f64,
    /// All bytes that passed the link both ways, beside the flight that has the envelope.
    pub(crate) bytes_before: usize,
}

/// What the two have met with before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Carried {
    /// Both carry so many envelopes.
    Both(usize),
    /// One carries so many envelopes, the other their receipts.
    Receipted(usize),
}

/// Two people who know each other meet anew, and `from` has a text for the other one. North is the one who opens links.
pub(crate) fn first_envelope(from: Side, mtu: usize, carried: Carried) -> FirstEnvelope {
    let (common, delay) = match carried {
        Carried::Both(envelopes) => (envelopes, LATER),
        Carried::Receipted(envelopes) => (envelopes, NodeConfig::relay().receipt_delay),
    };
    let mut pair = Pair::with_config(1, |config| config.receipt_delay = delay);
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(60));
    for number in 0..common {
        pair.send(Side::North, &number.to_string())
            .expect("it is accepted");
    }
    pair.run(Duration::from_secs(5));
    pair.disconnect();
    pair.run(Duration::from_secs(10));
    pair.send(from, "first").expect("it is accepted");
    let weather = Weather {
        latency: LATENCY,
        mtu,
        ..Weather::default()
    };
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let link = pair.world.connect(north, south, weather);
    let began = pair.world.now();
    let mut flights = vec![0];
    pair.world.record(link);
    while pair.shown(from.other(), "first") == 0 {
        let took = pair.world.now().since(began);
        assert!(took < LIMIT, "not within {LIMIT:?}");
        // Everything that is sent at the same time is one flight.
        if took.as_micros().is_multiple_of(LATENCY.as_micros()) {
            flights.push(pair.world.recorded(link).len());
        }
        pair.run(STEP);
    }
    let took = pair.world.now().since(began).as_micros() / LATENCY.as_micros();
    let before = flights.len().saturating_sub(2);
    FirstEnvelope {
        round_trips: took as f64 / 2.0,
        bytes_before: flights.get(before).copied().unwrap_or_default(),
    }
}
