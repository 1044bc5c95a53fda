//! A backup of the store that is put back: its keys were used already, and nothing is sent with them again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{
    Command, CommandError, Content, Draft, Event, MemoryStore, NodeConfig, Profile, Reply, Trust,
};
use chappe_testkit::{NodeIndex, Weather, World};
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

fn meet(world: &mut World, of: NodeIndex, by: NodeIndex) -> chappe_node::Contact {
    let uri = invite(world, of);
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    match world.command(by, add) {
        Ok(Reply::Contact(contact)) => contact,
        other => panic!("{other:?}"),
    }
}

fn send(
    world: &mut World,
    from: NodeIndex,
    to: chappe_node::ContactId,
    text: &str,
) -> Result<Reply, CommandError> {
    world.command(from, Command::Send(to, Draft::Text(text.into()), None))
}

fn texts(world: &mut World, node: NodeIndex) -> Vec<String> {
    let events = world.events(node).into_iter();
    let received = events.filter_map(|event| match event {
        Event::Received(message) => match message.content {
            Content::Text(text) => Some(text),
            _ => None,
        },
        _ => None,
    });
    received.collect()
}

#[test]
fn an_older_copy_is_told_and_sends_with_none_of_its_keys_until_uris_are_exchanged_again() {
    let mut world = World::new(1);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let to_south = meet(&mut world, south, north).id;
    meet(&mut world, north, south);
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    send(&mut world, north, to_south, "before").unwrap();
    world.run(Duration::from_minutes(1));
    assert_eq!(texts(&mut world, south), ["before"]);

    let mut backup = MemoryStore::default();
    world.events(north);
    world.restart_from(north, |store| {
        backup = store.clone();
        store
    });
    assert!(world.events(north).is_empty(), "this is the newest copy");
    send(&mut world, north, to_south, "after").unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    assert_eq!(texts(&mut world, south), ["after"]);

    world.events(north);
    world.restart_from(north, |store| backup.witnessed(store.commits()));
    assert!(matches!(
        world.events(north)[..],
        [Event::OlderCopy { commits: 1.. }]
    ));
    let refused = send(&mut world, north, to_south, "with an old key");
    assert!(matches!(refused, Err(CommandError::NoSession)));

    // It is told once; who is known is known.
    world.crash(north);
    assert!(world.events(north).is_empty());
    let again = meet(&mut world, south, north);
    assert_eq!((again.id, again.trust), (to_south, Trust::Verified));
    send(&mut world, north, to_south, "anew").unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    assert_eq!(texts(&mut world, south), ["anew"]);
}

#[test]
fn contact_uris_of_an_older_copy_are_dead() {
    let mut world = World::new(2);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let uri = invite(&mut world, north);
    world.restart_from(north, |store| {
        let seen = store.commits() + 1;
        store.witnessed(seen)
    });
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: false,
    };
    let Ok(Reply::Contact(contact)) = world.command(south, add) else {
        panic!("the URI itself is good");
    };
    send(&mut world, south, contact.id, "hello").unwrap();
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(1));
    assert!(texts(&mut world, north).is_empty());
}
