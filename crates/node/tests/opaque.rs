//! An embedder with its own end-to-end encryption hands over payloads and gets them back, nothing added.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, CommandError, ContactId, Content, Draft, NodeConfig, Profile, Reply};
use chappe_testkit::{NodeIndex, Weather, World};
use chappe_wire::Duration;

fn embedder(world: &mut World, name: &str, initiator: bool) -> (NodeIndex, ContactId) {
    let profile = Profile {
        name: name.into(),
        jid: None,
        identity: None,
    };
    let node = world.add(NodeConfig::person(profile));
    let command = Command::AddPair {
        name: "other".into(),
        secret: [42; 32],
        initiator,
    };
    match world.command(node, command) {
        Ok(Reply::Contact(contact)) => (node, contact.id),
        other => panic!("{other:?}"),
    }
}

fn received(world: &mut World, node: NodeIndex) -> Vec<Vec<u8>> {
    let Ok(Reply::Inbox(list)) = world.command(node, Command::Inbox { after: None }) else {
        panic!()
    };
    let payloads = list.into_iter().map(|incoming| match incoming.content {
        Content::Opaque(payload) => payload,
        other => panic!("{other:?}"),
    });
    payloads.collect()
}

#[test]
fn payloads_go_both_ways_unchanged() {
    let mut world = World::new(1);
    let (first, to_second) = embedder(&mut world, "first", true);
    let (second, to_first) = embedder(&mut world, "second", false);
    world
        .command(
            first,
            Command::SendOpaque(to_second, b"<encrypted/>".to_vec()),
        )
        .unwrap();
    world
        .command(second, Command::SendOpaque(to_first, vec![0, 255, 7]))
        .unwrap();
    world.connect(first, second, Weather::default());
    world.run(Duration::from_minutes(2));
    assert_eq!(received(&mut world, second), [b"<encrypted/>".to_vec()]);
    assert_eq!(received(&mut world, first), [vec![0, 255, 7]]);
}

#[test]
fn the_two_kinds_of_contacts_are_not_mixed_up() {
    let mut world = World::new(2);
    let (node, contact) = embedder(&mut world, "first", true);
    let refused = world.command(
        node,
        Command::Send(contact, Draft::Text("hello".into()), None),
    );
    assert_eq!(refused.unwrap_err(), CommandError::WrongKind);
    let refused = world.command(node, Command::SendOpaque(contact, Vec::new()));
    assert_eq!(refused.unwrap_err(), CommandError::Empty);
    let refused = world.command(node, Command::SendOpaque(contact, vec![0; 5_000]));
    assert_eq!(refused.unwrap_err(), CommandError::TooLarge);
}
