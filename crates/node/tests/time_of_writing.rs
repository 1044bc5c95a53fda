//! The recipient is told when a message was written, by the sender's clock, if the sender tells it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, Draft, Reply, Timestamp};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;

/// What south is told as the time of writing.
fn told(written: Option<Timestamp>) -> Option<String> {
    let mut pair = Pair::new(11);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let draft = Draft::Text("hello".into());
    let send = Command::Send(pair.contact(Side::North), draft, written);
    pair.world.command(north, send).unwrap();
    pair.world.connect(north, south, Weather::default());
    pair.run(Duration::from_minutes(1));
    let list = Command::Inbox { after: None };
    let Ok(Reply::Inbox(mut inbox)) = pair.world.command(south, list) else {
        panic!("no inbox");
    };
    assert_eq!(inbox.len(), 1);
    inbox.remove(0).sent
}

#[test]
fn it_arrives_as_it_was_claimed() {
    let written = Timestamp::from_unix(1_796_000_000);
    assert_eq!(told(written).as_deref(), Some("2026-11-30T00:53:20Z"));
    // A clock that is wrong by years changes nothing else.
    let long_ago = Timestamp::from_unix(0);
    assert_eq!(told(long_ago).as_deref(), Some("1970-01-01T00:00:00Z"));
}

#[test]
fn it_need_not_be_told() {
    assert_eq!(told(None), None);
}
