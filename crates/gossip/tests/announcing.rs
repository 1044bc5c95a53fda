//! News goes at once to who has not heard it, and waits where others keep telling it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::Config;
use chappe_wire::proto::{Digest, Offer, Want, frame::Body};
use chappe_wire::{Duration, ShortId};
use common::{Net, SALT, Victim, sample};

/// Everyone in reach of everyone.
fn huddle(peers: usize) -> Net {
    let mut net = Net::new(peers);
    for a in 0..peers {
        for b in a + 1..peers {
            net.connect(a, b);
        }
    }
    net.run();
    net
}

/// A message every six seconds, from one after the other of `speakers`; returns the announcements that they took.
fn chat(net: &mut Net, speakers: usize, numbers: core::ops::Range<u64>) -> u64 {
    let before = net.traffic.count_of("offer");
    for number in numbers {
        net.add_own(number as usize % speakers, &sample(number));
        net.run();
        net.wait(Duration::from_secs(6));
        net.run();
    }
    net.traffic.count_of("offer") - before
}

fn all_hold(net: &Net, number: u64) -> bool {
    let id = sample(number).id;
    net.peers.iter().all(|peer| peer.router.holds(&id))
}

#[test]
fn in_a_huddle_most_links_fall_silent_and_nothing_is_lost() {
    let mut net = huddle(7);
    let first = chat(&mut net, 1, 0..20);
    chat(&mut net, 1, 20..100);
    let later = chat(&mut net, 1, 100..120);
    // Of 21 links 6 suffice for each message. Both ends of most links told of it at first.
    assert!(first > 20 * 10, "{first}");
    assert!(later < 20 * 9, "{later}; {first} at first");
    net.wait(Duration::from_secs(80));
    net.run();
    assert!((0..120).all(|number| all_hold(&net, number)));
}

#[test]
fn along_a_line_everything_is_announced_at_once() {
    let mut net = Net::new(6);
    for peer in 1..6 {
        net.connect(peer - 1, peer);
    }
    net.run();
    for number in 0..60 {
        net.add_own(number as usize % 6, &sample(number));
        net.run();
        assert!(all_hold(&net, number), "{number}");
        net.wait(Duration::from_secs(6));
    }
}

#[test]
fn who_loses_the_neighbours_that_told_it_hears_from_the_one_that_is_left() {
    for other in 1..7 {
        let mut net = huddle(7);
        chat(&mut net, 7, 0..40);
        // These two have only each other from now on.
        let links: Vec<(usize, usize)> = net.links.keys().copied().collect();
        for (a, b) in links {
            let stays = |end| end == 0 || end == other;
            if stays(a) != stays(b) {
                net.disconnect(a, b);
            }
        }
        let holds = |net: &Net, number: u64| net.peers[other].router.holds(&sample(number).id);
        net.add_own(0, &sample(100));
        net.run();
        assert!(holds(&net, 100), "{other}");
    }
}

fn of_nothing() -> Digest {
    Digest {
        fingerprint: vec![0; 16],
        ..Digest::default()
    }
}

/// A neighbour that has opened a reconciliation, and tells again and again what is known.
fn bored_neighbour() -> Victim {
    let mut victim = Victim::new(Config::default(), 5, false);
    victim.say(Body::Digest(of_nothing())).unwrap();
    victim.hear();
    let ids: Vec<u64> = (0..5)
        .map(|number| ShortId::of(&SALT, &sample(number).id).get())
        .collect();
    let settled = false;
    victim.say(Body::Offer(Offer { ids, settled })).unwrap();
    victim.hear();
    victim
}

fn add_own(victim: &mut Victim, number: u64) -> u64 {
    let new = sample(number);
    let (now, router) = (victim.now, &mut victim.peer.router);
    router.add_own(now, new.id, new.header, new.size).unwrap();
    victim.peer.settle();
    ShortId::of(&SALT, &new.id).get()
}

fn offered(bodies: &[Body]) -> Vec<u64> {
    let offers = bodies.iter().filter_map(|body| match body {
        Body::Offer(offer) => Some(offer.ids.clone()),
        _ => None,
    });
    offers.flatten().collect()
}

#[test]
fn who_waits_for_the_other_end_to_compare_does_not_wait_for_ever() {
    let mut victim = bored_neighbour();
    let waiting = add_own(&mut victim, 10);
    assert!(offered(&victim.hear()).is_empty());
    let due = victim.peer.router.poll_timeout();
    assert!(due <= victim.now.after(Duration::from_secs(75)));
    victim.wait(Duration::from_secs(75));
    assert_eq!(offered(&victim.hear()), [waiting]);
    // It was needed: the next is announced at once.
    let ids = vec![waiting];
    victim.say(Body::Want(Want { ids })).unwrap();
    victim.hear();
    let next = add_own(&mut victim, 11);
    assert_eq!(offered(&victim.hear()), [next]);
}

#[test]
fn what_the_neighbour_tells_in_the_meantime_is_not_told_to_it() {
    let mut victim = bored_neighbour();
    let waiting = add_own(&mut victim, 10);
    let (ids, settled) = (vec![waiting], false);
    victim.say(Body::Offer(Offer { ids, settled })).unwrap();
    victim.wait(Duration::from_secs(75));
    assert!(offered(&victim.hear()).is_empty());
    assert!(victim.peer.router.poll_timeout() > victim.now);
}
