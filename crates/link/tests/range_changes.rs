//! Links come and go with what the air's folder says about range, while nodes run.

mod common;

use std::fs;
use std::time::Duration;

use chappe_link::air::{Hearing, Pair, Range, Settings, present};
use chappe_link::{StartError, TransportEvent, Trouble};
use common::*;
use tokio::time::Instant;

#[tokio::test]
async fn everybody_hears_everybody_at_first() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    talk(&mut one, &mut other).await;
    assert_eq!(
        present(air.path()).unwrap(),
        [name("north"), name("south")].into()
    );
}

#[tokio::test]
async fn the_name_that_sorts_first_opens_the_only_link() {
    let air = tempfile::tempdir().unwrap();
    let mut south = Node::start(air.path(), "south").await;
    let mut north = Node::start(air.path(), "north").await;
    let (one, other) = (north.link_up().await, south.link_up().await);
    assert!(one.info.initiator && !other.info.initiator);
    assert_eq!(
        (one.info.label.as_str(), other.info.label.as_str()),
        ("south", "north")
    );
    assert_eq!(one.info.bearer.name(), "air");
    north.hears_nothing().await;
    south.hears_nothing().await;
}

#[tokio::test]
async fn out_of_range_takes_the_link_down_and_back_in_range_brings_another() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    for _ in 0..3 {
        set_range(air.path(), &["north", "south"]);
        let (mut one, mut other) = (north.link_up().await, south.link_up().await);
        talk(&mut one, &mut other).await;
        nobody_hears(air.path());
        is_down(&mut one).await;
        is_down(&mut other).await;
        assert!(one.outgoing.try_send(vec![1]).is_err());
    }
    north.hears_nothing().await;
}

#[tokio::test]
async fn the_two_ends_of_three_nodes_never_meet() {
    let air = tempfile::tempdir().unwrap();
    set_range(air.path(), &["north", "relay", "--", "relay", "south"]);
    let mut north = Node::start(air.path(), "north").await;
    let mut relay = Node::start(air.path(), "relay").await;
    let mut south = Node::start(air.path(), "south").await;
    let (mut from_north, mut from_south) = (north.link_up().await, south.link_up().await);
    let mut links = [relay.link_up().await, relay.link_up().await];
    links.sort_by(|a, b| a.info.label.cmp(&b.info.label));
    let [mut to_north, mut to_south] = links;
    talk(&mut from_north, &mut to_north).await;
    talk(&mut from_south, &mut to_south).await;
    north.hears_nothing().await;
    south.hears_nothing().await;

    // Only the link that is no longer in range goes.
    set_range(air.path(), &["north", "relay"]);
    is_down(&mut from_south).await;
    is_down(&mut to_south).await;
    talk(&mut from_north, &mut to_north).await;
}

#[tokio::test]
async fn conditions_change_while_a_link_is_up() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (one, mut other) = (north.link_up().await, south.link_up().await);
    one.outgoing.send(vec![1]).await.unwrap();
    soon(other.incoming.recv()).await;

    let mut range = Range::default();
    range.set(Settings::from_words(["latency=300ms"]).unwrap());
    range.save(air.path()).unwrap();
    tokio::time::sleep(A_WHILE).await;
    let sent = Instant::now();
    one.outgoing.send(vec![2]).await.unwrap();
    assert_eq!(soon(other.incoming.recv()).await, Some(vec![2]));
    assert!(
        sent.elapsed() >= Duration::from_millis(300),
        "{:?}",
        sent.elapsed()
    );
    north.hears_nothing().await;
}

#[tokio::test]
async fn another_mtu_makes_another_link() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let mut links = [north.link_up().await, south.link_up().await];
    assert_eq!(links.each_ref().map(|link| link.info.mtu), [8192, 8192]);

    let mut range = Range::default();
    let pair = Pair::new(name("south"), name("north")).unwrap();
    range.set_pair(pair, Settings::from_words(["mtu=20"]).unwrap());
    range.save(air.path()).unwrap();
    for link in &mut links {
        is_down(link).await;
    }
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    assert_eq!((one.info.mtu, other.info.mtu), (20, 20));
    talk(&mut one, &mut other).await;
}

#[tokio::test]
async fn a_range_file_that_cannot_be_read_changes_nothing_and_is_reported_once() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    fs::write(air.path().join("range.toml"), "groups = []\nlatency = 20\n").unwrap();
    let TransportEvent::Trouble(Trouble::Settings(trouble)) = north.event().await else {
        panic!()
    };
    assert!(trouble.starts_with("range.toml, line 2: "), "{trouble}");
    north.hears_nothing().await;
    talk(&mut one, &mut other).await;

    // Mended, it is in force.
    fs::write(air.path().join("range.toml"), "groups = []\n").unwrap();
    is_down(&mut one).await;
}

#[tokio::test]
async fn a_node_does_not_start_with_a_range_file_that_cannot_be_read() {
    let air = tempfile::tempdir().unwrap();
    fs::write(air.path().join("range.toml"), "loss = \"two\"").unwrap();
    let Err(StartError::Setting(sentence)) = Node::try_start(air.path(), "north").await else {
        panic!()
    };
    assert!(
        sentence.starts_with("range.toml, line 1: expected a percentage"),
        "{sentence}"
    );
    assert!(present(air.path()).unwrap().is_empty());
}

#[tokio::test]
async fn a_range_without_groups_again_lets_everybody_hear() {
    let air = tempfile::tempdir().unwrap();
    nobody_hears(air.path());
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    north.hears_nothing().await;
    Range {
        hearing: Hearing::Everybody,
        ..Range::default()
    }
    .save(air.path())
    .unwrap();
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    talk(&mut one, &mut other).await;
}
