//! Whom a neighbour sees, and how many links it gets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeSet;

use chappe_node::{Command, NodeConfig, Peer, Profile, Reply};
use chappe_testkit::{NodeIndex, Weather, World};
use chappe_wire::Duration;

fn person(world: &mut World, name: &str) -> NodeIndex {
    world.add(NodeConfig::person(Profile {
        name: name.into(),
        jid: None,
        identity: None,
    }))
}

fn peers(world: &mut World, node: NodeIndex) -> Vec<Peer> {
    match world.command(node, Command::Peers) {
        Ok(Reply::Peers(peers)) => peers,
        other => panic!("{other:?}"),
    }
}

/// The keys by which `seen` is known to `by` at six meetings, twenty minutes apart.
fn keys(world: &mut World, seen: NodeIndex, by: NodeIndex) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for _ in 0..6 {
        let link = world.connect(seen, by, Weather::default());
        world.run(Duration::from_secs(5));
        keys.insert(peers(world, by)[0].key.clone());
        world.disconnect(link);
        world.run(Duration::from_minutes(20));
    }
    keys
}

#[test]
fn a_persons_hop_key_lives_for_an_epoch_and_a_relays_for_ever() {
    let mut world = World::new(1);
    let (north, relay) = (person(&mut world, "north"), world.add(NodeConfig::relay()));
    assert_eq!(keys(&mut world, north, relay).len(), 6);
    assert_eq!(keys(&mut world, relay, north).len(), 1);
}

#[test]
fn a_link_that_is_up_keeps_its_key() {
    let mut world = World::new(2);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    world.connect(north, south, Weather::default());
    world.run(Duration::from_secs(5));
    let before = peers(&mut world, south)[0].key.clone();
    world.run(Duration::from_hours(1));
    assert_eq!(peers(&mut world, south)[0].key, before);
}

#[test]
fn handshakes_that_are_not_finished_leave_room_for_others() {
    let mut world = World::new(3);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    // Links of which the other end never says anything.
    for number in 0..100 {
        let up = chappe_node::LinkUp {
            link: chappe_wire::LinkId::new(1_000 + number),
            mtu: 200,
            initiator: false,
            reliable: false,
            queue: 4,
            bearer: "silent".into(),
            label: "silent".into(),
        };
        world.input_without_commit(south, chappe_node::Input::LinkUp(up));
    }
    world.connect(north, south, Weather::default());
    world.run(Duration::from_secs(2));
    assert_eq!(peers(&mut world, south).len(), 1);
}

#[test]
fn half_of_the_links_are_for_neighbours_that_are_pinned() {
    let mut world = World::new(4);
    let friend = world.add(NodeConfig::relay());
    let Ok(Reply::Status(status)) = world.command(friend, Command::Status) else {
        panic!()
    };
    let mut config = NodeConfig::relay();
    config.pinned = vec![status.hop_key.unwrap()];
    let node = world.add(config);
    for _ in 0..40 {
        let stranger = world.add(NodeConfig::relay());
        world.connect(stranger, node, Weather::default());
        world.run(Duration::from_secs(1));
    }
    assert_eq!(peers(&mut world, node).len(), 32);
    world.connect(friend, node, Weather::default());
    world.run(Duration::from_secs(1));
    let key = hex(&status.hop_key.unwrap());
    let peers = peers(&mut world, node);
    assert_eq!(peers.len(), 33);
    assert!(peers.iter().any(|peer| key.starts_with(&peer.key)));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Records that a node sends again on a link whose answers take longer than any before them.
fn sent_again(reliable: bool) -> u64 {
    let mut world = World::new(5);
    let (north, south) = (person(&mut world, "north"), person(&mut world, "south"));
    let late = Weather {
        latency: Duration::from_secs(1),
        reliable,
        ..Weather::default()
    };
    world.connect(north, south, late);
    world.run(Duration::from_secs(30));
    peers(&mut world, north)[0].retransmitted
}

#[test]
fn what_a_reliable_link_took_is_not_sent_again_because_the_answer_is_late() {
    // What both have is the handshake, which is said again until it is answered.
    assert!(sent_again(true) < sent_again(false));
}
