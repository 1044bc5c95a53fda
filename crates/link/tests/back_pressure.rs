//! A link takes no more packets than its queue allows, and tells as they leave.

mod common;

use std::time::Duration;

use chappe_link::fault::{FaultLayer, Faults, Rate};
use chappe_link::{DeliverError, Layer, SendError};
use common::*;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test]
async fn the_sender_has_room_for_its_queue_and_again_as_packets_leave() {
    let (up, mut end) = memory_link(100, 2);
    let mut drains = up.outgoing.drains();
    assert_eq!(up.outgoing.room(), 2);
    up.outgoing.try_send(vec![1]).unwrap();
    up.outgoing.try_send(vec![2]).unwrap();
    assert_eq!(up.outgoing.try_send(vec![3]), Err(SendError::Full));

    // Taken by the transport is not left.
    let packet = end.source.next().await.unwrap();
    assert_eq!(up.outgoing.try_send(vec![3]), Err(SendError::Full));
    assert!(
        timeout(Duration::from_millis(10), drains.next())
            .await
            .is_err()
    );
    drop(packet);
    assert_eq!(drains.next().await, Some(1));
    up.outgoing.try_send(vec![3]).unwrap();

    drop(end.source.next().await);
    drop(end.source.next().await);
    assert_eq!(drains.next().await, Some(2));
    assert_eq!(up.outgoing.room(), 2);
    drop(end);
    assert_eq!(drains.next().await, None);
    assert_eq!(up.outgoing.try_send(vec![4]), Err(SendError::Closed));
    assert_eq!(up.outgoing.room(), 0);
}

#[tokio::test]
async fn a_waiting_send_ends_with_the_link() {
    let (up, end) = memory_link(100, 1);
    up.outgoing.try_send(vec![1]).unwrap();
    let mut source = end.source;
    let leaving = source.next().await;
    let waiting = up.outgoing.send(vec![2]);
    // What is leaving still counts as outstanding.
    let (sent, ()) = soon(async { tokio::join!(waiting, async { drop(source) }) }).await;
    assert_eq!(sent, Err(SendError::Closed));
    drop(leaving);
}

#[tokio::test]
async fn packets_of_no_bytes_or_over_the_mtu_are_refused_on_both_sides() {
    let (up, end) = memory_link(20, 1);
    assert_eq!(up.outgoing.try_send(vec![]), Err(SendError::Empty));
    let too_long = SendError::TooLong {
        length: 21,
        mtu: 20,
    };
    assert_eq!(up.outgoing.try_send(vec![0; 21]), Err(too_long));
    assert_eq!(up.outgoing.send(vec![0; 21]).await, Err(too_long));
    assert_eq!(end.sink.try_deliver(vec![0; 21]), Err(DeliverError::Length));
    assert_eq!(end.sink.deliver(vec![]).await, Err(DeliverError::Length));
    up.outgoing.try_send(vec![0; 20]).unwrap();
    end.sink.try_deliver(vec![0; 20]).unwrap();
    assert_eq!(end.sink.try_deliver(vec![0; 20]), Err(DeliverError::Full));
    drop(up);
    assert_eq!(end.sink.try_deliver(vec![0; 20]), Err(DeliverError::Closed));
}

#[tokio::test]
async fn mtu_and_queue_are_moved_into_their_bounds() {
    let (up, _end) = memory_link(0, 0);
    assert_eq!((up.info.mtu, up.info.queue), (20, 1));
    let (up, _end) = memory_link(1 << 20, 1 << 20);
    assert_eq!((up.info.mtu, up.info.queue), (65_535, 1_024));
}

#[tokio::test(start_paused = true)]
async fn a_paced_link_tells_of_packets_as_the_rate_lets_them_leave() {
    let (below, mut end) = memory_link(1_000, 4);
    let faults = Faults {
        rate: Rate::bytes_per_second(1_000),
        ..Faults::NONE
    };
    let up = FaultLayer::new(faults, 0).wrap(below);
    tokio::spawn(async move { while end.source.next().await.is_some() {} });
    let mut drains = up.outgoing.drains();
    let start = Instant::now();
    for _ in 0..4 {
        up.outgoing.try_send(vec![0; 1_000]).unwrap();
    }
    assert_eq!(up.outgoing.try_send(vec![0; 1_000]), Err(SendError::Full));
    for second in 1..=4 {
        assert_eq!(drains.next().await, Some(1));
        let error = start.elapsed().abs_diff(Duration::from_secs(second));
        assert!(
            error < Duration::from_millis(5),
            "packet {second}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_link_below_holds_back_the_sender_above() {
    let (below, end) = memory_link(1_000, 4);
    let up = FaultLayer::new(Faults::NONE, 0).wrap(below);
    let mut taken = 0;
    while timeout(Duration::from_secs(1), up.outgoing.send(vec![0; 100]))
        .await
        .is_ok()
    {
        taken += 1;
    }
    // The queue above and the queue below.
    assert_eq!(taken, 8);
    sleep(Duration::from_secs(1)).await;
    drop(end);
    soon(up.outgoing.closed()).await;
}
