//! How links and nodes end: by a node, by a stop, by a crash.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use chappe_link::air::{Range, Settings, present};
use common::*;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn a_link_that_one_node_closes_is_down_at_the_other_and_comes_up_again() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (one, mut other) = (north.link_up().await, south.link_up().await);
    drop(one);
    is_down(&mut other).await;
    drop(other);
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    talk(&mut one, &mut other).await;
}

#[tokio::test]
async fn what_the_sender_took_arrives_although_the_link_is_closed() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (one, mut other) = (north.link_up().await, south.link_up().await);
    for number in 0..4 {
        one.outgoing.try_send(vec![number; 8000]).unwrap();
    }
    drop(one);
    for number in 0..4 {
        assert_eq!(soon(other.incoming.recv()).await, Some(vec![number; 8000]));
    }
    is_down(&mut other).await;
}

#[tokio::test]
async fn a_stop_lets_the_last_packets_leave_and_removes_the_socket() {
    let air = tempfile::tempdir().unwrap();
    let settings = Settings::from_words(["rate=100kB/s"]).unwrap();
    Range {
        settings,
        ..Range::default()
    }
    .save(air.path())
    .unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (one, mut other) = (north.link_up().await, south.link_up().await);
    for number in 0..2 {
        one.outgoing.try_send(vec![number; 8_000]).unwrap();
    }
    drop(one);
    soon(north.running.stop()).await;
    assert_eq!(present(air.path()).unwrap(), [name("south")].into());
    for number in 0..2 {
        assert_eq!(soon(other.incoming.recv()).await, Some(vec![number; 8_000]));
    }
    is_down(&mut other).await;
    south.hears_nothing().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_nodes_that_keep_their_links() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    let (mut one, mut other) = (north.link_up().await, south.link_up().await);
    soon(north.running.stop()).await;
    is_down(&mut one).await;
    is_down(&mut other).await;
}

#[tokio::test]
async fn a_transport_that_is_dropped_or_not_listened_to_ends() {
    let air = tempfile::tempdir().unwrap();
    let north = Node::start(air.path(), "north").await;
    let south = Node::start(air.path(), "south").await;
    drop(north.running);
    drop(south.events);
    let until = Instant::now() + PATIENCE;
    while !present(air.path()).unwrap().is_empty() {
        assert!(Instant::now() < until, "a socket stays");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Not a test by itself: the node that [`a_killed_node_is_noticed_and_its_socket_removed`] kills.
#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn node_to_be_killed() {
    let air = std::env::var_os("CHAPPE_TEST_AIR").expect("run by another test");
    let name = std::env::var("CHAPPE_TEST_NAME").unwrap();
    let mut node = Node::start(air.as_ref(), &name).await;
    let link = node.link_up().await;
    sleep(PATIENCE).await;
    drop(link);
}

#[tokio::test]
async fn a_killed_node_is_noticed_and_its_socket_removed() {
    // Once the killed node is the one that opens the link, once the other.
    for (survivor, victim) in [("north", "south"), ("south", "north")] {
        let air = tempfile::tempdir().unwrap();
        let mut node = Node::start(air.path(), survivor).await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "node_to_be_killed", "--ignored", "--nocapture"])
            .env("CHAPPE_TEST_AIR", air.path())
            .env("CHAPPE_TEST_NAME", victim)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut link = node.link_up().await;
        assert!(air.path().join(format!("{victim}.sock")).exists());
        child.kill().unwrap();
        child.wait().unwrap();
        is_down(&mut link).await;
        let until = Instant::now() + PATIENCE;
        while present(air.path()).unwrap().contains(&name(victim)) {
            assert!(Instant::now() < until, "the dead socket stays");
            sleep(Duration::from_millis(10)).await;
        }

        // It starts again under its name.
        let mut again = Node::start(air.path(), victim).await;
        let (mut one, mut other) = (node.link_up().await, again.link_up().await);
        talk(&mut one, &mut other).await;
    }
}
