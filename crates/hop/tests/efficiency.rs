//! How much of what is sent is payload, and that little is sent in vain.
#![cfg(test)]

mod common;

use chappe_wire::Duration;
use common::{Pair, Weather, numbered_frames};

/// Payload as a share of the bytes that an end sent, in tenths of a per cent.
fn payload_share(mtu: usize, frame_len: usize) -> u64 {
    let mut pair = Pair::established(mtu, 1);
    let before = pair.ends[0].stats().bytes_out;
    let frames = 40_000 / frame_len;
    pair.send(0, (0..frames).map(|_| vec![7; frame_len]));
    let payload = (frames * frame_len) as u64;
    let end = pair.now.after(Duration::from_secs(60));
    assert!(pair.run_until(end, |pair| pair.frame_count(1) == frames));
    payload * 1_000 / (pair.ends[0].stats().bytes_out - before)
}

#[test]
fn at_the_smallest_mtu_four_fifths_are_payload() {
    for frame_len in [500, 1_000, 4_000, 8_000] {
        let share = payload_share(20, frame_len);
        assert!(share >= 800, "{share} per mille with frames of {frame_len}");
    }
}

#[test]
fn at_larger_mtus_more_is_payload() {
    for (mtu, least) in [
        (185, 930),
        (247, 930),
        (512, 940),
        (4_096, 990),
        (65_535, 995),
    ] {
        let share = payload_share(mtu, 4_000);
        assert!(share >= least, "{share} per mille at MTU {mtu}");
    }
}

#[test]
fn one_lost_packet_costs_one_record() {
    for mtu in [20, 247, 4_096] {
        let mut pair = Pair::established(mtu, 1);
        let mut sent = 0;
        pair.filter = Box::new(move |from, _| {
            sent += u32::from(from == 0);
            sent != 4
        });
        let frames = numbered_frames(60, 1_000, 1);
        pair.send(0, frames.clone());
        pair.run_for(Duration::from_secs(10));
        assert!(pair.frames(1) == frames);
        assert_eq!(pair.ends[0].stats().retransmitted, 1, "at MTU {mtu}");
    }
}

#[test]
fn no_hop_dies_of_moderate_loss() {
    for seed in 0..8 {
        let mut pair = Pair::new(247, seed);
        pair.weather = Weather {
            loss: 50,
            duplication: 50,
            corruption: 20,
            delay: (Duration::from_millis(5), Duration::from_millis(25)),
            queue: 32,
        };
        let frames = [
            numbered_frames(100, 900, seed),
            numbered_frames(100, 900, seed + 100),
        ];
        pair.send(0, frames[0].clone());
        pair.send(1, frames[1].clone());
        pair.run_for(Duration::from_secs(30));
        assert_eq!(pair.errors, [None, None], "seed {seed}");
        assert!(pair.frames(1) == frames[0], "seed {seed}");
        assert!(pair.frames(0) == frames[1], "seed {seed}");
    }
}

#[test]
fn while_there_is_more_than_the_buffer_holds_records_are_full() {
    for (mtu, frame_len, most) in [
        (247, 4_150, 107),
        (4_096, 4_150, 104),
        (16_382, 8_192, 104),
        (16_382, 700, 104),
    ] {
        let mut pair = Pair::established(mtu, 1);
        let before = *pair.ends[0].stats();
        let frames = 400_000 / frame_len;
        pair.send(0, (0..frames).map(|_| vec![7; frame_len]));
        let end = pair.now.after(Duration::from_secs(60));
        assert!(pair.run_until(end, |pair| pair.frame_count(1) == frames));
        let packets = pair.ends[0].stats().packets_out - before.packets_out;
        let full = (frames * (frame_len + 2)).div_ceil(mtu) as u64;
        assert!(
            packets * 100 <= full * most,
            "{packets} packets at MTU {mtu}; {full} would hold it"
        );
    }
}

#[test]
fn a_part_of_a_record_leaves_as_soon_as_nothing_is_under_way() {
    for frames in 1..=20 {
        let mut pair = Pair::established(16_382, 1);
        pair.send(0, (0..frames).map(|_| vec![7; 4_000]));
        // Two ways there and back, and no timer.
        let end = pair.now.after(Duration::from_millis(24));
        let all = pair.run_until(end, |pair| pair.frame_count(1) == frames);
        assert!(all, "{} of {frames}", pair.frame_count(1));
    }
}
