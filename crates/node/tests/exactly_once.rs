//! Whatever happens to links and processes: what was accepted arrives once both are in range for long enough,
//! is shown exactly once, and its sender learns of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Delivery, MessageId};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    Send(Side),
    Connect,
    Storm,
    Disconnect,
    Crash(Side),
    Wait(Duration),
}

fn operation() -> impl Strategy<Value = Operation> {
    let side = prop_oneof![Just(Side::North), Just(Side::South)];
    prop_oneof![
        4 => side.clone().prop_map(Operation::Send),
        2 => Just(Operation::Connect),
        2 => Just(Operation::Storm),
        1 => Just(Operation::Disconnect),
        1 => side.prop_map(Operation::Crash),
        4 => (1..2_000u64).prop_map(|millis| Operation::Wait(Duration::from_millis(millis))),
        1 => (1..3_600u64).prop_map(|secs| Operation::Wait(Duration::from_secs(secs))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn accepted_means_delivered_exactly_once(
        seed in any::<u64>(),
        operations in prop::collection::vec(operation(), 1..40),
    ) {
        let mut pair = Pair::new(seed);
        let mut accepted: Vec<(Side, String, MessageId)> = Vec::new();
        for (number, operation) in operations.into_iter().enumerate() {
            match operation {
                Operation::Send(side) => {
                    let text = format!("message {number}");
                    if let Some(id) = pair.send(side, &text) {
                        accepted.push((side, text, id));
                    }
                }
                Operation::Connect => pair.connect(Weather::default()),
                Operation::Storm => pair.connect(Weather::stormy()),
                Operation::Disconnect => pair.disconnect(),
                Operation::Crash(side) => pair.crash(side),
                Operation::Wait(duration) => pair.run(duration),
            }
        }
        pair.connect(Weather::default());
        pair.run(Duration::from_minutes(5));

        for (from, text, id) in &accepted {
            let to = from.other();
            // A process that ends between commit and showing shows it by its inbox; nothing is shown twice.
            prop_assert!(pair.shown(to, text) <= 1, "{text} was shown twice");
            let there = pair.inbox(to).iter().filter(|there| *there == text).count();
            prop_assert_eq!(there, 1, "{} is in the inbox", text);
            prop_assert_eq!(pair.state(*from, *id), Delivery::Delivered);
        }
        let total = pair.inbox(Side::North).len() + pair.inbox(Side::South).len();
        prop_assert_eq!(total, accepted.len());
    }
}
