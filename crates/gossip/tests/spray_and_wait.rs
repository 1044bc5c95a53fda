//! Copy budgets: no more copies than the budget, and the last one for the recipient.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndWait;
use chappe_gossip::{Config, Copies};
use chappe_wire::Duration;
use chappe_wire::proto::{Take, frame::Body};
use common::{LINK, Net, Sample, Victim, sample};
use proptest::prelude::*;

fn spraying(peers: usize, copies: u32) -> Net {
    let copies = Copies::new(copies);
    Net::with(peers, Config::default(), move || {
        Box::new(SprayAndWait { copies })
    })
}

fn budget(net: &Net) -> u32 {
    let items = net.peers.iter().flat_map(|peer| peer.items.values());
    items.map(|item| item.copies.count()).sum()
}

fn carriers(net: &Net) -> usize {
    net.peers
        .iter()
        .filter(|peer| !peer.items.is_empty())
        .count()
}

#[test]
fn half_of_the_copies_go_along() {
    let mut net = spraying(3, 8);
    net.add_own(0, &sample(1));
    net.connect(0, 1);
    net.run();
    let copies = |net: &Net, peer: usize| net.peers[peer].items[&sample(1).id].copies.count();
    assert_eq!((copies(&net, 0), copies(&net, 1)), (4, 4));
    // They meet again: nothing to hand over.
    net.disconnect(0, 1);
    net.connect(1, 0);
    net.run();
    assert_eq!(net.traffic.transfers.len(), 1);
    net.connect(0, 2);
    net.run();
    assert_eq!((copies(&net, 0), copies(&net, 2)), (2, 2));
}

#[test]
fn the_last_copy_waits_for_who_knows_the_tag() {
    let mut net = spraying(3, 1);
    let message = sample(1);
    net.add_own(0, &message);
    net.connect(0, 1);
    net.connect(0, 2);
    net.run();
    assert_eq!(carriers(&net), 1);
    assert_eq!(net.peers[2].tags_shown, [message.header.tag]);
    // 2 is the recipient.
    let link = net.links[&(0, 2)];
    net.peers[2].router.take(link, [message.header.tag]);
    net.run();
    assert!(net.peers[2].router.holds(&message.id));
    assert!(net.peers[0].router.holds(&message.id));
    assert_eq!(net.traffic.count_of("transfer"), 1);
    // Once is enough, even if it asks again.
    net.peers[2].router.take(link, [message.header.tag]);
    net.run();
    assert_eq!(net.traffic.count_of("transfer"), 1);
}

#[test]
fn a_tag_that_was_not_shown_gets_nothing() {
    let mut victim = Victim::new(Config::default(), 0, false);
    victim.peer = spraying(1, 1).peers.remove(0);
    victim.link_up(LINK, false, 1, false);
    let (shown, unknown) = (sample(1), sample(2));
    let now = victim.now;
    let router = &mut victim.peer.router;
    router
        .add_own(now, shown.id, shown.header, shown.size)
        .unwrap();
    let take = |sample: &Sample| {
        Body::Take(Take {
            tags: sample.header.tag.as_bytes().to_vec(),
        })
    };
    // Neither what is not here, nor what is here and was not shown yet.
    victim.say(take(&unknown)).unwrap();
    victim.say(take(&shown)).unwrap();
    assert_eq!(victim.peer.router.stats().ignored, 2);
    assert!(matches!(victim.hear().as_slice(), [Body::TagOffer(_)]));
    victim.say(take(&shown)).unwrap();
    assert!(matches!(victim.hear().as_slice(), [Body::Transfer(_)]));
}

#[test]
fn a_budget_from_a_stranger_is_believed_up_to_a_bound() {
    let copies = Copies::new(8);
    let net = Net::with(1, Config::default(), move || {
        Box::new(SprayAndWait { copies })
    });
    let mut victim = Victim::new(Config::default(), 0, false);
    victim.peer = net.peers.into_iter().next().unwrap();
    victim.link_up(LINK, false, 1, false);
    assert!(victim.bring_copies(
        LINK,
        &sample(1),
        chappe_wire::Age::NEW,
        Copies::new(u32::MAX)
    ));
    assert!(victim.bring_copies(LINK, &sample(2), chappe_wire::Age::NEW, Copies::NONE));
    let copies = |n| victim.peer.items[&sample(n).id].copies;
    assert_eq!(copies(1), SprayAndWait::MAX_COPIES);
    assert_eq!(copies(2), Copies::new(1));
}

#[test]
fn copies_that_went_astray_come_back() {
    let mut net = spraying(2, 8);
    net.add_own(0, &sample(1));
    net.connect(0, 1);
    // Until the envelope has left, and before it is answered.
    while net.traffic.count_of("transfer") == 0 {
        assert!(net.step());
    }
    let halved = net.peers[0].items[&sample(1).id].copies;
    assert_eq!(halved, Copies::new(4));
    net.disconnect(0, 1);
    assert_eq!(net.peers[0].items[&sample(1).id].copies, Copies::new(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn copies_are_conserved(
        copies in 1u32..20,
        script in prop::collection::vec((0usize..8, 0usize..8), 1..60),
    ) {
        let mut net = spraying(8, copies);
        net.add_own(0, &sample(1));
        for (a, b) in script {
            if a == b {
                continue;
            }
            net.connect(a, b);
            net.run();
            net.disconnect(a, b);
            net.wait(Duration::from_secs(10));
            prop_assert_eq!(budget(&net), copies);
            prop_assert!(carriers(&net) <= copies as usize);
        }
    }
}
