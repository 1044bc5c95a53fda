//! The rate of a paced link is met, whatever the size of its packets and the grain of the clock.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::time::Duration;

use chappe_link::fault::{FaultLayer, Faults, Rate};
use chappe_link::{Layer, LinkEnd, LinkUp};
use common::*;
use tokio::time::Instant;

const RATE: u64 = 1_000_000;

fn paced(mtu: usize, queue: usize) -> (LinkUp, LinkEnd) {
    let (below, end) = memory_link(mtu, queue);
    let faults = Faults {
        rate: Rate::bytes_per_second(RATE),
        ..Faults::NONE
    };
    (FaultLayer::new(faults, 0).wrap(below), end)
}

/// Sends `bytes` as fast as the link takes them, and tells by which factor the rate was met.
async fn share_of_rate(bytes: usize, mtu: usize, queue: usize) -> f64 {
    let (up, mut end) = paced(mtu, queue);
    let start = Instant::now();
    tokio::spawn(async move {
        for _ in 0..bytes / mtu {
            up.outgoing.send(vec![0; mtu]).await.unwrap();
        }
    });
    let mut arrived = 0;
    while let Some(packet) = end.source.next().await {
        arrived += packet.bytes().len();
    }
    assert_eq!(arrived, bytes / mtu * mtu);
    arrived as f64 / start.elapsed().as_secs_f64() / RATE as f64
}

#[tokio::test(start_paused = true)]
async fn ten_megabytes_at_one_megabyte_per_second_take_ten_seconds() {
    // Packets of 8 ms, 0.5 ms and 0.02 ms; timers have a grain of 1 ms.
    for (bytes, mtu, queue) in [
        (10_000_000, 8_192, 6),
        (10_000_000, 512, 97),
        (1_000_000, 20, 1_024),
    ] {
        let share = share_of_rate(bytes, mtu, queue).await;
        assert!(
            (0.98..=1.005).contains(&share),
            "MTU {mtu}: {share:.4} of the rate"
        );
    }
}

#[tokio::test]
async fn one_megabyte_takes_a_second_on_a_real_clock() {
    let share = share_of_rate(1_000_000, 8_192, 6).await;
    // A busy machine may run the sender late; the bench `pacing` gives the figure of a quiet one.
    assert!((0.90..=1.01).contains(&share), "{share:.4} of the rate");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_not_made_up_for() {
    let (up, mut end) = paced(1_000, 4);
    up.outgoing.send(vec![0; 1_000]).await.unwrap();
    drop(end.source.next().await);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let start = Instant::now();
    tokio::spawn(async move {
        for _ in 0..1_000 {
            up.outgoing.send(vec![0; 1_000]).await.unwrap();
        }
    });
    while end.source.next().await.is_some() {}
    assert!(
        start.elapsed() >= Duration::from_millis(995),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn waking_late_is_made_up_for_by_a_tenth_of_a_second_at_most() {
    let (up, mut end) = paced(1_000, 1_024);
    for _ in 0..1_000 {
        up.outgoing.try_send(vec![0; 1_000]).unwrap();
    }
    drop(up);
    tokio::task::yield_now().await;
    // The machine sleeps.
    tokio::time::advance(Duration::from_secs(60)).await;
    let start = Instant::now();
    while end.source.next().await.is_some() {}
    let took = start.elapsed();
    // 999 packets of 1 ms, of which 100 are made up for.
    assert!((895..=905).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_rate_counts_for_the_packet_that_is_leaving() {
    let (below, mut end) = memory_link(1_000, 4);
    let slow = Faults {
        rate: Rate::bytes_per_second(1),
        ..Faults::NONE
    };
    let layer = FaultLayer::new(slow, 0);
    let up = layer.wrap(below);
    up.outgoing.send(vec![0; 1_000]).await.unwrap();
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    layer.set(Faults::NONE);
    drop(end.source.next().await);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}
