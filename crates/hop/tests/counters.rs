//! Packet numbers and keys: a new key after 2^20 records, no trouble at 2^32, a typed end before 2^64.
#![cfg(test)]

mod common;

use chappe_hop::{HopError, RECORDS_PER_KEY, Role};
use chappe_wire::{Duration, Instant};
use common::{Pair, end_starting_at, numbered_frames};

fn pair_starting_at(first: u64) -> Pair {
    let ends = [Role::Initiator, Role::Responder]
        .map(|role| end_starting_at(Instant::ZERO, role, 100, 1, first));
    Pair::of(ends, 1)
}

#[test]
fn frames_arrive_across_changes_of_keys_and_ends_of_counters() {
    let edges = [
        RECORDS_PER_KEY,
        5 * RECORDS_PER_KEY,
        1 << 16,
        1 << 32,
        (1 << 63) + RECORDS_PER_KEY,
        u64::MAX - 200,
    ];
    for edge in edges {
        for before in [0, 1, 2, 3, 7, 40] {
            let mut pair = pair_starting_at(edge - before);
            pair.weather.loss = 30;
            pair.weather.delay.1 = Duration::from_millis(9);
            let frames = [numbered_frames(25, 90, 1), numbered_frames(25, 90, 2)];
            pair.send(0, frames[0].clone());
            pair.send(1, frames[1].clone());
            pair.run_for(Duration::from_secs(20));
            assert_eq!(pair.errors, [None, None], "{before} before {edge}");
            assert!(pair.frames(0) == frames[1], "{before} before {edge}");
            assert!(pair.frames(1) == frames[0], "{before} before {edge}");
        }
    }
}

#[test]
fn the_key_changes_after_exactly_so_many_records() {
    // The same plaintext under the same keys and numbers, except that one hop believes to be one epoch later
    // from the start: so its first key is not the one to which the other has moved on.
    let mut pair = pair_starting_at(RECORDS_PER_KEY - 1);
    pair.run_for(Duration::from_secs(1));
    pair.send(0, numbered_frames(8, 90, 1));
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.frame_count(1), 8);

    let ends = [
        end_starting_at(Instant::ZERO, Role::Initiator, 100, 1, RECORDS_PER_KEY - 1),
        end_starting_at(Instant::ZERO, Role::Responder, 100, 1, RECORDS_PER_KEY),
    ];
    let mut pair = Pair::of(ends, 1);
    pair.run_for(Duration::from_secs(5));
    pair.send(0, numbered_frames(8, 90, 1));
    pair.run_for(Duration::from_secs(4));
    assert_eq!(
        pair.frame_count(1),
        0,
        "the old key opened a record of the next epoch"
    );
    assert!(pair.ends[1].stats().dropped > 0);
}

#[test]
fn a_forged_record_of_the_next_epoch_does_not_change_the_key() {
    let mut pair = pair_starting_at(RECORDS_PER_KEY - 20);
    pair.run_for(Duration::from_secs(1));
    for number in 0..2_000u16 {
        let [high, low] = number.to_be_bytes();
        let mut forged = vec![0b11_000_100, high, low];
        forged.resize(60, 0x55);
        pair.deliver(1, &forged);
    }
    let frames = numbered_frames(10, 90, 1);
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_secs(2));
    assert!(pair.frames(1) == frames);
    assert_eq!(pair.ends[0].stats().retransmitted, 0);
}

#[test]
fn the_last_packet_number_ends_the_hop_and_none_is_used_twice() {
    for first in [u64::MAX - 3, u64::MAX - 2, u64::MAX - 1] {
        let mut pair = pair_starting_at(first);
        pair.capture = true;
        pair.send(0, numbered_frames(30, 90, 1));
        pair.run_for(Duration::from_secs(8));
        assert!(
            pair.errors.contains(&Some(HopError::Exhausted)),
            "{first}: {:?}",
            pair.errors
        );
        for packets in &pair.captured {
            let mut numbers: Vec<_> = packets
                .iter()
                .filter(|packet| packet[0] >> 6 == 3 && packet[0] & 0b111_000 == 0)
                .map(|packet| [packet[1], packet[2]])
                .collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "a packet number was used twice");
            assert!(
                !numbers.contains(&[0xff, 0xff]),
                "the reserved nonce was used"
            );
            assert!(count as u64 <= u64::MAX - first);
        }
    }
}

/// A million records, so that the key changes on the way without any help.
#[test]
#[ignore = "takes a minute in a debug build; run it with --release -- --ignored"]
fn a_million_records_later_frames_still_arrive() {
    let mut pair = Pair::new(100, 1);
    for round in 0..(RECORDS_PER_KEY + 2_000) / 100 {
        pair.send(0, (0..100).map(|_| vec![round as u8; 400]));
        pair.run_for(Duration::from_millis(400));
        assert_eq!(pair.frame_count(1), 100, "round {round}");
        pair.events[1].truncate(1);
    }
    assert!(pair.ends[0].stats().packets_out > RECORDS_PER_KEY);
}
