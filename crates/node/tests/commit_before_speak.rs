//! What was not committed was never said, and what was said survives the end of the process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, CommandId, Delivery, Draft, Input};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;

#[test]
fn a_message_whose_commit_never_came_does_not_exist() {
    let mut pair = Pair::new(1);
    let command = Command::Send(
        pair.contact(Side::North),
        Draft::Text("unsaid".into()),
        None,
    );
    let north = pair.node(Side::North);
    pair.world
        .input_without_commit(north, Input::Command(CommandId(99), command));
    pair.crash(Side::North);
    let said = pair.send(Side::North, "said").unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(5));
    assert_eq!(pair.inbox(Side::South), ["said"]);
    assert_eq!(pair.state(Side::North, said), Delivery::Delivered);
}

#[test]
fn an_accepted_message_survives_the_end_of_the_process() {
    let mut pair = Pair::new(2);
    let id = pair.send(Side::North, "kept").unwrap();
    pair.crash(Side::North);
    assert_eq!(pair.state(Side::North, id), Delivery::Accepted);
    pair.connect(Weather::default());
    pair.run(Duration::from_secs(1));
    pair.crash(Side::South);
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(5));
    assert_eq!(pair.inbox(Side::South), ["kept"]);
    assert_eq!(pair.state(Side::North, id), Delivery::Delivered);
}
