//! A receiver that is told where a chain is finds what comes from there on, and nothing before.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use chappe_envelope::{ChainRoot, Counter, PairSecret, ReceiveChain, SendChain};
use chappe_wire::Lifetime;

fn root() -> ChainRoot {
    ChainRoot::of_pair(
        &PairSecret::new([7; 32]),
        chappe_envelope::Direction::InitiatorToResponder,
    )
}

#[test]
fn a_chain_that_starts_late_opens_what_comes_from_there_on() {
    for first in [0, 1, 63, 64, 70, 128, 1_000] {
        let mut sender = SendChain::new(root());
        let mut receiver = ReceiveChain::starting_at(root(), Counter::new(first).unwrap());
        for number in 0..first + 130 {
            let (envelope, _) = sender.seal(Lifetime::WEEK, b"words").unwrap();
            let tag = envelope.header().tag;
            let found = receiver.expected().find(|(other, _)| *other == tag);
            let Some((_, counter)) = found else {
                assert!(
                    number < first,
                    "{number} is missed by a chain from {first} on"
                );
                continue;
            };
            assert!(number >= first, "{number} was sealed before {first}");
            receiver.open(counter, &envelope).unwrap();
        }
        assert_eq!(receiver.holes(), 0);
    }
}
