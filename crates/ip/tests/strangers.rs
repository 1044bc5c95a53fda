//! Whoever is in the group can connect. That costs a bounded amount, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::net::SocketAddrV6;
use std::time::Duration;

use chappe_ip::{GroupKey, Interface, MAX_MEMBERS, Place, Rendezvous, Role, Station};
use chappe_link::{LinkUp, Running, Transport, TransportEvent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

async fn station(role: Role) -> (Rendezvous, Running, mpsc::Receiver<TransportEvent>) {
    let place = Place::on(Interface::new("lo").unwrap());
    let station = Station::open(&place, GroupKey::fresh(), role)
        .await
        .unwrap();
    let rendezvous = station.rendezvous();
    let (events, heard) = mpsc::channel(MAX_MEMBERS);
    let running = Box::new(station).start(events).await.unwrap();
    (rendezvous, running, heard)
}

async fn link(heard: &mut mpsc::Receiver<TransportEvent>) -> LinkUp {
    match timeout(PATIENCE, heard.recv()).await.unwrap().unwrap() {
        TransportEvent::LinkUp(up) => up,
        other => unreachable!("{other:?}"),
    }
}

async fn connect(to: Rendezvous) -> TcpStream {
    let address = SocketAddrV6::new(to.address, to.port, 0, 0);
    TcpStream::connect(address).await.unwrap()
}

async fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_closed_and_keeps_nobody_out() {
    let (owner, _running, mut heard) = station(Role::Owner).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(connect(owner).await);
    }
    let (_, _member, mut member_heard) = station(Role::Member(owner)).await;
    link(&mut heard).await;
    link(&mut member_heard).await;
    for stream in &mut silent {
        // Reset or closed: both will do.
        let _ = timeout(Duration::from_secs(15), until_closed(stream))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn random_bytes_close_their_connection_and_no_other() {
    let (owner, _running, mut heard) = station(Role::Owner).await;
    let (_, _member, mut member_heard) = station(Role::Member(owner)).await;
    let (mut south, north) = (link(&mut heard).await, link(&mut member_heard).await);
    let mut noise: u64 = 1;
    for round in 0..20 {
        let mut stream = connect(owner).await;
        let bytes: Vec<u8> = (0..round * 37 + 1)
            .map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (noise >> 33) as u8
            })
            .collect();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = timeout(PATIENCE, until_closed(&mut stream)).await.unwrap();
    }
    north.outgoing.send(vec![1, 2, 3]).await.unwrap();
    assert_eq!(south.incoming.recv().await, Some(vec![1, 2, 3]));
    assert!(heard.try_recv().is_err(), "noise made a link");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_members_than_the_group_has_room_for_get_a_link() {
    let (owner, _running, mut heard) = station(Role::Owner).await;
    let mut members = Vec::new();
    for _ in 0..MAX_MEMBERS + 2 {
        members.push(station(Role::Member(owner)).await);
    }
    let mut links = Vec::new();
    for _ in 0..MAX_MEMBERS {
        links.push(link(&mut heard).await);
    }
    let more = timeout(Duration::from_secs(2), heard.recv()).await;
    assert!(more.is_err(), "{more:?}");
}
