//! Loss, duplication, reordering and latency are as set, and the same for the same seed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::time::Duration;

use chappe_link::Layer;
use chappe_link::fault::{FaultLayer, Faults, Latency, Probability, Rate};
use common::*;
use tokio::time::Instant;

const PACKETS: usize = 10_000;

/// Sends numbered packets over a link with faults; returns the numbers in the order of arrival.
async fn arrivals(faults: Faults, seed: u64, packets: usize) -> Vec<u32> {
    let (below, mut end) = memory_link(100, 8);
    let up = FaultLayer::new(faults, seed).wrap(below);
    tokio::spawn(async move {
        for number in 0..packets as u32 {
            up.outgoing
                .send(number.to_be_bytes().to_vec())
                .await
                .unwrap();
        }
    });
    let mut numbers = Vec::new();
    while let Some(packet) = end.source.next().await {
        numbers.push(u32::from_be_bytes(packet.bytes().try_into().unwrap()));
    }
    numbers
}

fn percent(percent: u32) -> Probability {
    Probability::millionths(percent * 10_000)
}

#[tokio::test(start_paused = true)]
async fn without_faults_everything_arrives_in_order() {
    let numbers = arrivals(Faults::NONE, 1, PACKETS).await;
    assert_eq!(numbers, (0..PACKETS as u32).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn latency_alone_neither_loses_nor_reorders() {
    let faults = Faults {
        latency: Latency::from_millis(20),
        ..Faults::NONE
    };
    let start = Instant::now();
    let numbers = arrivals(faults, 1, PACKETS).await;
    assert_eq!(numbers, (0..PACKETS as u32).collect::<Vec<_>>());
    assert!(start.elapsed() >= Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn a_tenth_is_lost_when_a_tenth_is_to_be_lost() {
    let faults = Faults {
        loss: percent(10),
        ..Faults::NONE
    };
    let arrived = arrivals(faults, 1, PACKETS).await.len();
    // Ten standard deviations (30 packets each) around the mean.
    assert!((8_700..=9_300).contains(&arrived), "{arrived} of {PACKETS}");
}

#[tokio::test(start_paused = true)]
async fn a_tenth_arrives_twice_when_a_tenth_is_to_be_repeated() {
    let faults = Faults {
        duplicate: percent(10),
        ..Faults::NONE
    };
    let mut numbers = arrivals(faults, 1, PACKETS).await;
    let arrived = numbers.len();
    assert!(
        (10_700..=11_300).contains(&arrived),
        "{arrived} of {PACKETS}"
    );
    numbers.dedup();
    assert_eq!(numbers, (0..PACKETS as u32).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_tenth_is_overtaken_when_a_tenth_is_to_be_reordered() {
    let rate = Rate::bytes_per_second(400);
    let faults = Faults {
        rate,
        reorder: percent(10),
        ..Faults::NONE
    };
    let mut numbers = arrivals(faults, 1, PACKETS).await;
    let mut highest = 0;
    let mut overtaken = 0;
    for &number in &numbers {
        overtaken += usize::from(number < highest);
        highest = highest.max(number);
    }
    assert!(
        (700..=1_300).contains(&overtaken),
        "{overtaken} of {PACKETS}"
    );
    numbers.sort_unstable();
    assert_eq!(numbers, (0..PACKETS as u32).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn all_is_lost_when_all_is_to_be_lost() {
    let faults = Faults {
        loss: Probability::ALWAYS,
        ..Faults::NONE
    };
    assert_eq!(arrivals(faults, 1, 100).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_may_lose_packets_does_not_say_that_it_is_reliable() {
    let (up, _end) = memory_link(100, 4);
    assert!(up.info.reliable);
    assert!(!FaultLayer::new(Faults::NONE, 1).wrap(up).info.reliable);
}

#[tokio::test(start_paused = true)]
async fn the_seed_decides() {
    let faults = Faults {
        loss: percent(20),
        duplicate: percent(20),
        reorder: percent(20),
        ..Faults::NONE
    };
    let [one, same, other] = [
        arrivals(faults, 1, 1_000),
        arrivals(faults, 1, 1_000),
        arrivals(faults, 2, 1_000),
    ];
    let (one, same, other) = tokio::join!(one, same, other);
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn two_links_of_one_layer_lose_different_packets() {
    let layer = FaultLayer::new(
        Faults {
            loss: percent(50),
            ..Faults::NONE
        },
        1,
    );
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (below, mut end) = memory_link(100, 8);
        let up = layer.wrap(below);
        tokio::spawn(async move {
            for number in 0..100 {
                up.outgoing.send(vec![number]).await.unwrap();
            }
        });
        let mut numbers = Vec::new();
        while let Some(packet) = end.source.next().await {
            numbers.push(packet.bytes()[0]);
        }
        seen.push(numbers);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_bounded() {
    let (below, end) = memory_link(65_535, 8);
    let faults = Faults {
        latency: Latency::MAX,
        ..Faults::NONE
    };
    let up = FaultLayer::new(faults, 1).wrap(below);
    let mut taken = 0_usize;
    while tokio::time::timeout(Duration::from_secs(1), up.outgoing.send(vec![0; 65_535]))
        .await
        .is_ok()
    {
        taken += 65_535;
    }
    // 4 MiB under way and the queue.
    assert!((4 << 20..5 << 20).contains(&taken), "{taken} bytes");
    drop(end);
}
