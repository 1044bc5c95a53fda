//! What is short is kept before what is long: who floods with large things pushes out large things.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::{Config, Copies};
use chappe_wire::{Age, ByteCount, LinkId};
use common::{Sample, Victim, sample};

const SHORT: u64 = 546;
const LONG: u64 = 4_130;

/// A phone with room for so many short ones.
fn phone(room: u64) -> Victim {
    let config = Config {
        capacity: ByteCount::new(room * SHORT),
        ..Config::default()
    };
    Victim::with(config, 0, true, || Box::new(SprayAndPull::PHONES))
}

fn long(number: u64) -> Sample {
    Sample {
        size: ByteCount::new(LONG),
        ..sample(number)
    }
}

/// Each comes from another neighbour, which stays within its share.
fn bring(victim: &mut Victim, samples: &[Sample]) {
    for sample in samples {
        let number = u64::from_be_bytes(sample.id.as_bytes()[..8].try_into().unwrap());
        let link = LinkId::new(number);
        victim.link_up(link, false, number, false);
        assert!(victim.bring_copies(link, sample, Age::NEW, Copies::new(8)));
        victim.peer.router.link_down(victim.now, link);
    }
}

fn held(victim: &Victim, samples: &[Sample]) -> usize {
    let held = samples.iter().filter(|s| victim.peer.router.holds(&s.id));
    held.count()
}

#[test]
fn what_is_long_makes_room_for_what_is_short() {
    let mut victim = phone(60);
    let short: Vec<Sample> = (0..20).map(sample).collect();
    let many: Vec<Sample> = (100..110).map(long).collect();
    let later: Vec<Sample> = (20..40).map(sample).collect();
    bring(&mut victim, &short);
    bring(&mut victim, &many);
    assert_eq!((held(&victim, &short), held(&victim, &many)), (20, 5));
    bring(&mut victim, &later);
    assert_eq!((held(&victim, &short), held(&victim, &later)), (20, 20));
    assert_eq!(held(&victim, &many), 2);
    victim.peer.check();
}

#[test]
fn room_that_is_short_for_long_things_only_makes_nobody_spread_less() {
    let copies = |victim: &mut Victim, number| {
        let own = Sample {
            size: ByteCount::new(SHORT),
            ..sample(number)
        };
        victim.write(&own);
        victim.peer.router.item(&own.id).unwrap().copies.count()
    };
    let mut victim = phone(60);
    let short: Vec<Sample> = (0..52).map(sample).collect();
    bring(&mut victim, &short);
    bring(&mut victim, &[long(100), long(101)]);
    assert_eq!(victim.peer.router.stats().dropped_quota, 1);
    assert_eq!(copies(&mut victim, 200), 16);
    // Where nearly everything is long, room is short for everybody.
    let mut victim = phone(60);
    let many: Vec<Sample> = (100..110).map(long).collect();
    bring(&mut victim, &many);
    assert_eq!(victim.peer.router.stats().dropped_quota, 3);
    assert_eq!(copies(&mut victim, 200), 1);
}
