//! Who is who: contact URIs, verification, blocking, changed keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, CommandError, Contact, Delivery, NodeConfig, Profile, Reply, Trust};
use chappe_testkit::{NodeIndex, Pair, Side, Weather, World};
use chappe_wire::Duration;

fn person(world: &mut World, name: &str) -> NodeIndex {
    let profile = Profile {
        name: name.into(),
        jid: None,
        identity: None,
    };
    world.add(NodeConfig::person(profile))
}

fn invite(world: &mut World, node: NodeIndex) -> String {
    match world.command(node, Command::Invite) {
        Ok(Reply::Invite(uri)) => uri,
        other => panic!("{other:?}"),
    }
}

fn add(world: &mut World, node: NodeIndex, uri: String) -> Result<Contact, CommandError> {
    match world.command(
        node,
        Command::AddContact {
            uri,
            name: None,
            scanned: false,
        },
    )? {
        Reply::Contact(contact) => Ok(contact),
        other => panic!("{other:?}"),
    }
}

fn contacts(world: &mut World, node: NodeIndex) -> Vec<Contact> {
    match world.command(node, Command::Contacts) {
        Ok(Reply::Contacts(list)) => list,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pasted_uri_makes_an_unverified_contact_on_both_sides() {
    let mut world = World::new(1);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uri = invite(&mut world, north);
    let contact = add(&mut world, south, uri).unwrap();
    assert_eq!(
        (contact.name.as_str(), contact.trust),
        ("north", Trust::Unverified)
    );
    world.connect(north, south, Weather::default());
    world.run(Duration::from_secs(30));
    let list = contacts(&mut world, north);
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].name.as_str(), list[0].trust),
        ("south", Trust::Unverified)
    );
}

#[test]
fn both_see_the_same_number_and_a_wrong_one_verifies_nothing() {
    let mut pair = Pair::with_config(2, |_| {});
    let number = |pair: &mut Pair, side| {
        let command = Command::SafetyNumber(pair.contact(side));
        let node = pair.node(side);
        match pair.world.command(node, command) {
            Ok(Reply::SafetyNumber(number)) => number,
            other => panic!("{other:?}"),
        }
    };
    let north = number(&mut pair, Side::North);
    assert_eq!(north, number(&mut pair, Side::South));
    let mut other = Pair::new(3);
    let foreign = number(&mut other, Side::North);
    let node = pair.node(Side::North);
    let contact = pair.contact(Side::North);
    let refused = pair.world.command(node, Command::Verify(contact, foreign));
    assert_eq!(refused.unwrap_err(), CommandError::NumberDiffers);
    pair.world
        .command(node, Command::Verify(contact, north))
        .unwrap();
}

#[test]
fn ones_own_uri_and_a_mistyped_one_are_refused() {
    let mut world = World::new(4);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uri = invite(&mut world, north);
    assert_eq!(
        add(&mut world, north, uri.clone()).unwrap_err(),
        CommandError::OwnInvite
    );
    let mut typed = uri.into_bytes();
    let last = typed.len() - 9;
    typed[last] = if typed[last] == b'A' { b'B' } else { b'A' };
    let typed = String::from_utf8(typed).unwrap();
    assert!(matches!(
        add(&mut world, south, typed).unwrap_err(),
        CommandError::Invite(_)
    ));
    assert!(contacts(&mut world, south).is_empty());
}

#[test]
fn a_changed_key_is_refused_and_nothing_changes() {
    let mut world = World::new(5);
    let south = person(&mut world, "south");
    let make = |world: &mut World| {
        let profile = Profile {
            name: "north".into(),
            jid: Some("north@example.org".into()),
            identity: None,
        };
        let node = world.add(NodeConfig::person(profile));
        invite(world, node)
    };
    let (first, second) = (make(&mut world), make(&mut world));
    let contact = add(&mut world, south, first).unwrap();
    // Another device id means another device; the same key under the same address is what must not change.
    if let Ok(other) = add(&mut world, south, second) {
        assert_ne!(
            (other.device, other.fingerprint),
            (contact.device, contact.fingerprint.clone())
        );
    }
    assert_eq!(
        contacts(&mut world, south)[0].fingerprint,
        contact.fingerprint
    );
}

/// A pair that has talked before, out of range again.
fn acquainted(seed: u64) -> Pair {
    let mut pair = Pair::new(seed);
    pair.send(Side::North, "first").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(60));
    pair.disconnect();
    assert_eq!(pair.inbox(Side::South), ["first"]);
    pair
}

#[test]
fn a_blocked_contact_is_not_heard_until_it_is_unblocked() {
    let mut pair = acquainted(6);
    let south = pair.node(Side::South);
    let contact = pair.contact(Side::South);
    pair.world
        .command(south, Command::Block(contact, true))
        .unwrap();
    pair.send(Side::North, "hello?").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.inbox(Side::South), ["first"]);
    pair.world
        .command(south, Command::Block(contact, false))
        .unwrap();
    assert_eq!(pair.inbox(Side::South), ["first", "hello?"]);
}

#[test]
fn a_blocked_contact_is_not_heard_by_a_contact_uri_that_is_left_over_either() {
    let mut pair = Pair::new(7);
    let south = pair.node(Side::South);
    let contact = pair.contact(Side::South);
    pair.world
        .command(south, Command::Block(contact, true))
        .unwrap();
    let id = pair.send(Side::North, "hello?").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(60));
    assert!(pair.inbox(Side::South).is_empty());
    assert_ne!(pair.state(Side::North, id), Delivery::Delivered);
}

#[test]
fn a_removed_contact_is_forgotten() {
    let mut pair = acquainted(8);
    let south = pair.node(Side::South);
    let contact = pair.contact(Side::South);
    pair.world
        .command(south, Command::RemoveContact(contact))
        .unwrap();
    assert!(contacts(&mut pair.world, south).is_empty());
    pair.send(Side::North, "who is there").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.inbox(Side::South), ["first"]);
}

#[test]
fn a_65th_unused_contact_uri_is_refused_and_forgotten_ones_lead_nowhere() {
    let mut world = World::new(9);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uris: Vec<_> = (0..64).map(|_| invite(&mut world, south)).collect();
    assert_eq!(
        world.command(south, Command::Invite).unwrap_err(),
        CommandError::TooManyInvites
    );
    // One that is used makes place, also after a restart.
    add(&mut world, north, uris[0].clone()).unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    world.crash(south);
    invite(&mut world, south);
    assert!(world.command(south, Command::Invite).is_err());

    world.command(south, Command::ForgetInvites).unwrap();
    invite(&mut world, south);
    let other = person(&mut world, "other");
    add(&mut world, other, uris[1].clone()).unwrap();
    world.connect(other, south, Weather::default());
    world.run(Duration::from_minutes(1));
    let names: Vec<_> = contacts(&mut world, south)
        .into_iter()
        .map(|contact| contact.name)
        .collect();
    assert_eq!(names, ["north"]);
}

#[test]
fn a_key_exchange_is_answered_although_the_process_ended_in_between() {
    let mut world = World::new(10);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uri = invite(&mut world, south);
    add(&mut world, north, uri).unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(2));
    assert!(!contacts(&mut world, north)[0].heard, "it waits");
    world.crash(south);
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(25));
    assert!(contacts(&mut world, north)[0].heard);
}

#[test]
fn the_signed_prekey_changes_every_week_and_older_contact_uris_still_work() {
    let mut world = World::new(11);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uri = invite(&mut world, south);
    let prekey = |uri: &str| {
        chappe_envelope::Invite::from_uri(uri)
            .unwrap()
            .signed_prekey
    };
    world.run(Duration::from_days(6));
    assert_eq!(prekey(&uri), prekey(&invite(&mut world, south)));
    world.run(Duration::from_days(2));
    let next = invite(&mut world, south);
    assert_ne!(prekey(&uri), prekey(&next));
    world.crash(south);
    world.run(Duration::from_days(5));
    assert_eq!(prekey(&next), prekey(&invite(&mut world, south)));
    world.run(Duration::from_days(40));
    add(&mut world, north, uri).unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    assert_eq!(contacts(&mut world, south).len(), 1);
}
