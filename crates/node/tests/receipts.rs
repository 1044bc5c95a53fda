//! What relays can learn from receipts: that something arrived, later, and together with other things.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{Command, Delivery, NodeConfig, PolicyChoice, Reply, Status};
use chappe_testkit::{NodeIndex, Pair, Side, Weather, World};
use chappe_wire::{Duration, Preimage};

/// Long enough that all that is said on a link is said.
const MOMENT: Duration = Duration::from_secs(2);

fn status(world: &mut World, node: NodeIndex) -> Status {
    match world.command(node, Command::Status) {
        Ok(Reply::Status(status)) => status,
        other => panic!("{other:?}"),
    }
}

/// A relay that gives everything to everybody.
fn epidemic_relay() -> NodeConfig {
    let mut config = NodeConfig::relay();
    config.policy = PolicyChoice::Epidemic;
    config
}

/// Two people and a relay between them, all in range, with receipts after a minute (and ten, to those who are not
/// verified).
fn through_a_relay() -> (Pair, NodeIndex) {
    let mut pair = Pair::with_config(21, |config| {
        config.policy = PolicyChoice::Epidemic;
        config.receipt_delay = Duration::from_minutes(1);
        config.receipt_delay_unverified = Duration::from_minutes(10);
    });
    let relay = pair.world.add(epidemic_relay());
    for side in Side::BOTH {
        let node = pair.node(side);
        pair.world.connect(node, relay, Weather::default());
    }
    // The introductions and the answers to them, with their receipts.
    pair.run(Duration::from_hours(2));
    (pair, relay)
}

#[test]
fn they_wait_and_go_in_one_batch() {
    let (mut pair, relay) = through_a_relay();
    let before = status(&mut pair.world, relay).receipts;
    for number in 0..5 {
        pair.send(Side::North, &format!("note {number}")).unwrap();
        pair.run(MOMENT);
        assert_eq!(pair.inbox(Side::South).len(), number + 1, "it was read");
    }
    assert_eq!(status(&mut pair.world, relay).receipts, before, "none yet");
    // Half the delay at least, and all of it at most, after the first.
    pair.run(Duration::from_secs(19));
    assert_eq!(status(&mut pair.world, relay).receipts, before, "none yet");
    let mut seen = Vec::new();
    for _ in 0..40 {
        pair.run(Duration::from_secs(1));
        seen.push(status(&mut pair.world, relay).receipts - before);
    }
    seen.dedup();
    assert_eq!(seen, [0, 5], "all at once");
    assert_eq!(status(&mut pair.world, relay).envelopes, 0, "they freed it");
}

#[test]
fn a_stranger_who_makes_them_up_frees_nothing() {
    // He carries receipts for commitments that he has drawn himself, and hands them over in the regular way.
    let mut node = common::node(23);
    let mut stranger = common::Stranger::speaking_our_version();
    for number in 0..50 {
        stranger.give_receipt(Preimage::new([number; 16]));
    }
    let own = common::sealed(&mut node);
    stranger.meet(&mut node);
    let Reply::Status(after) = common::command(&mut node, Command::Status) else {
        panic!()
    };
    assert_eq!((after.envelopes, after.receipts), (own, 50));
    assert_eq!(after.freed, 0);
}

#[test]
fn those_for_people_who_are_not_verified_wait_longer() {
    let mut world = World::new(24);
    let [north, south] = ["north", "south"].map(|name| {
        let mut config = NodeConfig::person(chappe_node::Profile {
            name: name.into(),
            jid: None,
            identity: None,
        });
        config.receipt_delay_unverified = Duration::from_minutes(30);
        world.add(config)
    });
    let Ok(Reply::Invite(uri)) = world.command(south, Command::Invite) else {
        panic!()
    };
    // Pasted, not scanned.
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: false,
    };
    let Ok(Reply::Contact(contact)) = world.command(north, add) else {
        panic!()
    };
    let draft = chappe_node::Draft::Text("who is it?".into());
    let Ok(Reply::Accepted(message)) = world.command(north, Command::Send(contact.id, draft, None))
    else {
        panic!()
    };
    world.connect(north, south, Weather::default());
    let state = |world: &mut World| match world.command(north, Command::Outbox) {
        Ok(Reply::Outbox(list)) => list.iter().find(|sent| sent.id == message).unwrap().state,
        other => panic!("{other:?}"),
    };
    world.run(Duration::from_minutes(14));
    assert_eq!(state(&mut world), Delivery::Carried { carriers: 1 });
    world.run(Duration::from_minutes(17));
    assert_eq!(state(&mut world), Delivery::Delivered);
}
