//! The last copy is taken by its recipient, and by others of their own choice, who carry it on.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::{Config, Copies, Misbehaviour, Share};
use chappe_wire::proto::{TagOffer, Take, frame::Body};
use chappe_wire::{Age, Duration, ShortId, Tag};
use common::{LINK, Net, SALT, Sample, Victim, sample};
use proptest::prelude::*;

/// Messages have one copy from the start, and are shown at once.
fn pulling(share: Share) -> SprayAndPull {
    SprayAndPull {
        copies: Copies::new(1),
        share,
        doubling: Duration::from_minutes(15),
    }
}

fn net(peers: usize, policy: SprayAndPull) -> Net {
    Net::with(peers, Config::default(), move || Box::new(policy))
}

fn victim(policy: SprayAndPull) -> Victim {
    let mut victim = Victim::new(Config::default(), 0, false);
    victim.peer = net(1, policy).peers.remove(0);
    victim.link_up(LINK, false, 1, false);
    victim
}

fn offer(samples: &[Sample]) -> Body {
    Body::TagOffer(TagOffer {
        tags: tags(samples),
        ids: samples
            .iter()
            .map(|sample| ShortId::of(&SALT, &sample.id).get())
            .collect(),
        age_minutes: samples.iter().map(|_| 0).collect(),
    })
}

fn tags(samples: &[Sample]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| *sample.header.tag.as_bytes())
        .collect()
}

fn taken(bodies: &[Body]) -> Vec<u8> {
    let takes = bodies.iter().filter_map(|body| match body {
        Body::Take(Take { tags }) => Some(tags.clone()),
        _ => None,
    });
    takes.flatten().collect()
}

fn holders(net: &Net) -> Vec<usize> {
    let peers = net.peers.iter().enumerate();
    let holding = peers.filter(|(_, peer)| !peer.items.is_empty());
    holding.map(|(number, _)| number).collect()
}

/// Everyone meets peer 0 once.
fn meet_all(net: &mut Net) {
    for other in 1..net.peers.len() {
        net.connect(0, other);
        net.run();
        net.disconnect(0, other);
    }
}

#[test]
fn a_share_of_the_nodes_takes_what_is_shown_and_carries_it() {
    let mut net = net(101, pulling(Share::per_mille(200)));
    net.add_own(0, &sample(1));
    meet_all(&mut net);
    let takers = holders(&net).len() - 1;
    assert!((10..=32).contains(&takers), "{takers} of 100");
    assert_eq!(net.traffic.transfers.len(), takers);
    let copies = net.peers.iter().flat_map(|peer| peer.items.values());
    assert!(copies.into_iter().all(|item| item.copies == Copies::new(1)));
    // The same nodes again: each has drawn its lot for this message.
    meet_all(&mut net);
    assert_eq!(net.traffic.transfers.len(), takers);
    // It is old by now, and more take it; in the end all.
    let mut last = takers;
    for _ in 0..2 {
        net.wait(Duration::from_minutes(18));
        meet_all(&mut net);
        let now = holders(&net).len() - 1;
        assert!(now > last, "{now}, {last} before");
        last = now;
    }
    net.wait(Duration::from_minutes(15));
    meet_all(&mut net);
    assert_eq!(holders(&net).len(), 101);
}

#[test]
fn who_takes_something_for_itself_asks_like_who_does_not() {
    let messages: Vec<Sample> = (1..=40).map(sample).collect();
    let mut victim = victim(pulling(Share::per_mille(500)));
    victim.say(offer(&messages)).unwrap();
    // The person here is the recipient of one that would not be taken otherwise.
    let by_lot = {
        let mut twin = self::victim(pulling(Share::per_mille(500)));
        twin.say(offer(&messages)).unwrap();
        taken(&twin.hear())
    };
    let is_taken = |sample: &&Sample| {
        let (chunks, _) = by_lot.as_chunks::<16>();
        chunks.contains(sample.header.tag.as_bytes())
    };
    let own = messages.iter().find(|message| !is_taken(message)).unwrap();
    victim.peer.router.take(LINK, [own.header.tag]);
    let said = victim.hear();
    assert_eq!(said.len(), 1, "one frame");
    let said = taken(&said);
    assert_eq!(said.len(), by_lot.len() + Tag::LEN);
    // In the order of the tags: its place in the frame says nothing.
    let (chunks, _) = said.as_chunks::<16>();
    assert!(chunks.is_sorted());
    assert!(chunks.contains(own.header.tag.as_bytes()));
}

#[test]
fn what_was_here_or_comes_from_elsewhere_is_not_taken() {
    let mut net = net(4, pulling(Share::ALL));
    let message = sample(1);
    net.add_own(0, &message);
    net.connect(0, 1);
    net.connect(0, 2);
    net.run();
    assert_eq!(holders(&net), [0, 1, 2]);
    // 3 meets all three holders at once.
    for other in [0, 1, 2] {
        net.connect(3, other);
    }
    net.run();
    assert_eq!(holders(&net), [0, 1, 2, 3]);
    assert_eq!(net.traffic.transfers.len(), 3);
    // 3 lets it go, and does not want it again.
    net.disconnect(3, 1);
    let now = net.now;
    assert!(net.peers[3].router.discard(now, &message.id));
    net.peers[3].settle();
    net.connect(3, 1);
    net.run();
    assert_eq!(net.traffic.transfers.len(), 3);
}

#[test]
fn the_recipient_takes_what_nobody_else_would() {
    let mut net = net(3, pulling(Share::NONE));
    let message = sample(1);
    net.add_own(0, &message);
    net.connect(0, 1);
    net.run();
    assert_eq!(holders(&net), [0]);
    let link = net.links[&(0, 1)];
    net.peers[1].router.take(link, [message.header.tag]);
    net.run();
    // And carries it on like anyone.
    assert_eq!(holders(&net), [0, 1]);
    net.connect(1, 2);
    net.run();
    assert_eq!(net.peers[2].tags_shown, [message.header.tag]);
}

#[test]
fn of_ones_own_relay_one_takes_ones_own() {
    for (policy, expected) in [
        (pulling(Share::per_mille(999)), vec![0]),
        (SprayAndPull::RELAYS, vec![0, 1]),
    ] {
        let mut net = net(2, policy);
        // A budget of one, whatever the policy.
        net.peers[0] = common::Peer::new(Config::default(), Box::new(pulling(Share::NONE)));
        net.add_own(0, &sample(1));
        net.connect_as(0, 1, true);
        net.run();
        assert_eq!(holders(&net), expected);
    }
}

#[test]
fn tags_without_ids_or_ages_come_from_no_honest_neighbour() {
    let whole = TagOffer {
        tags: vec![1; 32],
        ids: vec![1, 2],
        age_minutes: vec![0, 0],
    };
    let broken = [
        TagOffer {
            tags: vec![1; 33],
            ..whole.clone()
        },
        TagOffer {
            ids: vec![1],
            ..whole.clone()
        },
        TagOffer {
            age_minutes: Vec::new(),
            ..whole.clone()
        },
    ];
    for offer in broken {
        let said = victim(SprayAndPull::PHONES).say(Body::TagOffer(offer));
        assert_eq!(said, Err(Misbehaviour::Tags));
    }
    assert_eq!(
        victim(SprayAndPull::PHONES).say(Body::TagOffer(whole)),
        Ok(())
    );
}

#[test]
fn a_flood_of_tags_is_bounded() {
    let mut victim = victim(pulling(Share::ALL));
    for frame in 0..40 {
        let samples: Vec<Sample> = (0..200).map(|n| sample(frame * 200 + n)).collect();
        victim.say(offer(&samples)).unwrap();
    }
    let taken = taken(&victim.hear()).len() / Tag::LEN;
    assert_eq!(taken, chappe_gossip::MAX_WANTS);
}

#[test]
fn the_share_grows_with_age() {
    let share = |minutes: u64| {
        let age = Age::from_duration(Duration::from_minutes(minutes));
        SprayAndPull::PHONES.share_at(age).as_f64()
    };
    assert!((share(0) - 0.05).abs() < 1e-6);
    assert!((share(15) - 0.1).abs() < 1e-6);
    assert!(share(60) > 0.79);
    assert!((share(30 * 24 * 60) - 1.0).abs() < 1e-9);
    let forever = Age::from_duration(Duration::from_minutes(30 * 24 * 60));
    assert_eq!(SprayAndPull::SELECTIVE.share_at(forever), Share::NONE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nobody_is_handed_a_message_twice(
        script in prop::collection::vec((0usize..8, 0usize..8, 0u64..30), 1..60),
    ) {
        let mut net = net(8, SprayAndPull { copies: Copies::new(3), ..pulling(Share::per_mille(300)) });
        net.add_own(0, &sample(1));
        for (a, b, minutes) in script {
            if a == b {
                continue;
            }
            net.connect(a, b);
            net.run();
            net.disconnect(a, b);
            net.wait(Duration::from_minutes(minutes));
            let budget: u32 = net.peers.iter().flat_map(|peer| peer.items.values())
                .map(|item| item.copies.count()).sum();
            // Who takes by choice adds a copy; nothing else does.
            prop_assert!(budget as usize >= holders(&net).len());
            prop_assert!(budget <= 3 + 7);
        }
        prop_assert_eq!(net.traffic.transfers.len() + 1, holders(&net).len());
        prop_assert!(net.traffic.transfers.values().all(|count| *count == 1));
    }
}
