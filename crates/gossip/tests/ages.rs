//! Age is carried and grows by dwell; the smaller one wins; what is too old goes.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::{Config, DropReason};
use chappe_wire::proto::frame::Body;
use chappe_wire::proto::{Offer, Want};
use chappe_wire::{Age, Duration, Instant, Lifetime, LinkId, ShortId};
use common::{LINK, Net, SALT, Victim, sample, sample_with};

const OTHER: LinkId = LinkId::new(2);

fn hours(hours: u64) -> Age {
    Age::from_duration(Duration::from_hours(hours))
}

/// Item 1 is asked for over both links and comes over both; meanwhile something may happen to it.
fn bring_twice(first: Age, wait: Duration, second: Age) -> Victim {
    let victim = bring_twice_and(first, wait, second, |_| ());
    assert_eq!(victim.peer.router.stats().duplicates, 1);
    victim
}

fn bring_twice_and(
    first: Age,
    wait: Duration,
    second: Age,
    meanwhile: impl FnOnce(&mut Victim),
) -> Victim {
    let mut victim = Victim::new(Config::default(), 0, false);
    victim.link_up(OTHER, false, 2, false);
    let message = sample(1);
    let ids = vec![ShortId::of(&SALT, &message.id).get()];
    let offer = chappe_wire::encode_frame(Body::Offer(Offer {
        ids,
        settled: false,
    }));
    let _ = victim
        .peer
        .router
        .handle_frame(victim.now, OTHER, &offer)
        .unwrap();
    while victim.peer.router.poll_frame(victim.now, OTHER).is_some() {}
    assert!(victim.bring(LINK, &message, first));
    victim.wait(wait);
    meanwhile(&mut victim);
    let transferred = chappe_gossip::Transferred {
        id: message.id,
        header: message.header,
        size: message.size,
        age: second,
        copies: chappe_gossip::Copies::NONE,
    };
    let arrival = victim
        .peer
        .router
        .handle_transfer(victim.now, OTHER, &transferred);
    assert!(arrival.is_none());
    victim.peer.settle();
    victim.peer.check();
    victim
}

fn age_of_item_1(victim: &Victim) -> Age {
    let item = victim.peer.router.item(&sample(1).id).unwrap();
    item.age_at(victim.now)
}

#[test]
fn the_smaller_age_wins() {
    let victim = bring_twice(hours(100), Duration::from_hours(1), hours(20));
    assert_eq!(age_of_item_1(&victim), hours(20));
    let victim = bring_twice(hours(20), Duration::from_hours(1), hours(100));
    assert_eq!(age_of_item_1(&victim), hours(21));
}

#[test]
fn nobody_stretches_the_stay_of_an_item_here() {
    let victim = bring_twice(hours(0), Duration::from_hours(100), Age::NEW);
    assert_eq!(age_of_item_1(&victim), hours(100));
}

#[test]
fn what_was_dropped_meanwhile_is_not_taken_again() {
    let victim = bring_twice_and(Age::NEW, Duration::ZERO, Age::NEW, |victim| {
        victim.peer.router.discard(victim.now, &sample(1).id);
        victim.peer.settle();
    });
    assert_eq!(victim.peer.router.stats().refused_known, 1);
    assert!(victim.peer.items.is_empty());
}

#[test]
fn what_a_liar_ended_early_is_taken_from_an_honest_neighbour() {
    let message = sample(1);
    let mut victim = Victim::new(Config::default(), 0, false);
    assert!(victim.bring(LINK, &message, hours(7 * 24 - 1)));
    victim.wait(Duration::from_hours(1));
    assert!(!victim.peer.router.holds(&message.id));
    // The same lie is not believed twice, an age of nearly the lifetime neither: ages are rounded down.
    assert!(!victim.bring(LINK, &message, hours(7 * 24 - 1)));
    assert!(!victim.bring(LINK, &message, hours(7 * 24 - 20)));
    assert!(victim.bring(LINK, &message, hours(30)));
    let now = victim.now;
    let item = victim.peer.router.item(&message.id).unwrap();
    assert_eq!(item.age_at(now), hours(30));
    victim.wait(Duration::from_hours(7 * 24 - 30));
    assert!(!victim.peer.router.holds(&message.id));
}

#[test]
fn nothing_stays_longer_than_its_lifetime_however_young_it_is_said_to_be() {
    let message = sample(1);
    let mut victim = Victim::new(Config::default(), 0, false);
    assert!(victim.bring(LINK, &message, hours(7 * 24 - 1)));
    victim.wait(Duration::from_hours(50));
    assert!(victim.bring(LINK, &message, hours(0)));
    // It was known here for 50 hours.
    let now = victim.now;
    let item = victim.peer.router.item(&message.id).unwrap();
    assert_eq!(item.age_at(now), hours(50));
    victim.wait(Duration::from_hours(7 * 24 - 50));
    assert!(!victim.peer.router.holds(&message.id));
    assert!(!victim.bring(LINK, &message, hours(0)));
}

#[test]
fn an_inflated_age_kills_the_liars_copy_only() {
    let mut net = Net::new(4);
    let message = sample(1);
    net.add_own(0, &message);
    // 1 is the liar: what it passes on to 2 is nearly over. 3 gets it from the source.
    net.connect(0, 3);
    net.run();
    let mut liar = Victim::new(Config::default(), 0, false);
    assert!(liar.bring(LINK, &message, hours(7 * 24 - 1)));
    liar.wait(Duration::from_hours(1));
    assert_eq!(
        liar.peer.dropped.get(&message.id),
        Some(&DropReason::Expired)
    );
    net.wait(Duration::from_hours(100));
    assert!(net.peers[0].router.holds(&message.id));
    assert!(net.peers[3].router.holds(&message.id));
}

#[test]
fn items_expire_everywhere_and_are_remembered_for_longer() {
    let mut net = Net::new(3);
    let (short, long) = (
        sample_with(1, Lifetime::DAY),
        sample_with(2, Lifetime::MONTH),
    );
    net.add_own(0, &short);
    net.add_own(0, &long);
    net.connect(0, 1);
    net.connect(1, 2);
    net.run();
    net.wait(Duration::from_hours(24));
    for peer in &net.peers {
        assert_eq!(peer.dropped.get(&short.id), Some(&DropReason::Expired));
        assert!(peer.seen.contains_key(&short.id) && peer.router.holds(&long.id));
    }
    net.wait(Duration::from_hours(47));
    assert!(net.peers[2].seen.contains_key(&short.id));
    net.wait(Duration::from_hours(1));
    assert!(!net.peers[2].seen.contains_key(&short.id));
    net.wait(Duration::from_days(28));
    assert!(net.peers.iter().all(|peer| peer.items.is_empty()));
}

#[test]
fn an_expired_item_is_neither_taken_nor_handed_over() {
    let mut victim = Victim::new(Config::default(), 0, false);
    assert!(!victim.bring(LINK, &sample(1), hours(7 * 24)));
    assert_eq!(victim.peer.router.stats().refused_expired, 1);
    // Asked for in time, but its turn comes too late.
    assert!(victim.bring(LINK, &sample(2), hours(7 * 24 - 1)));
    victim.link_up(LINK, false, 1, false);
    let ids = vec![ShortId::of(&SALT, &sample(2).id).get()];
    victim.say(Body::Want(Want { ids })).unwrap();
    victim.now = victim.now.after(Duration::from_hours(1));
    let said = victim.hear();
    assert!(!said.iter().any(|body| matches!(body, Body::Transfer(_))));
    assert_eq!(
        victim.peer.dropped.get(&sample(2).id),
        Some(&DropReason::Expired)
    );
}

#[test]
fn age_grows_with_each_holder() {
    let mut net = Net::new(3);
    net.add_own(0, &sample(1));
    net.wait(Duration::from_minutes(90));
    net.connect(0, 1);
    net.run();
    net.disconnect(0, 1);
    net.wait(Duration::from_minutes(45));
    net.connect(1, 2);
    net.run();
    let age = net.peers[2].router.item(&sample(1).id).unwrap().age;
    assert_eq!(age.to_wire(), 135);
}

#[test]
fn a_clock_that_stands_still_or_jumps_breaks_nothing() {
    let mut victim = Victim::new(Config::default(), 3, false);
    for now in [0, 1, u64::MAX - 1, 5, u64::MAX] {
        victim.now = Instant::from_micros(now);
        victim.wait(Duration::ZERO);
        victim.hear();
    }
    victim.peer.check();
}
