//! What a contact can make us store is bounded; deleting its messages makes room, and what waited is delivered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{
    Command, CommandError, Contact, Content, Delivery, Draft, Event, FileInfo, Incoming, MessageId,
    MessageSelection, Reply, Shortage,
};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::{ByteCount, Duration};

const QUOTA: u64 = 64 << 10;

/// Two people who have talked; each lets the other store little.
fn acquainted(seed: u64) -> Pair {
    let mut pair = Pair::with_config(seed, |config| {
        config.quota_per_contact = ByteCount::new(QUOTA);
    });
    pair.send(Side::North, "first").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(2));
    assert_eq!(pair.inbox(Side::South), ["first"]);
    pair.events(Side::South);
    pair
}

fn long_text(number: usize) -> String {
    format!("{number:2000}")
}

fn north_as_south_sees_it(pair: &mut Pair) -> Contact {
    let south = pair.node(Side::South);
    match pair.world.command(south, Command::Contacts) {
        Ok(Reply::Contacts(list)) => list.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn delete(pair: &mut Pair, selection: MessageSelection) -> Result<u64, CommandError> {
    let south = pair.node(Side::South);
    match pair
        .world
        .command(south, Command::DeleteMessages(selection))?
    {
        Reply::Deleted(count) => Ok(count),
        other => panic!("{other:?}"),
    }
}

fn shortages(events: &[Event]) -> Vec<Shortage> {
    let shortages = events.iter().filter_map(|event| match event {
        Event::NoRoom(shortage) => Some(shortage.clone()),
        _ => None,
    });
    shortages.collect()
}

fn send_file(pair: &mut Pair, length: usize) -> MessageId {
    let draft = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: vec![7; length],
    };
    let command = Command::Send(pair.contact(Side::North), draft, None);
    let north = pair.node(Side::North);
    match pair.world.command(north, command) {
        Ok(Reply::Accepted(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn messages(pair: &mut Pair) -> Vec<Incoming> {
    let south = pair.node(Side::South);
    match pair.world.command(south, Command::Inbox { after: None }) {
        Ok(Reply::Inbox(list)) => list,
        other => panic!("{other:?}"),
    }
}

fn files(pair: &mut Pair) -> Vec<(MessageId, FileInfo)> {
    let files = messages(pair)
        .into_iter()
        .filter_map(|message| match message.content {
            Content::File(file) => Some((message.id, file)),
            _ => None,
        });
    files.collect()
}

#[test]
fn a_contact_fills_its_share_and_no_more_until_something_is_deleted() {
    let mut pair = acquainted(1);
    let sent: Vec<_> = (0..60)
        .map(|number| pair.send(Side::North, &long_text(number)).unwrap())
        .collect();
    pair.run(Duration::from_minutes(2));

    let there = pair.inbox(Side::South).len();
    assert!((20..40).contains(&there), "{there} messages are here");
    assert!(north_as_south_sees_it(&mut pair).stored.get() <= QUOTA);
    // It is told once, and to nobody that they arrived.
    let told = shortages(&pair.events(Side::South));
    assert!(
        matches!(told.as_slice(), [Shortage::Contact { name, .. }] if name == "north"),
        "{told:?}"
    );
    // In which order they came depends on the link.
    let read = pair.inbox(Side::South);
    let held_back = (0..60).find(|number| !read.contains(&long_text(*number)));
    let held_back = sent[held_back.unwrap()];
    assert_ne!(pair.state(Side::North, held_back), Delivery::Delivered);

    // The other way nothing has changed, and a restart changes nothing either.
    pair.crash(Side::South);
    pair.connect(Weather::default());
    let answer = pair.send(Side::South, "stop it").unwrap();
    pair.run(Duration::from_minutes(2));
    assert_eq!(pair.state(Side::South, answer), Delivery::Delivered);
    assert_eq!(pair.inbox(Side::South).len(), there);

    // What was held back is delivered as room is made, each message once.
    let mut seen = pair.inbox(Side::South);
    for _ in 0..4 {
        delete(&mut pair, MessageSelection::All).unwrap();
        pair.run(Duration::from_minutes(2));
        seen.extend(pair.inbox(Side::South));
    }
    let mut expected: Vec<_> = (0..60).map(long_text).collect();
    expected.push("first".into());
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(pair.state(Side::North, held_back), Delivery::Delivered);
}

#[test]
fn a_file_over_the_share_waits_until_there_is_room() {
    let mut pair = acquainted(2);
    let first = send_file(&mut pair, 40_000);
    let second = send_file(&mut pair, 40_000);
    pair.run(Duration::from_minutes(2));
    let mut here = files(&mut pair);
    assert_eq!(here.len(), 2, "both are told of");
    here.sort_by_key(|(_, file)| !file.complete);
    assert!(here[0].1.complete);
    assert_eq!((here[1].1.complete, here[1].1.chunks_here), (false, 0));
    assert_eq!(shortages(&pair.events(Side::South)).len(), 1);

    assert_eq!(
        delete(&mut pair, MessageSelection::These(vec![here[0].0])).unwrap(),
        1
    );
    pair.run(Duration::from_minutes(2));
    let left = files(&mut pair);
    assert!(left[0].1.complete, "{left:?}");
    for message in [first, second] {
        assert_eq!(pair.state(Side::North, message), Delivery::Delivered);
    }
}

#[test]
fn messages_are_deleted_by_number_by_contact_or_all() {
    let mut pair = acquainted(4);
    for text in ["second", "third"] {
        pair.send(Side::North, text).unwrap();
    }
    pair.run(Duration::from_minutes(2));
    let ids: Vec<_> = messages(&mut pair)
        .iter()
        .map(|message| message.id)
        .collect();
    let unknown = vec![ids[0], MessageId(999)];
    assert_eq!(
        delete(&mut pair, MessageSelection::These(unknown)).unwrap_err(),
        CommandError::NoSuchMessage
    );
    assert_eq!(messages(&mut pair).len(), 3);
    let twice = vec![ids[0], ids[0]];
    assert_eq!(delete(&mut pair, MessageSelection::These(twice)), Ok(1));
    assert_eq!(pair.inbox(Side::South), ["second", "third"]);
    let north = pair.contact(Side::South);
    assert_eq!(delete(&mut pair, MessageSelection::Of(north)), Ok(2));
    assert_eq!(delete(&mut pair, MessageSelection::All), Ok(0));
    assert_eq!(north_as_south_sees_it(&mut pair).stored, ByteCount::ZERO);
}
