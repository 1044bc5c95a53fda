//! Every frame arrives once and in order, at every MTU and in any weather, or the hop ends with an error.
#![cfg(test)]

mod common;

use chappe_hop::Mtu;
use chappe_wire::{Duration, Instant, MAX_FRAME_LEN};
use common::{Pair, Weather, numbered_frames};
use proptest::prelude::*;

/// Sends frames both ways and checks that they all arrive in order.
fn exchange(mtu: usize, seed: u64, count: u32) {
    let mut pair = Pair::new(mtu, seed);
    let frames = [
        numbered_frames(count, 700, seed),
        numbered_frames(count, 700, seed + 1),
    ];
    pair.send(0, frames[0].clone());
    pair.send(1, frames[1].clone());
    let done = pair.run_until(Instant::ZERO.after(Duration::from_secs(30)), |pair| {
        pair.frame_count(0) + pair.frame_count(1) == 2 * count as usize
    });
    assert!(done, "at MTU {mtu}: {:?}", pair.errors);
    assert!(pair.frames(0) == frames[1], "at MTU {mtu}");
    assert!(pair.frames(1) == frames[0], "at MTU {mtu}");
    assert_eq!(pair.ends[0].stats().retransmitted, 0, "at MTU {mtu}");
}

#[test]
fn frames_arrive_at_every_mtu_from_20_to_600() {
    for mtu in 20..=600 {
        exchange(mtu, mtu as u64, 4);
    }
}

#[test]
fn frames_arrive_at_large_mtus() {
    for mtu in [
        1_024, 1_500, 4_096, 16_383, 16_384, 16_385, 32_768, 65_534, 65_535,
    ] {
        exchange(mtu, mtu as u64, 60);
    }
}

#[test]
fn no_packet_is_longer_than_the_mtu() {
    for mtu in [20, 23, 61, 185, 247, 479, 480, 481, 482, 512, 2_000, 65_535] {
        let mut pair = Pair::new(mtu, 3);
        pair.capture = true;
        pair.send(0, numbered_frames(40, MAX_FRAME_LEN, 3));
        pair.run_for(Duration::from_secs(20));
        assert_eq!(pair.frame_count(1), 40);
        let longest = pair.captured.iter().flatten().map(Vec::len).max();
        assert!(longest <= Some(mtu), "{longest:?} at MTU {mtu}");
    }
}

#[test]
fn an_mtu_is_20_to_65535_bytes() {
    assert!(Mtu::new(19).is_err());
    assert!(Mtu::new(65_536).is_err());
    assert!(Mtu::new(usize::MAX).is_err());
    assert_eq!(Mtu::new(20), Ok(Mtu::MIN));
    assert_eq!(Mtu::new(65_535), Ok(Mtu::MAX));
}

#[test]
fn the_longest_and_the_shortest_frame_arrive_and_others_are_refused() {
    let mut pair = Pair::established(185, 1);
    assert!(pair.ends[0].send_frame(vec![]).is_err());
    assert!(pair.ends[0].send_frame(vec![1; MAX_FRAME_LEN + 1]).is_err());
    let frames = vec![vec![7; MAX_FRAME_LEN], vec![8], vec![9; MAX_FRAME_LEN]];
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_secs(5));
    assert!(pair.frames(1) == frames);
}

#[test]
fn frame_space_says_exactly_what_fits() {
    let mut pair = Pair::new(247, 1);
    assert_eq!(pair.ends[0].frame_space(), 0);
    assert!(pair.ends[0].send_frame(vec![1]).is_err());
    pair.run_for(Duration::from_secs(1));
    let space = pair.ends[0].frame_space();
    assert!((MAX_FRAME_LEN..=32 * 1024).contains(&space));
    while pair.ends[0].frame_space() > 0 {
        let length = pair.ends[0].frame_space().min(1_000);
        assert!(pair.ends[0].send_frame(vec![1; length]).is_ok());
    }
    assert!(pair.ends[0].send_frame(vec![1]).is_err());
}

#[test]
fn an_end_that_takes_no_frames_stops_the_other_and_loses_nothing() {
    let mut pair = Pair::established(512, 1);
    pair.deaf[1] = true;
    let frames = numbered_frames(200, 2_000, 5);
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_secs(40));
    assert_eq!(pair.errors, [None, None]);
    assert!(!pair.backlog[0].is_empty(), "200 kB do not fit the windows");
    pair.deaf[1] = false;
    pair.run_for(Duration::from_secs(10));
    assert!(pair.frames(1) == frames);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_arrives_once_and_in_order_or_the_hop_ends(
        mtu in prop_oneof![20usize..100, 100usize..600, Just(4_096), Just(65_535)],
        seed in 0u64..1_000_000,
        loss in 0u32..250,
        duplication in 0u32..200,
        corruption in 0u32..100,
        jitter in 0u64..80,
        queue in 1usize..100,
    ) {
        let mut pair = Pair::new(mtu, seed);
        // A message is lost if any of its packets is, so short packets get better weather.
        let scale = if mtu < 480 { 4 } else { 1 };
        pair.weather = Weather {
            loss: loss / scale,
            duplication,
            corruption: corruption / scale,
            delay: (Duration::from_millis(5), Duration::from_millis(5 + jitter / scale as u64)),
            queue,
        };
        let frames = [numbered_frames(60, 900, seed), numbered_frames(30, 300, seed + 1)];
        pair.send(0, frames[0].clone());
        pair.send(1, frames[1].clone());
        let done = pair.run_until(Instant::ZERO.after(Duration::from_secs(600)), |pair| {
            pair.errors.iter().any(Option::is_some)
                || pair.frame_count(0) >= 30 && pair.frame_count(1) >= 60
        });
        prop_assert!(done, "neither done nor dead after ten minutes");
        for (end, sent) in [(0, &frames[1]), (1, &frames[0])] {
            let received = pair.frames(end);
            prop_assert!(received.len() <= sent.len());
            prop_assert_eq!(&received[..], &sent[..received.len()]);
        }
    }
}
