//! Whom one has pinned carries what one writes, and gets it before what strangers brought: a flood holds up strangers.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::{Config, Copies};
use chappe_wire::proto::frame::Body;
use chappe_wire::{Age, ByteCount, Duration, ItemId, LinkId, ShortId};
use common::{LINK, Net, SALT, Sample, Victim, sample};

/// A phone that has met many.
fn phone() -> Victim {
    let mut phone = Victim::with(Config::default(), 0, true, || {
        Box::new(SprayAndPull::PHONES)
    });
    for other in 2..=40 {
        phone.link_up(LinkId::new(other), false, other, false);
    }
    phone
}

fn bring(phone: &mut Victim, sample: &Sample, link: u64, pinned: bool, copies: u32) {
    let link = LinkId::new(link);
    phone.link_up(link, false, link.number(), pinned);
    assert!(phone.bring_copies(link, sample, Age::NEW, Copies::new(copies)));
    phone.peer.router.link_down(phone.now, link);
}

/// What a neighbour gets that asks for all of these, in order.
fn given_to(phone: &mut Victim, pinned: bool, samples: &[Sample]) -> Vec<ItemId> {
    phone.link_up(LINK, true, 1, pinned);
    phone.give(samples)
}

fn ids(samples: &[&Sample]) -> Vec<ItemId> {
    samples.iter().map(|sample| sample.id).collect()
}

#[test]
fn a_pinned_neighbour_gets_the_last_copy_of_what_is_written_here_and_of_nothing_else() {
    let mut phone = phone();
    let (own, strange) = (sample(1), sample(2));
    bring(&mut phone, &strange, 50, false, 1);
    phone.write(&own);
    // Strangers take copies until one is left.
    let all = [own, strange];
    for _ in 0..4 {
        assert_eq!(given_to(&mut phone, false, &all), ids(&[&own]));
        let ids = vec![ShortId::of(&SALT, &own.id).get()];
        let accepted = chappe_wire::proto::Accepted { ids };
        phone.say(Body::Accepted(accepted)).unwrap();
    }
    assert_eq!(
        phone.peer.router.item(&own.id).unwrap().copies,
        Copies::new(1)
    );
    assert_eq!(given_to(&mut phone, false, &all), ids(&[]));
    assert_eq!(given_to(&mut phone, true, &all), ids(&[&own]));
    phone.peer.check();
}

#[test]
fn what_is_written_here_goes_first_to_who_is_pinned_and_in_its_turn_to_strangers() {
    let mut phone = phone();
    let own = Sample {
        size: ByteCount::new(4_130),
        ..sample(1)
    };
    let (pinned, strange) = (sample(2), sample(3));
    phone.write(&own);
    phone.wait(Duration::from_minutes(60));
    bring(&mut phone, &pinned, 50, true, 16);
    phone.wait(Duration::from_minutes(3));
    bring(&mut phone, &strange, 51, false, 16);
    let all = [own, pinned, strange];
    let to_pinned = given_to(&mut phone, true, &all);
    assert_eq!(to_pinned, ids(&[&own, &pinned, &strange]));
    let to_stranger = given_to(&mut phone, false, &all);
    assert_eq!(to_stranger, ids(&[&strange, &pinned, &own]));
}

#[test]
fn the_circle_carries_what_one_of_it_writes() {
    let policy = SprayAndPull {
        copies: Copies::new(1),
        ..SprayAndPull::SELECTIVE
    };
    let mut net = Net::with(4, Config::default(), || Box::new(policy));
    let own = sample(1);
    net.add_own(0, &own);
    for friend in 1..4 {
        net.connect_as(0, friend, true);
        net.run();
        net.disconnect(0, friend);
    }
    assert!(net.peers.iter().all(|peer| peer.router.holds(&own.id)));
}
