//! Packets that are not authentic, were seen before, or are cut short change nothing.
#![cfg(test)]

mod common;

use chappe_wire::Duration;
use common::{Pair, numbered_frames, rng};
use proptest::prelude::*;
use rand_chacha::rand_core::Rng;

/// Sends a frame each way to show that both ends still work.
fn assert_alive(pair: &mut Pair) {
    let before = [pair.frame_count(0), pair.frame_count(1)];
    pair.send(0, [vec![0xa1; 700]]);
    pair.send(1, [vec![0xb2; 700]]);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.errors, [None, None]);
    assert_eq!(pair.frames(0)[before[0]..], [vec![0xb2; 700]]);
    assert_eq!(pair.frames(1)[before[1]..], [vec![0xa1; 700]]);
}

/// Noise; every other time behind the header of a record and a number that may come next.
fn garbage(rng: &mut impl Rng, max_len: usize, buffer: &mut [u8]) -> usize {
    let length = 1 + rng.next_u32() as usize % max_len;
    rng.fill_bytes(&mut buffer[..length]);
    if rng.next_u32().is_multiple_of(2) {
        buffer[0] = 0b11_000_100 | buffer[0] & 0b11;
        if length > 3 {
            buffer[1] = 0;
            buffer[2] %= 16;
        }
    }
    length
}

/// A million, but fewer in a build that is not optimised.
const GARBAGE_PACKETS: u64 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

#[test]
fn after_a_million_garbage_packets_the_next_honest_one_decrypts() {
    let mut pair = Pair::established(185, 1);
    let mut rng = rng(1);
    let mut buffer = [0; 64];
    let before = *pair.ends[1].stats();
    for _ in 0..GARBAGE_PACKETS {
        let length = garbage(&mut rng, 64, &mut buffer);
        pair.deliver(1, &buffer[..length]);
    }
    assert!(pair.ends[1].stats().dropped - before.dropped > GARBAGE_PACKETS / 2);
    assert_eq!(pair.ends[1].poll_event(), None);
    // The very next record is the proof: nothing is sent twice.
    let retransmitted = pair.ends[0].stats().retransmitted;
    pair.send(0, [vec![5; 100]]);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.frames(1), [vec![5; 100]]);
    assert_eq!(pair.ends[0].stats().retransmitted, retransmitted);
    assert_alive(&mut pair);
}

#[test]
fn garbage_between_all_fragments_only_costs_time() {
    let mut pair = Pair::established(20, 1);
    let mut rng = rng(2);
    let frames = numbered_frames(30, 400, 1);
    pair.send(0, frames.clone());
    let mut buffer = [0; 20];
    for round in 0..3_000 {
        pair.run_for(Duration::from_millis(10));
        if round % 3 == 0 {
            for to in 0..2 {
                let length = garbage(&mut rng, 20, &mut buffer);
                pair.deliver(to, &buffer[..length]);
            }
        }
    }
    assert_eq!(pair.errors, [None, None]);
    assert!(pair.frames(1) == frames);
}

#[test]
fn a_replay_of_everything_is_accepted_nowhere() {
    for mtu in [20, 247, 4_096] {
        let mut pair = Pair::new(mtu, 1);
        pair.capture = true;
        pair.send(0, numbered_frames(30, 600, 1));
        pair.send(1, numbered_frames(30, 600, 2));
        pair.run_for(Duration::from_secs(10));
        let captured = std::mem::take(&mut pair.captured);
        pair.capture = false;
        let events = pair.events.clone();
        let stats = [*pair.ends[0].stats(), *pair.ends[1].stats()];
        for wait in [0, 1, 10] {
            pair.run_for(Duration::from_secs(wait));
            // To the other end, and reflected to its own sender.
            for to in [0, 1] {
                for packet in captured.iter().flatten() {
                    pair.deliver(to, packet);
                }
            }
        }
        pair.run_for(Duration::from_secs(1));
        assert!(
            pair.events == events,
            "a replayed packet had an effect at MTU {mtu}"
        );
        for (end, before) in pair.ends.iter().zip(stats) {
            let dropped = end.stats().dropped - before.dropped;
            assert!(dropped > 0);
            if mtu == 4_096 {
                // No record is in pieces, so each packet was dropped by itself.
                assert_eq!(dropped, 3 * captured.iter().flatten().count() as u64);
            }
            assert_eq!(end.stats().retransmitted, before.retransmitted);
        }
        assert_alive(&mut pair);
    }
}

#[test]
fn a_record_is_accepted_once_even_at_once() {
    let mut pair = Pair::established(1_000, 1);
    assert!(pair.ends[0].send_frame(vec![1; 10]).is_ok());
    let packet = pair.ends[0].poll_transmit(pair.now).unwrap();
    let dropped = pair.ends[1].stats().dropped;
    for _ in 0..5 {
        pair.deliver(1, &packet);
    }
    assert_eq!(pair.ends[1].stats().dropped, dropped + 4);
    assert!(pair.ends[1].poll_event().is_some());
    assert!(pair.ends[1].poll_event().is_none());
}

#[test]
fn own_packets_come_back_to_no_effect() {
    let mut pair = Pair::new(247, 1);
    pair.capture = true;
    pair.run_for(Duration::from_secs(1));
    for from in 0..2 {
        assert!(pair.ends[from].send_frame(vec![9; 100]).is_ok());
        let packet = pair.ends[from].poll_transmit(pair.now).unwrap();
        let dropped = pair.ends[from].stats().dropped;
        for own in pair.captured[from].clone().iter().chain([&packet]) {
            pair.deliver(from, own);
        }
        assert!(pair.ends[from].stats().dropped > dropped);
        assert_eq!(pair.ends[from].poll_event(), None);
        pair.deliver(1 - from, &packet);
        assert!(pair.ends[1 - from].poll_event().is_some());
    }
}

#[test]
fn a_record_cut_short_or_altered_anywhere_is_dropped() {
    let mut pair = Pair::established(400, 1);
    // Without the acknowledgement that is owed after the handshake.
    pair.run_for(Duration::from_secs(1));
    assert!(pair.ends[0].send_frame(vec![3; 100]).is_ok());
    let packet = pair.ends[0].poll_transmit(pair.now).unwrap();
    for length in 0..packet.len() {
        pair.deliver(1, &packet[..length]);
    }
    for bit in 0..packet.len() * 8 {
        let mut altered = packet.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        // Bits 0 and 1 of the header only tell fragments apart.
        if bit < 2 {
            continue;
        }
        pair.deliver(1, &altered);
    }
    assert_eq!(pair.errors, [None, None]);
    assert_eq!(pair.ends[1].poll_event(), None);
    pair.deliver(1, &packet);
    assert!(pair.ends[1].poll_event().is_some());
}

#[test]
fn a_handshake_cut_short_anywhere_is_dropped() {
    for turn in 0..3 {
        let mut pair = Pair::new(400, 1);
        for from in [0, 1].into_iter().cycle().take(turn) {
            let packet = pair.ends[from].poll_transmit(pair.now).unwrap();
            pair.deliver(1 - from, &packet);
        }
        let packet = pair.ends[turn % 2].poll_transmit(pair.now).unwrap();
        let to = 1 - turn % 2;
        for length in 0..packet.len() {
            pair.deliver(to, &packet[..length]);
        }
        assert_eq!(pair.ends[to].poll_event(), None);
        assert_eq!(pair.ends[to].stats().dropped, packet.len() as u64);
        pair.deliver(to, &packet);
        pair.run_for(Duration::from_secs(1));
        assert!(pair.is_established(0) && pair.is_established(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_packets_at_any_time_do_not_disturb(
        packets in prop::collection::vec(
            (0usize..2, prop::collection::vec(any::<u8>(), 0..60), 0u64..2_000), 0..60
        ),
        seed in 0u64..1_000,
    ) {
        let mut pair = Pair::new(100, seed);
        for (to, packet, wait) in packets {
            pair.deliver(to, &packet);
            pair.run_for(Duration::from_micros(wait));
        }
        pair.run_for(Duration::from_secs(9));
        prop_assert!(pair.is_established(0) && pair.is_established(1));
        assert_alive(&mut pair);
    }
}
