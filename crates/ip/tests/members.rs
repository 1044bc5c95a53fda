//! Members of a group meet by way of its owner, over real sockets on the loopback interface.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use chappe_ip::{GroupKey, Interface, MTU, Place, Rendezvous, Role, Station};
use chappe_link::{LinkUp, Running, StartError, Transport, TransportEvent};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

struct Node {
    rendezvous: Rendezvous,
    running: Running,
    heard: mpsc::Receiver<TransportEvent>,
}

impl Node {
    async fn start(role: Role) -> Self {
        let place = Place::on(Interface::new("lo").unwrap());
        let station = Station::open(&place, GroupKey::fresh(), role)
            .await
            .unwrap();
        let rendezvous = station.rendezvous();
        let (events, heard) = mpsc::channel(8);
        let running = Box::new(station).start(events).await.unwrap();
        Self {
            rendezvous,
            running,
            heard,
        }
    }

    async fn link(&mut self) -> LinkUp {
        match timeout(PATIENCE, self.heard.recv()).await.unwrap().unwrap() {
            TransportEvent::LinkUp(up) => up,
            other => unreachable!("{other:?}"),
        }
    }

    async fn no_link(&mut self) {
        let more = timeout(Duration::from_secs(2), self.heard.recv()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_members_and_their_owner_all_have_a_link_with_each_other() {
    let mut owner = Node::start(Role::Owner).await;
    let role = Role::Member(owner.rendezvous);
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(Node::start(role).await);
    }
    let mut labels = Vec::new();
    for node in members.iter_mut().chain([&mut owner]) {
        let links = [node.link().await, node.link().await, node.link().await];
        let told: BTreeSet<String> = links.iter().map(|up| up.info.label.clone()).collect();
        assert_eq!(told.len(), 3, "each neighbour once: {told:?}");
        labels.push((told, links));
    }
    for node in members.iter_mut().chain([&mut owner]) {
        node.no_link().await;
    }
}

#[tokio::test]
async fn packets_of_every_length_arrive_in_order_both_ways() {
    let mut owner = Node::start(Role::Owner).await;
    let mut member = Node::start(Role::Member(owner.rendezvous)).await;
    let (mut north, mut south) = (member.link().await, owner.link().await);
    assert_eq!((north.info.mtu, north.info.initiator), (MTU, true));
    assert_eq!((south.info.mtu, south.info.initiator), (MTU, false));
    assert!(north.info.reliable && south.info.reliable);
    for length in [1, 2, 1_000, MTU - 1, MTU] {
        let packet = vec![length as u8; length];
        north.outgoing.send(packet.clone()).await.unwrap();
        assert_eq!(south.incoming.recv().await, Some(packet.clone()));
        south.outgoing.send(packet.clone()).await.unwrap();
        assert_eq!(north.incoming.recv().await, Some(packet));
    }
}

#[tokio::test]
async fn what_was_taken_leaves_before_the_station_stops() {
    let mut owner = Node::start(Role::Owner).await;
    let mut member = Node::start(Role::Member(owner.rendezvous)).await;
    let (north, mut south) = (member.link().await, owner.link().await);
    for number in 0..8 {
        north.outgoing.send(vec![number; 1_000]).await.unwrap();
    }
    drop(north);
    member.running.stop().await;
    for number in 0..8 {
        assert_eq!(south.incoming.recv().await, Some(vec![number; 1_000]));
    }
    assert_eq!(south.incoming.recv().await, None);
}

#[tokio::test]
async fn a_link_that_the_node_closes_is_made_anew() {
    let mut owner = Node::start(Role::Owner).await;
    let mut member = Node::start(Role::Member(owner.rendezvous)).await;
    let (north, south) = (member.link().await, owner.link().await);
    drop(south);
    let (_again, mut north_incoming) = (member.link().await, north.incoming);
    owner.link().await;
    assert_eq!(north_incoming.recv().await, None);
}

#[tokio::test]
async fn a_member_that_stops_is_gone_for_the_others() {
    let mut owner = Node::start(Role::Owner).await;
    let mut first = Node::start(Role::Member(owner.rendezvous)).await;
    let (_south, mut kept) = (owner.link().await, first.link().await);
    let mut second = Node::start(Role::Member(owner.rendezvous)).await;
    let mut at_owner = owner.link().await;
    let mut between = first.link().await;
    let _second_links = (second.link().await, second.link().await);
    second.running.stop().await;
    assert_eq!(timeout(PATIENCE, at_owner.incoming.recv()).await, Ok(None));
    assert_eq!(timeout(PATIENCE, between.incoming.recv()).await, Ok(None));
    assert!(
        timeout(Duration::from_millis(100), kept.incoming.recv())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_owner_with_another_key_is_not_talked_to() {
    let owner = Node::start(Role::Owner).await;
    let mut wrong = owner.rendezvous;
    wrong.key = GroupKey::fresh().public();
    let mut member = Node::start(Role::Member(wrong)).await;
    member.no_link().await;
}

#[tokio::test]
async fn an_interface_that_does_not_exist_is_told_in_one_sentence() {
    let place = Place::on(Interface::new("p2p-none").unwrap());
    let error = Station::open(&place, GroupKey::fresh(), Role::Owner).await;
    let error = error.err().unwrap();
    assert!(matches!(error, StartError::Gone(_)));
    assert_eq!(error.to_string(), "there is no interface p2p-none");
    let place = Place::on(Interface::new("lo").unwrap()).inside("no-such-namespace");
    let error = Station::open(&place, GroupKey::fresh(), Role::Owner).await;
    assert!(error.err().unwrap().to_string().contains("does not exist"));
}
