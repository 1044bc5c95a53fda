//! A receipt frees every holder and reaches the sender; a forged one does nothing.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::{DropReason, Full};
use chappe_wire::proto::frame::Body;
use chappe_wire::proto::{Offer, Receipts, Want};
use chappe_wire::{Age, Duration, Lifetime, LinkId, Preimage, ShortId, encode_frame};
use common::{LINK, Net, SALT, Victim, commitment_of, sample};

fn line(peers: usize) -> Net {
    let mut net = Net::new(peers);
    for peer in 1..peers {
        net.connect(peer - 1, peer);
    }
    net
}

#[test]
fn it_purges_everywhere_and_tells_the_sender() {
    let mut net = line(6);
    let (message, other) = (sample(1), sample(2));
    net.add_own(0, &message);
    net.add_own(0, &other);
    net.run();
    let now = net.now;
    net.peers[5]
        .router
        .add_receipt(now, message.preimage, message.header.lifetime);
    net.peers[5].settle();
    net.run();
    for peer in &net.peers {
        assert!(!peer.router.holds(&message.id));
        assert!(peer.router.holds(&other.id));
        assert_eq!(peer.dropped.get(&message.id), Some(&DropReason::Receipted));
        assert!(peer.seen.contains_key(&message.id));
    }
    assert_eq!(net.peers[0].delivered, [message.id]);
    assert!(net.peers[1..].iter().all(|peer| peer.delivered.is_empty()));
}

#[test]
fn it_goes_first_and_stops_the_envelope_on_its_way() {
    let mut net = Net::new(2);
    for number in 0..200 {
        net.add_own(0, &sample(number));
        if number < 100 {
            net.add_own(1, &sample(number));
        }
    }
    // What 1 still lacks was delivered long ago: 0 has only the receipt for it.
    let now = net.now;
    for number in 100..200 {
        let message = sample(number);
        net.peers[0]
            .router
            .add_receipt(now, message.preimage, message.header.lifetime);
    }
    // And one that both hold.
    let both = sample(0);
    net.peers[0]
        .router
        .add_receipt(now, both.preimage, both.header.lifetime);
    net.peers[0].settle();
    net.connect(0, 1);
    net.run();
    assert!(net.traffic.transfers.is_empty());
    assert!(!net.peers[1].router.holds(&both.id));
    assert_eq!(net.peers[1].receipts.len(), 101);
    // Later carriers of the envelopes are turned away by the receipts.
    let mut late = Victim::new(chappe_gossip::Config::default(), 0, false);
    let message = sample(150);
    late.peer
        .router
        .add_receipt(late.now, message.preimage, Lifetime::WEEK);
    late.peer.settle();
    assert!(!late.bring(common::LINK, &message, Age::NEW));
    assert_eq!(late.peer.router.stats().refused_known, 1);
    let again = late
        .peer
        .router
        .add_own(late.now, message.id, message.header, message.size);
    assert_eq!(again, Err(Full::Known));
}

#[test]
fn it_goes_before_the_envelopes() {
    let mut victim = Victim::new(chappe_gossip::Config::default(), 50, false);
    for number in 100..105 {
        let (now, preimage) = (victim.now, sample(number).preimage);
        victim
            .peer
            .router
            .add_receipt(now, preimage, Lifetime::WEEK);
    }
    victim.peer.settle();
    let items = (0..50).map(|number| sample(number).id);
    let receipts = (100..105).map(|number| commitment_of(number).receipt_id());
    let ids = items
        .chain(receipts)
        .map(|id| ShortId::of(&SALT, &id).get());
    let ids = ids.collect();
    victim.say(Body::Want(Want { ids })).unwrap();
    let said = victim.hear();
    let Some(Body::Receipts(first)) = said.first() else {
        panic!("{said:?}");
    };
    assert_eq!(first.age_minutes.len(), 5);
    assert_eq!(said.len(), 1 + 50);
}

fn bring_receipt(victim: &mut Victim, preimage: Preimage, age: u32) {
    let id = preimage.commitment().receipt_id();
    let ids = vec![ShortId::of(&SALT, &id).get()];
    victim
        .say(Body::Offer(Offer {
            ids,
            settled: false,
        }))
        .unwrap();
    victim.hear();
    let receipts = Receipts {
        preimages: preimage.as_bytes().to_vec(),
        age_minutes: vec![age],
    };
    victim.say(Body::Receipts(receipts)).unwrap();
}

#[test]
fn a_forged_one_does_nothing() {
    let mut victim = Victim::new(chappe_gossip::Config::default(), 50, false);
    for number in 0..50 {
        // All but one bit right; the commitment itself; nothing at all.
        let genuine = *sample(number).preimage.as_bytes();
        let mut flipped = genuine;
        flipped[number as usize % 16] ^= 1 << (number % 8);
        bring_receipt(&mut victim, Preimage::new(flipped), 0);
        let commitment = *sample(number).header.commitment.as_bytes();
        bring_receipt(&mut victim, Preimage::new(commitment), 0);
    }
    assert_eq!(victim.peer.items.len(), 50);
    assert!(victim.peer.dropped.is_empty() && victim.peer.delivered.is_empty());
    bring_receipt(&mut victim, sample(7).preimage, 0);
    assert_eq!(victim.peer.delivered, [sample(7).id]);
}

#[test]
fn one_that_nobody_asked_for_is_passed_over() {
    let mut victim = Victim::new(chappe_gossip::Config::default(), 5, false);
    let receipts = Receipts {
        preimages: sample(1).preimage.as_bytes().to_vec(),
        age_minutes: vec![0],
    };
    victim.say(Body::Receipts(receipts)).unwrap();
    assert!(victim.peer.router.holds(&sample(1).id));
    assert_eq!(victim.peer.router.stats().unsolicited, 1);
}

#[test]
fn it_lives_as_long_as_its_envelope_could() {
    let mut victim = Victim::new(chappe_gossip::Config::default(), 5, false);
    // Known here: one week. Unknown: thirty days.
    bring_receipt(&mut victim, sample(1).preimage, 60);
    bring_receipt(&mut victim, sample(1_000).preimage, 60);
    assert_eq!(victim.peer.receipts.len(), 2);
    victim.wait(Duration::from_hours(7 * 24 - 1));
    assert_eq!(victim.peer.receipts.len(), 1);
    victim.wait(Duration::from_days(23));
    assert_eq!(victim.peer.receipts.len(), 0);
    // One that claims to be past its time is not carried, but frees its envelope no less.
    let mut victim = Victim::new(chappe_gossip::Config::default(), 5, false);
    bring_receipt(&mut victim, sample(3).preimage, Age::MAX_MINUTES);
    assert_eq!(victim.peer.receipts.len(), 0);
}

const MAX: u64 = 4_000;

fn narrow() -> chappe_gossip::Config {
    chappe_gossip::Config {
        max_receipts: MAX as usize,
        ..Default::default()
    }
}

/// Unknown receipts, 250 in a frame.
fn flood(victim: &mut Victim, link: LinkId, numbers: core::ops::Range<u64>) {
    let all: Vec<Preimage> = numbers.map(|n| sample(n).preimage).collect();
    for batch in all.chunks(250) {
        let short = |p: &Preimage| ShortId::of(&SALT, &p.commitment().receipt_id()).get();
        let ids = batch.iter().map(short).collect();
        let offer = encode_frame(Body::Offer(Offer {
            ids,
            settled: false,
        }));
        let router = &mut victim.peer.router;
        let _ = router.handle_frame(victim.now, link, &offer).unwrap();
        while router.poll_frame(victim.now, link).is_some() {}
        let receipts = encode_frame(Body::Receipts(Receipts {
            preimages: batch.iter().flat_map(|p| *p.as_bytes()).collect(),
            age_minutes: vec![0; batch.len()],
        }));
        let _ = router.handle_frame(victim.now, link, &receipts).unwrap();
        victim.wait(Duration::from_secs(1));
    }
}

#[test]
fn one_that_was_seen_here_outlives_a_flood_of_unknown_ones() {
    let mut victim = Victim::new(narrow(), 20, false);
    for number in 0..10 {
        bring_receipt(&mut victim, sample(number).preimage, 0);
    }
    // As many as one ingress may bring, and more.
    let limit = MAX / 4;
    flood(&mut victim, LINK, 1_000..1_500 + limit);
    assert_eq!(victim.peer.receipts.len() as u64, 10 + limit);
    assert_eq!(victim.peer.router.stats().receipts_refused, 500);
    // There is room for those that matter here.
    for number in 10..20 {
        bring_receipt(&mut victim, sample(number).preimage, 0);
        assert!(!victim.peer.router.holds(&sample(number).id));
    }
    assert_eq!(victim.peer.receipts.len() as u64, 20 + limit);
}

#[test]
fn when_there_is_no_room_the_largest_crowd_of_unknown_ones_yields() {
    let mut victim = Victim::new(narrow(), 20, false);
    bring_receipt(&mut victim, sample(0).preimage, 0);
    let limit = MAX / 4;
    for ingress in 2..6 {
        let link = LinkId::new(ingress);
        victim.link_up(link, false, ingress, false);
        let first = ingress * 100_000;
        flood(&mut victim, link, first..first + limit);
    }
    assert_eq!(victim.peer.receipts.len() as u64, MAX);
    let from = |victim: &Victim, ingress| {
        let receipts = victim.peer.receipts.values();
        receipts.filter(|r| r.ingress.number() == ingress).count() as u64
    };
    // The last of the four found one place taken, and took it from the largest.
    assert_eq!((2..6).map(|i| from(&victim, i)).sum::<u64>(), MAX - 1);
    let small = LinkId::new(9);
    victim.link_up(small, false, 9, false);
    flood(&mut victim, small, 5_000_000..5_000_100);
    assert_eq!(from(&victim, 9), 100);
    for number in 1..20 {
        bring_receipt(&mut victim, sample(number).preimage, 0);
    }
    assert_eq!(victim.peer.receipts.len() as u64, MAX);
    assert_eq!(victim.peer.delivered.len(), 20);
    assert_eq!(from(&victim, 9), 100);
    assert_eq!(from(&victim, 1), 20);
    victim.peer.check();
}
