//! Two people who are never in range of each other, and a relay that learns nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, Content, Delivery, Draft, NodeConfig, Reply};
use chappe_testkit::{NodeIndex, Pair, Side, Weather};
use chappe_wire::Duration;

const SECRET: &str = "meet me at the semaphore, 4f1c9a";

/// Carries what `from` has to the relay, then from the relay to the other one.
fn carry(pair: &mut Pair, relay: NodeIndex, from: Side) -> Vec<u8> {
    let mut bytes = Vec::new();
    for side in [from, from.other()] {
        let node = pair.node(side);
        let link = pair.world.connect(node, relay, Weather::default());
        pair.world.record(link);
        pair.run(Duration::from_minutes(3));
        bytes.extend_from_slice(pair.world.recorded(link));
        pair.world.disconnect(link);
    }
    bytes
}

fn carried(pair: &mut Pair, relay: NodeIndex) -> usize {
    match pair.world.command(relay, Command::Carried) {
        Ok(Reply::Carried(list)) => list.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_goes_there_and_its_receipt_comes_back() {
    let mut pair = Pair::new(3);
    let relay = pair.world.add(NodeConfig::relay());
    let id = pair.send(Side::North, SECRET).unwrap();
    carry(&mut pair, relay, Side::North);
    assert_eq!(pair.inbox(Side::South), [SECRET]);
    // The relay took custody and nobody said that it was delivered.
    assert_eq!(
        pair.state(Side::North, id),
        Delivery::Carried { carriers: 1 }
    );
    carry(&mut pair, relay, Side::South);
    assert_eq!(pair.state(Side::North, id), Delivery::Delivered);
}

#[test]
fn receipts_free_the_relay() {
    let mut pair = Pair::new(4);
    let relay = pair.world.add(NodeConfig::relay());
    pair.send(Side::North, SECRET).unwrap();
    carry(&mut pair, relay, Side::North);
    carry(&mut pair, relay, Side::South);
    carry(&mut pair, relay, Side::North);
    carry(&mut pair, relay, Side::South);
    assert_eq!(carried(&mut pair, relay), 0);
}

#[test]
fn nothing_of_theirs_passes_the_relays_links() {
    let mut pair = Pair::new(5);
    let relay = pair.world.add(NodeConfig::relay());
    pair.send(Side::North, SECRET).unwrap();
    let mut bytes = carry(&mut pair, relay, Side::North);
    pair.send(Side::South, "answer 77aa01").unwrap();
    bytes.extend(carry(&mut pair, relay, Side::South));
    assert!(bytes.len() > 2_000, "the links carried something");
    let mut markers = vec![
        SECRET.to_owned(),
        "answer 77aa01".to_owned(),
        "mesh.invalid".to_owned(),
    ];
    for side in Side::BOTH {
        let node = pair.node(side);
        let Ok(Reply::Status(status)) = pair.world.command(node, Command::Status) else {
            panic!()
        };
        markers.push(status.jid);
    }
    for marker in markers {
        let found = bytes
            .windows(marker.len())
            .any(|window| window == marker.as_bytes());
        assert!(!found, "{marker} passed in clear");
    }
}

#[test]
fn a_file_goes_through_in_pieces() {
    let mut pair = Pair::new(6);
    let relay = pair.world.add(NodeConfig::relay());
    let data: Vec<u8> = (0..100_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let draft = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: data.clone(),
    };
    let north = pair.node(Side::North);
    let command = Command::Send(pair.contact(Side::North), draft, None);
    let Ok(Reply::Accepted(id)) = pair.world.command(north, command) else {
        panic!()
    };
    carry(&mut pair, relay, Side::North);
    let south = pair.node(Side::South);
    let Ok(Reply::Inbox(inbox)) = pair.world.command(south, Command::Inbox { after: None }) else {
        panic!()
    };
    let Content::File(file) = &inbox[0].content else {
        panic!()
    };
    assert!(file.complete);
    assert_eq!(
        (file.name.as_str(), file.size.get()),
        ("photo.jpg", 100_000)
    );
    let Ok(Reply::File(content)) = pair.world.command(south, Command::File(inbox[0].id)) else {
        panic!()
    };
    assert_eq!(content, data);
    carry(&mut pair, relay, Side::South);
    assert_eq!(pair.state(Side::North, id), Delivery::Delivered);
}
