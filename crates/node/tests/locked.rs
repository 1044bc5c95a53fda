//! CipherMachine between two people: a further key, exchanged without a network, without which a message says nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{
    Command, CommandError, Content, Delivery, Draft, Incoming, Lock, PassphraseError, Reply,
};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;

const KEY: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

fn key(bytes: [u8; 32]) -> Lock {
    Lock::Key(bytes.into())
}

fn passphrase(text: &str) -> Lock {
    Lock::Passphrase(text.to_owned().into())
}

fn lock(pair: &mut Pair, side: Side, lock: Lock) -> Result<(), CommandError> {
    let command = Command::Lock(pair.contact(side), lock);
    let node = pair.node(side);
    pair.world.command(node, command).map(|reply| {
        assert!(matches!(reply, Reply::Done));
    })
}

fn entries(pair: &mut Pair, side: Side) -> Vec<Incoming> {
    let node = pair.node(side);
    match pair
        .world
        .command(node, Command::Inbox { after: None })
        .unwrap()
    {
        Reply::Inbox(list) => list,
        other => panic!("{other:?}"),
    }
}

fn contents(pair: &mut Pair, side: Side) -> Vec<Content> {
    let entries = entries(pair, side).into_iter();
    entries.map(|incoming| incoming.content).collect()
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

/// Two who have written to each other, so that both have answered.
fn acquainted(seed: u64) -> Pair {
    let mut pair = Pair::new(seed);
    pair.connect(Weather::default());
    for side in Side::BOTH {
        pair.send(side, "hello").unwrap();
        pair.run(Duration::from_minutes(2));
        assert_eq!(pair.shown(side.other(), "hello"), 1);
    }
    pair
}

/// The contents after the hello.
fn later(pair: &mut Pair, side: Side) -> Vec<Content> {
    contents(pair, side).split_off(1)
}

#[test]
fn with_the_same_key_both_read_texts_and_files() {
    let mut pair = acquainted(1);
    for side in Side::BOTH {
        lock(&mut pair, side, key(KEY)).unwrap();
        pair.send(side, "fog on the hill").unwrap();
    }
    let data = vec![7; 30_000];
    let draft = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: data.clone(),
    };
    let command = Command::Send(pair.contact(Side::North), draft, None);
    let node = pair.node(Side::North);
    pair.world.command(node, command).unwrap();
    pair.run(Duration::from_minutes(5));
    for side in Side::BOTH {
        assert_eq!(pair.shown(side, "fog on the hill"), 1);
    }
    let file = entries(&mut pair, Side::South).pop().unwrap();
    let node = pair.node(Side::South);
    match pair.world.command(node, Command::File(file.id)).unwrap() {
        Reply::File(came) => assert_eq!(came, data),
        other => panic!("{other:?}"),
    }
}

/// It has arrived, so its receipt says so; what it says waits for the key.
#[test]
fn without_the_key_a_message_stays_locked_until_the_key_is_set() {
    let mut pair = acquainted(2);
    lock(&mut pair, Side::North, key(KEY)).unwrap();
    let sent = pair.send(Side::North, "fog on the hill").unwrap();
    pair.run(Duration::from_minutes(5));
    assert_eq!(pair.state(Side::North, sent), Delivery::Delivered);
    assert_eq!(later(&mut pair, Side::South), [Content::Locked]);

    lock(&mut pair, Side::South, key(OTHER)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(later(&mut pair, Side::South), [Content::Locked]);
    pair.crash(Side::South);
    lock(&mut pair, Side::South, key(KEY)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(later(&mut pair, Side::South), [text("fog on the hill")]);
    assert_eq!(pair.shown(Side::South, "fog on the hill"), 1);

    // Nothing is left of it that would count against the sender's share.
    let node = pair.node(Side::South);
    let all = chappe_node::MessageSelection::All;
    pair.world
        .command(node, Command::DeleteMessages(all))
        .unwrap();
    match pair.world.command(node, Command::Contacts).unwrap() {
        Reply::Contacts(list) => {
            assert_eq!(list[0].stored.get(), 0);
            assert!(list[0].locked);
        }
        other => panic!("{other:?}"),
    }
}

/// Whoever has all OMEMO keys can write what passes for OMEMO; it must not pass for locked.
#[test]
fn what_should_be_locked_and_is_not_is_not_shown() {
    let mut pair = acquainted(3);
    lock(&mut pair, Side::South, key(KEY)).unwrap();
    pair.send(Side::North, "in the open").unwrap();
    pair.run(Duration::from_minutes(2));
    assert_eq!(later(&mut pair, Side::South), [Content::Locked]);
    assert_eq!(pair.shown(Side::South, "in the open"), 0);
    // The person decides that it need not be locked.
    lock(&mut pair, Side::South, Lock::Off).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(later(&mut pair, Side::South), [text("in the open")]);
}

#[test]
fn a_new_key_still_reads_what_was_under_way_and_restarts_forget_no_key() {
    let mut pair = acquainted(4);
    for side in Side::BOTH {
        lock(&mut pair, side, key(KEY)).unwrap();
    }
    pair.disconnect();
    pair.send(Side::North, "under way").unwrap();
    lock(&mut pair, Side::North, key(OTHER)).unwrap();
    pair.send(Side::North, "with the new key").unwrap();
    lock(&mut pair, Side::South, key(OTHER)).unwrap();
    for side in Side::BOTH {
        pair.crash(side);
    }
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(5));
    let mut read = later(&mut pair, Side::South);
    read.sort_by_key(|content| format!("{content:?}"));
    assert_eq!(read, [text("under way"), text("with the new key")]);
}

/// Introductions, and answers that move a session on, say nothing: they leave no entry.
#[test]
fn what_says_nothing_is_not_locked() {
    let mut pair = Pair::new(5);
    for side in Side::BOTH {
        lock(&mut pair, side, key([side as u8; 32])).unwrap();
    }
    pair.connect(Weather::default());
    pair.run(Duration::from_hours(2));
    for side in Side::BOTH {
        assert_eq!(contents(&mut pair, side), []);
    }
}

#[test]
fn a_passphrase_makes_the_same_key_for_both() {
    let mut pair = acquainted(6);
    let short = lock(&mut pair, Side::North, passphrase("fog on a hill"));
    assert_eq!(short, Err(CommandError::Passphrase(PassphraseError::Short)));
    for side in Side::BOTH {
        let words = passphrase("quartz lantern mossy heron drift cobalt");
        lock(&mut pair, side, words).unwrap();
    }
    pair.send(Side::South, "understood").unwrap();
    pair.run(Duration::from_minutes(2));
    assert_eq!(later(&mut pair, Side::North), [text("understood")]);
}
