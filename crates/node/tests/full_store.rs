//! A full store keeps its node running: it takes nothing more, deletes what it is told to, and goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{
    Command, CommandError, ContactId, Draft, Event, MessageSelection, NodeConfig, Profile, Reply,
    Shortage,
};
use chappe_testkit::{NodeIndex, Weather, World};
use chappe_wire::{ByteCount, Duration};

fn person(name: &str) -> NodeConfig {
    NodeConfig::person(Profile {
        name: name.into(),
        jid: None,
        identity: None,
    })
}

fn add(world: &mut World, from: NodeIndex, to: NodeIndex) -> ContactId {
    let Ok(Reply::Invite(uri)) = world.command(from, Command::Invite) else {
        panic!("no contact URI");
    };
    let command = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    match world.command(to, command) {
        Ok(Reply::Contact(contact)) => contact.id,
        other => panic!("{other:?}"),
    }
}

fn inbox_len(world: &mut World, node: NodeIndex) -> usize {
    match world.command(node, Command::Inbox { after: None }) {
        Ok(Reply::Inbox(list)) => list.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_store_refuses_envelopes_keeps_running_and_goes_on_once_messages_are_deleted() {
    const MESSAGES: usize = 400;
    let mut world = World::new(1);
    let north = world.add(person("north"));
    // Room for about half of what will come, carried and in the inbox. A node that fails ends the test.
    let south = world.add_with_room(person("south"), ByteCount::new((4 << 20) + (512 << 10)));
    let contact = add(&mut world, south, north);
    for number in 0..MESSAGES {
        let draft = Draft::Text(format!("{number:2000}"));
        world
            .command(north, Command::Send(contact, draft, None))
            .unwrap();
    }
    world.connect(north, south, Weather::default());
    world.run(Duration::from_minutes(30));
    let here = inbox_len(&mut world, south);
    assert!(here < MESSAGES, "{here} messages fit");
    let told = world.events(south);
    let shortages = told
        .iter()
        .filter(|event| matches!(event, Event::NoRoom(Shortage::Store)));
    assert!(shortages.count() > 0);

    // It says so when it is to send something, too.
    let Ok(Reply::Contacts(contacts)) = world.command(south, Command::Contacts) else {
        panic!("no contacts");
    };
    let command = Command::Send(
        contacts[0].id,
        Draft::File {
            name: "photo.jpg".into(),
            media_type: "image/jpeg".into(),
            data: vec![7; 600_000],
        },
        None,
    );
    assert_eq!(
        world.command(south, command).unwrap_err(),
        CommandError::StoreFull
    );

    let mut delivered = here;
    for _ in 0..40 {
        let all = Command::DeleteMessages(MessageSelection::All);
        world.command(south, all).unwrap();
        world.run(Duration::from_minutes(30));
        delivered += inbox_len(&mut world, south);
        if delivered >= MESSAGES {
            break;
        }
    }
    assert_eq!(delivered, MESSAGES);
}
