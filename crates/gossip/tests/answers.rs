//! Who sends one envelope after the other hears of several at once that they were taken, and never long after.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::{Config, LinkBudget, Rate};
use chappe_wire::proto::{Offer, frame::Body};
use chappe_wire::{Age, Duration, Instant, ShortId, encode_frame};
use common::{LINK, SALT, Sample, Victim, sample};

const WITHIN: Duration = Duration::from_millis(100);

/// A router that has asked its neighbour for these.
fn asked(answer_within: Duration, samples: &[Sample]) -> Victim {
    let config = Config {
        answer_within,
        link: LinkBudget {
            bytes: Rate {
                per_second: 1 << 30,
                burst: 1 << 30,
            },
            ..LinkBudget::default()
        },
        ..Config::default()
    };
    let mut victim = Victim::new(config, 0, false);
    let ids = samples.iter().map(|sample| short(sample).get()).collect();
    let offer = Offer {
        ids,
        settled: false,
    };
    victim.say(Body::Offer(offer)).unwrap();
    assert!(matches!(&victim.hear()[..], [Body::Want(want)] if want.ids.len() == samples.len()));
    victim
}

fn short(sample: &Sample) -> ShortId {
    ShortId::of(&SALT, &sample.id)
}

fn bring(victim: &mut Victim, sample: &Sample) {
    let transferred = chappe_gossip::Transferred {
        id: sample.id,
        header: sample.header,
        size: sample.size,
        age: Age::NEW,
        copies: chappe_gossip::Copies::NONE,
    };
    let router = &mut victim.peer.router;
    let arrival = router
        .handle_transfer(victim.now, LINK, &transferred)
        .unwrap();
    router.accept(victim.now, arrival).unwrap();
    victim.peer.settle();
}

/// How many envelopes each frame answers that the router sends now.
fn answers(victim: &mut Victim) -> Vec<usize> {
    let bodies = victim.hear().into_iter();
    bodies
        .map(|body| match body {
            Body::Accepted(accepted) => accepted.ids.len(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn samples(count: u64) -> Vec<Sample> {
    (0..count).map(sample).collect()
}

#[test]
fn the_last_that_was_asked_for_is_answered_at_once_with_those_before() {
    let samples = samples(5);
    let mut victim = asked(WITHIN, &samples);
    for sample in &samples[..4] {
        bring(&mut victim, sample);
        assert_eq!(answers(&mut victim), [0; 0]);
    }
    bring(&mut victim, &samples[4]);
    assert_eq!(answers(&mut victim), [5]);
    let alone = samples[..1].to_vec();
    let mut victim = asked(WITHIN, &alone);
    bring(&mut victim, &alone[0]);
    assert_eq!(answers(&mut victim), [1]);
}

#[test]
fn nobody_waits_longer_for_an_answer_than_was_set() {
    let samples = samples(5);
    let mut victim = asked(WITHIN, &samples);
    bring(&mut victim, &samples[0]);
    let due = victim.now.after(WITHIN);
    assert_eq!(victim.peer.router.poll_timeout(), due);
    victim.wait(Duration::from_millis(60));
    bring(&mut victim, &samples[1]);
    assert_eq!(answers(&mut victim), [0; 0]);
    assert_eq!(victim.peer.router.poll_timeout(), due);
    victim.wait(Duration::from_millis(40));
    // While the link has no room, the answer is no reason to wake the node again and again.
    assert!(victim.peer.router.poll_timeout() > due);
    assert_eq!(answers(&mut victim), [2]);
    bring(&mut victim, &samples[2]);
    assert_eq!(
        victim.peer.router.poll_timeout(),
        victim.now.after(WITHIN),
        "the next waits anew"
    );
}

#[test]
fn many_are_answered_though_more_are_expected() {
    let samples = samples(100);
    let mut victim = asked(WITHIN, &samples);
    let mut told = Vec::new();
    for sample in &samples {
        bring(&mut victim, sample);
        told.extend(answers(&mut victim));
    }
    assert_eq!(told, [32, 32, 32, 4]);
}

#[test]
fn what_goes_the_other_way_takes_the_answer_along() {
    let samples = samples(3);
    let mut victim = asked(WITHIN, &samples);
    bring(&mut victim, &samples[0]);
    let own = sample(77);
    let router = &mut victim.peer.router;
    router
        .add_own(victim.now, own.id, own.header, own.size)
        .unwrap();
    victim.peer.settle();
    victim.hear();
    bring(&mut victim, &samples[1]);
    let want = encode_frame(Body::Want(chappe_wire::proto::Want {
        ids: vec![short(&own).get()],
    }));
    victim.say_bytes(&want).unwrap();
    let heard = victim.hear();
    assert!(
        matches!(&heard[..], [Body::Accepted(both), Body::Transfer(_)] if both.ids.len() == 2),
        "{heard:?}"
    );
}

#[test]
fn unless_it_is_set_nothing_waits() {
    let samples = samples(3);
    let mut victim = asked(Duration::ZERO, &samples);
    assert!(victim.now > Instant::ZERO);
    for sample in &samples {
        bring(&mut victim, sample);
        assert_eq!(answers(&mut victim), [1]);
    }
}
