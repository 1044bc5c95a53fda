//! The last copy is taken by its recipient, and by others of their own choice, who carry it on.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::policy::Policy as _;
use chappe_gossip::policy::Surroundings;
use chappe_gossip::{Config, Copies, Ingress, LinkSetup, Misbehaviour};
use chappe_wire::proto::{Digest, TagOffer, Take, Want, frame::Body};
use chappe_wire::{Age, Duration, LinkId, ShortId, Tag};
use common::{LINK, Net, SALT, Sample, Victim, sample};
use proptest::prelude::*;

/// Messages have one copy from the start, and are shown at once.
fn pulling(cover: u32) -> SprayAndPull {
    SprayAndPull {
        copies: Copies::new(1),
        cover,
        doubling: Duration::from_minutes(15),
    }
}

fn net(peers: usize, policy: SprayAndPull) -> Net {
    Net::with(peers, Config::default(), move || Box::new(policy))
}

fn victim(policy: SprayAndPull) -> Victim {
    Victim::with(Config::default(), 0, false, || Box::new(policy))
}

/// It has met 18 others.
fn in_a_crowd(policy: SprayAndPull) -> Victim {
    in_a_crowd_with(Config::default(), policy)
}

fn in_a_crowd_with(config: Config, policy: SprayAndPull) -> Victim {
    let mut victim = Victim::with(config, 0, false, || Box::new(policy));
    for other in 2..=18 {
        victim.link_up(LinkId::new(other), false, other, false);
    }
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

/// Everyone has met `crowd` others; then all meet the first, one after the other.
fn meet_all(net: &mut Net, crowd: u64) {
    meet_strangers(net, crowd);
    for other in 1..net.peers.len() {
        net.connect(0, other);
        net.run();
        net.disconnect(0, other);
    }
}

fn meet_strangers(net: &mut Net, crowd: u64) {
    for other in 0..net.peers.len() {
        let link = |stranger| LinkId::new(1_000_000 + stranger);
        let now = net.now;
        let router = &mut net.peers[other].router;
        for stranger in 0..crowd {
            let setup = LinkSetup {
                opener: false,
                salt: SALT,
                pinned: false,
                ingress: Ingress::new(1_000 + stranger),
            };
            router.link_up(now, link(stranger), setup);
        }
        for stranger in 0..crowd {
            router.link_down(now, link(stranger));
        }
    }
    net.wait(Duration::from_minutes(1));
}

#[test]
fn of_many_who_are_shown_it_a_few_take_it_and_carry_it() {
    let mut net = net(101, pulling(20));
    net.add_own(0, &sample(1));
    // It is two minutes old when the last of them sees it.
    meet_all(&mut net, 99);
    let takers = holders(&net).len() - 1;
    assert!((10..=35).contains(&takers), "{takers} of 100");
    assert_eq!(net.traffic.transfers.len(), takers);
    let copies = net.peers.iter().flat_map(|peer| peer.items.values());
    assert!(copies.into_iter().all(|item| item.copies == Copies::new(1)));
    // The same nodes again: each has drawn its lot for this message.
    meet_all(&mut net, 99);
    let again = holders(&net).len() - 1;
    assert!(again <= takers + 6, "{again}, {takers} before");
    // It is old by now, and more take it; in the end all.
    let mut last = again;
    for _ in 0..2 {
        net.wait(Duration::from_minutes(16));
        meet_all(&mut net, 99);
        let now = holders(&net).len() - 1;
        assert!(now > last, "{now}, {last} before");
        last = now;
    }
    net.wait(Duration::from_minutes(15));
    meet_all(&mut net, 99);
    assert_eq!(holders(&net).len(), 101);
}

#[test]
fn who_meets_few_takes_all() {
    let mut net = net(30, pulling(9));
    net.add_own(0, &sample(1));
    // A chain of nodes that stand still: nobody has more than two neighbours.
    for peer in 0..29 {
        net.connect(peer, peer + 1);
    }
    net.run();
    assert_eq!(holders(&net).len(), 30);
}

#[test]
fn where_all_take_it_is_offered_and_in_a_crowd_its_tag_is_shown() {
    for (crowd, offered) in [(0, true), (8, true), (60, false)] {
        let mut net = net(2, pulling(9));
        net.add_own(0, &sample(1));
        meet_all(&mut net, crowd);
        let shown = net.traffic.count_of("tag offer") > 0;
        assert_eq!(shown, !offered, "{crowd} met");
        // What is offered costs fewer bytes, and the neighbour takes it.
        assert!(!offered || holders(&net) == [0, 1]);
    }
    // Without cover only the recipient takes it, wherever that is.
    let mut net = net(2, pulling(0));
    net.add_own(0, &sample(1));
    meet_all(&mut net, 0);
    assert_eq!(net.traffic.count_of("tag offer"), 1);
}

#[test]
fn what_was_offered_before_the_crowd_came_is_shown_from_then_on() {
    let mut victim = victim(pulling(9));
    let message = sample(1);
    let size = chappe_wire::ByteCount::new(546);
    let nothing = Digest {
        fingerprint: vec![0; 16],
        ..Digest::default()
    };
    victim.say(Body::Digest(nothing)).unwrap();
    victim.hear();
    let router = &mut victim.peer.router;
    router
        .add_own(victim.now, message.id, message.header, size)
        .unwrap();
    let short = ShortId::of(&SALT, &message.id).get();
    let offered = |body: &Body| matches!(body, Body::Offer(offer) if offer.ids == [short]);
    assert!(victim.hear().iter().any(offered));
    for other in 2..=60 {
        victim.link_up(LinkId::new(other), false, other, false);
    }
    victim.say(Body::Want(Want { ids: vec![short] })).unwrap();
    let said = victim.hear();
    let [Body::Cancel(cancel), Body::TagOffer(shown)] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_eq!((&cancel.ids, &shown.ids), (&vec![short], &vec![short]));
    let tags = tags(&[message]);
    victim.say(Body::Take(Take { tags })).unwrap();
    assert!(matches!(victim.hear().as_slice(), [Body::Transfer(_)]));
}

#[test]
fn who_takes_something_for_itself_asks_like_who_does_not() {
    let messages: Vec<Sample> = (1..=40).map(sample).collect();
    let mut victim = in_a_crowd(pulling(9));
    victim.say(offer(&messages)).unwrap();
    // The person here is the recipient of one that would not be taken otherwise.
    let by_lot = {
        let mut twin = in_a_crowd(pulling(9));
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
    let mut net = net(4, pulling(u32::MAX));
    let message = sample(1);
    net.add_own(0, &message);
    // In a crowd, where tags are shown.
    meet_strangers(&mut net, 60);
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
    let mut net = net(3, pulling(0));
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
        (pulling(9), vec![0, 2]),
        (SprayAndPull::RELAYS, vec![0, 1, 2]),
    ] {
        let mut net = net(3, policy);
        // A budget of one, whatever the policy.
        net.peers[2] = common::Peer::new(Config::default(), Box::new(pulling(0)));
        net.peers[0] = common::Peer::new(Config::default(), Box::new(SprayAndPull::RELAYS));
        net.add_own(2, &sample(1));
        net.connect(2, 0);
        net.run();
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
    let mut victim = victim(pulling(u32::MAX));
    for frame in 0..40 {
        let samples: Vec<Sample> = (0..200).map(|n| sample(frame * 200 + n)).collect();
        victim.say(offer(&samples)).unwrap();
    }
    let taken = taken(&victim.hear()).len() / Tag::LEN;
    assert_eq!(taken, chappe_gossip::MAX_WANTS);
}

#[test]
fn the_share_shrinks_with_the_crowd_and_grows_with_age() {
    let share = |policy: SprayAndPull, met: u32, minutes: u64| {
        let age = Age::from_duration(Duration::from_minutes(minutes));
        policy.share_at(age, &Surroundings::of(met)).as_f64()
    };
    let phones = |met, minutes| share(SprayAndPull::PHONES, met, minutes);
    assert!((phones(9, 0) - 1.0).abs() < 1e-6);
    assert!((phones(90, 0) - 0.1).abs() < 1e-6);
    assert!((phones(90, 60) - 0.2).abs() < 1e-6);
    assert!((phones(1_000_000, 0) - 0.02).abs() < 1e-6);
    let month = 30 * 24 * 60;
    assert!((phones(1_000_000, month) - 1.0).abs() < 1e-9);
    assert!(share(SprayAndPull::SELECTIVE, 0, month) < 1e-9);
    assert!((share(SprayAndPull::RELAYS, 1_000, 0) - 1.0).abs() < 1e-9);
}

/// No more than one in ten who take what is shown is its recipient, wherever all are met sooner or later.
#[test]
fn the_cover_holds_however_many_there_are() {
    for met in [1, 9, 10, 100, 450] {
        let share = SprayAndPull::PHONES
            .share_at(Age::NEW, &Surroundings::of(met))
            .as_f64();
        let others = f64::from(met - 1);
        assert!(
            1.0 / (1.0 + others * share) <= 0.101 || met <= 10,
            "{met} met"
        );
    }
}

#[test]
fn without_room_there_is_cover_and_no_more() {
    let crowd = Surroundings::of(100);
    let full = crowd.without_room();
    let budget = |policy: SprayAndPull, at: &Surroundings| policy.initial_copies(at).count();
    assert_eq!(budget(SprayAndPull::PHONES, &crowd), 16);
    // Who writes little begins with more copies than ever, so that junk does not outnumber them.
    assert_eq!(budget(SprayAndPull::PHONES, &full), 64);
    let full = full.writing(true);
    assert_eq!(budget(SprayAndPull::PHONES, &full), 1);
    // Without cover nobody else carries it.
    assert_eq!(budget(SprayAndPull::SELECTIVE, &full), 20);

    // Who has had to let something go takes no more of what is old than of what is new, for an hour.
    let old: Vec<Sample> = (1_000..1_400).map(sample).collect();
    let mut policy = SprayAndPull::PHONES;
    policy.cover = 1;
    let taken_of = |victim: &mut Victim| {
        for some in old.chunks(50) {
            let mut body = offer(some);
            if let Body::TagOffer(offer) = &mut body {
                offer.age_minutes = some.iter().map(|_| 180).collect();
            }
            victim.say(body).unwrap();
        }
        taken(&victim.hear()).len() / Tag::LEN
    };
    let mut roomy = in_a_crowd(policy);
    let mut short = in_a_crowd_with(config(16), policy);
    let link = |n: u64| LinkId::new(100 + n);
    for n in 0..40 {
        short.link_up(link(n), false, 100 + n, false);
        short.bring(link(n), &sample(n), Age::NEW);
        let now = short.now;
        short.peer.router.link_down(now, link(n));
    }
    assert!(short.peer.router.stats().dropped_quota > 0);
    let (many, few) = (taken_of(&mut roomy), taken_of(&mut short));
    assert!(many > 3 * few && few > 0, "{many}, {few} without room");
    // Of 8,736 bytes a 64th is 136.
    assert_eq!(own_copies(&mut short, 2_000, 100), 64);
    assert_eq!(own_copies(&mut short, 2_001, 100), 1);
    short.wait(Duration::from_minutes(61));
    assert_eq!(own_copies(&mut short, 2_002, 100), 16);
}

#[test]
fn who_floods_makes_nobody_spread_less() {
    let mut victim = in_a_crowd_with(config(16), SprayAndPull::PHONES);
    for n in 0..40 {
        victim.bring(LINK, &sample(n), Age::NEW);
        victim.wait(Duration::from_secs(60));
    }
    assert!(victim.peer.router.stats().dropped_quota > 0);
    assert_eq!(own_copies(&mut victim, 2_000, 200), 16);
}

fn config(items: u64) -> Config {
    Config {
        capacity: chappe_wire::ByteCount::new(items * 546),
        ..Config::default()
    }
}

/// The budget of what is written there.
fn own_copies(victim: &mut Victim, number: u64, size: u64) -> u32 {
    let own = sample(number);
    let size = chappe_wire::ByteCount::new(size);
    let router = &mut victim.peer.router;
    router
        .add_own(victim.now, own.id, own.header, size)
        .unwrap();
    router.item(&own.id).unwrap().copies.count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nobody_is_handed_a_message_twice(
        script in prop::collection::vec((0usize..8, 0usize..8, 0u64..30), 1..60),
    ) {
        let mut net = net(8, SprayAndPull { copies: Copies::new(3), ..pulling(2) });
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
