//! A node that can carry nothing for others still reads what is for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::Delivery;
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::{ByteCount, Duration};

#[test]
fn mail_for_the_person_is_read_where_there_is_no_room_to_carry_it() {
    let mut pair = Pair::with_config(1, |config| config.capacity = ByteCount::from_mib(1));
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(40));
    pair.disconnect();
    // South fills what it can carry with what it wants to say itself.
    while pair.send(Side::South, &"x".repeat(2_000)).is_some() {}
    let sent: Vec<_> = (0..20)
        .map(|number| pair.send(Side::North, &format!("{number:1500}")).unwrap())
        .collect();
    // North takes nothing of it: only what south can read of north's is at stake.
    let north = pair.node(Side::North);
    let contact = pair.contact(Side::North);
    let block = chappe_node::Command::Block(contact, true);
    pair.world.command(north, block).unwrap();
    pair.connect(Weather::default());
    pair.run(Duration::from_minutes(60));
    assert_eq!(pair.inbox(Side::South).len(), 20);
    for message in sent {
        assert_eq!(pair.state(Side::North, message), Delivery::Delivered);
    }
}
