//! Who runs out of room lets go first of what has spread the most.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::{MeasuredSpray, SprayAndPull};
use chappe_gossip::{Config, Copies, OutFrame};
use chappe_wire::proto::{Offer, Take, Want, frame::Body};
use chappe_wire::{Age, ByteCount, Duration, LinkId, ShortId};
use common::{LINK, Net, SALT, Victim, sample};

const SIZE: u64 = 546;
const FRESH: Copies = Copies::new(8);
const LAST: Copies = Copies::new(1);

fn config(items: u64) -> Config {
    Config {
        capacity: ByteCount::new(items * SIZE),
        ..Config::default()
    }
}

fn victim(room: u64, own: u64) -> Victim {
    Victim::with(config(room), own, true, || {
        Box::new(MeasuredSpray::default())
    })
}

/// The default of phones, which makes room by the same measure.
fn phone(room: u64, own: u64) -> Victim {
    Victim::with(config(room), own, true, || Box::new(SprayAndPull::PHONES))
}

/// Three items from each of some neighbours: how many are held of each afterwards is within everyone's share.
fn bring_threes(victim: &mut Victim, ingresses: std::ops::Range<u64>, copies: Copies) -> Vec<u64> {
    let mut numbers = Vec::new();
    for ingress in ingresses {
        let link = LinkId::new(100 + ingress);
        victim.link_up(link, false, 100 + ingress, false);
        for n in 0..3 {
            let number = 1_000 * (ingress + 1) + n;
            assert!(victim.bring_copies(link, &sample(number), Age::NEW, copies));
            numbers.push(number);
        }
        victim.peer.router.link_down(victim.now, link);
    }
    numbers
}

fn held(victim: &Victim, numbers: &[u64]) -> usize {
    let held = |n: &&u64| victim.peer.router.holds(&sample(**n).id);
    numbers.iter().filter(held).count()
}

#[test]
fn what_has_spread_the_most_makes_room() {
    for mut victim in [victim(60, 6), phone(60, 6)] {
        what_has_spread_makes_room_at(&mut victim);
    }
}

fn what_has_spread_makes_room_at(victim: &mut Victim) {
    let fresh = bring_threes(victim, 0..9, FRESH);
    let spread = bring_threes(victim, 9..18, LAST);
    assert_eq!((held(victim, &fresh), held(victim, &spread)), (27, 27));
    let later = bring_threes(victim, 18..25, FRESH);
    assert_eq!((held(victim, &fresh), held(victim, &later)), (27, 21));
    assert_eq!(held(victim, &spread), 6);
    assert_eq!(held(victim, &[0, 1, 2, 3, 4, 5]), 6, "never own");
    assert_eq!(victim.peer.router.stats().dropped_quota, 21);
    victim.peer.check();
}

#[test]
fn a_flood_that_claims_few_copies_evicts_only_itself() {
    let mut victim = victim(60, 6);
    let honest = bring_threes(&mut victim, 0..10, LAST);
    victim.link_up(LinkId::new(7), false, 7, false);
    for number in 50_000..50_300 {
        let flood = Copies::new(u32::MAX);
        if !victim.bring_copies(LinkId::new(7), &sample(number), Age::NEW, flood) {
            victim.wait(Duration::from_secs(60));
        }
    }
    assert_eq!(held(&victim, &honest), 30);
    assert!(victim.peer.router.stats().dropped_quota > 0);
}

#[test]
fn each_neighbour_that_took_it_counts() {
    let mut net = Net::with(4, Config::default(), || Box::new(MeasuredSpray::default()));
    net.add_own(0, &sample(1));
    for peer in 1..=2 {
        net.connect(0, peer);
        net.run();
        net.disconnect(0, peer);
    }
    net.connect(1, 3);
    net.run();
    let item = |peer: usize| &net.peers[peer].items[&sample(1).id];
    let carriers = [0, 1, 2, 3].map(|peer| item(peer).carriers);
    let copies = [0, 1, 2, 3].map(|peer| item(peer).copies.count());
    assert_eq!((carriers, copies), ([2, 1, 0, 0], [4, 4, 4, 4]));
}

#[test]
fn what_was_chosen_by_its_tag_goes_first() {
    // Own ones are pushed; of the other only the tag is shown.
    let mut victim = victim(60, 3);
    victim.link_up(LinkId::new(2), false, 2, false);
    assert!(victim.bring_copies(LinkId::new(2), &sample(9), Age::NEW, LAST));
    victim.say(Body::Offer(Offer::default())).unwrap();
    while victim.peer.router.poll_frame(victim.now, LINK).is_some() {}
    let own = [0, 1, 2].map(|n| ShortId::of(&SALT, &sample(n).id).get());
    victim.say(Body::Want(Want { ids: own.into() })).unwrap();
    let tags = sample(9).header.tag.as_bytes().to_vec();
    victim.say(Body::Take(Take { tags })).unwrap();
    let mut order = Vec::new();
    while let Some(frame) = victim.peer.router.poll_frame(victim.now, LINK) {
        if let OutFrame::Envelope(handover) = frame {
            order.push(handover.id);
        }
    }
    assert_eq!(order.len(), 4);
    assert_eq!(order[0], sample(9).id);
}
