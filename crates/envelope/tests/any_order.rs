//! Whatever is lost, swapped or repeated on the way: what arrives and is in reach is opened exactly once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use support::{Receiver, envelopes, plaintext};

#[test]
fn in_order() {
    let mut receiver = Receiver::new();
    for envelope in envelopes(200) {
        receiver.deliver(&envelope);
    }
    assert_eq!(receiver.opened.len(), 200);
    assert_eq!(receiver.chain.holes(), 0);
    receiver.assert_index();
}

#[test]
fn backwards() {
    let mut receiver = Receiver::new();
    for envelope in envelopes(300).iter().rev() {
        receiver.deliver(envelope);
    }
    assert_eq!(receiver.opened.len(), 300);
    assert_eq!(receiver.chain.holes(), 0);
}

#[test]
fn an_idle_chain_expects_the_window_and_the_coarse_tags() {
    let mut receiver = Receiver::new();
    let coarse = (1..=128).map(|epoch| epoch * 64);
    assert_eq!(
        receiver.expected_counters(),
        (0..64).chain(coarse).collect()
    );

    receiver.deliver(&envelopes(1)[0]);
    let coarse = (2..=128).map(|epoch| epoch * 64);
    assert_eq!(
        receiver.expected_counters(),
        (1..65).chain(coarse).collect()
    );
}

#[test]
fn both_directions_of_a_pair_differ() {
    use chappe_envelope::{ChainRoot, Direction, PairSecret, ReceiveChain};
    let secret = PairSecret::new([7; 32]);
    let tags = |direction| -> BTreeSet<_> {
        let chain = ReceiveChain::new(ChainRoot::of_pair(&secret, direction));
        chain.expected().map(|(tag, _)| tag).collect()
    };
    let there = tags(Direction::InitiatorToResponder);
    let back = tags(Direction::InitiatorToResponder.reversed());
    assert!(there.is_disjoint(&back));
}

/// What the documentation says is expected, the slow way.
fn in_reach(number: u64, next: u64, opened: &BTreeSet<u64>) -> bool {
    let hole = number < next && !opened.contains(&number);
    let dense = (next..next + 64).contains(&number);
    let epochs_ahead = (number / 64).checked_sub(next / 64);
    let coarse = number.is_multiple_of(64) && matches!(epochs_ahead, Some(1..=128));
    hole || dense || coarse
}

/// Opens what can be opened until nothing more can.
fn open_all(arrived: &BTreeSet<u64>) -> (BTreeSet<u64>, u64) {
    let (mut opened, mut next) = (BTreeSet::new(), 0);
    loop {
        let ready = |number: &&u64| !opened.contains(*number) && in_reach(**number, next, &opened);
        let Some(number) = arrived.iter().find(ready).copied() else {
            return (opened, next);
        };
        opened.insert(number);
        next = next.max(number + 1);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Deliver(prop::sample::Index),
    Burst(prop::sample::Index, u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => any::<prop::sample::Index>().prop_map(Step::Deliver),
        4 => (any::<prop::sample::Index>(), 1..80_u64).prop_map(|(at, n)| Step::Burst(at, n)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_loss_any_order_any_repetition(
        sent in 1..700_u64,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let envelopes = envelopes(sent);
        let mut receiver = Receiver::new();
        let mut arrived = BTreeSet::new();
        for step in steps {
            let (from, count) = match step {
                Step::Restart => {
                    receiver.restart();
                    continue;
                }
                Step::Deliver(at) => (at.index(envelopes.len()), 1),
                Step::Burst(at, count) => (at.index(envelopes.len()), count),
            };
            for number in (from as u64..sent).take(count as usize) {
                receiver.deliver(&envelopes[number as usize]);
                arrived.insert(number);
            }
        }
        let (opened, next) = open_all(&arrived);
        prop_assert_eq!(receiver.opened.keys().copied().collect::<BTreeSet<_>>(), opened.clone());
        for (number, content) in &receiver.opened {
            prop_assert_eq!(content, &plaintext(*number));
        }
        let reachable = (0..next + 130 * 64).filter(|number| in_reach(*number, next, &opened));
        prop_assert_eq!(receiver.expected_counters(), reachable.collect::<BTreeSet<_>>());
        receiver.assert_index();
    }
}
