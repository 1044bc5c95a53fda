//! Records in several packets: any order of the packets will do, and garbage costs one record at most.
#![cfg(test)]

mod common;

use chappe_wire::Duration;
use common::{Pair, numbered_frames, rng};
use proptest::prelude::*;

/// The packets of a record with one frame, sent by the first end.
fn fragments(pair: &mut Pair, frame: Vec<u8>) -> Vec<Vec<u8>> {
    pair.ends[0].send_frame(frame).unwrap();
    let now = pair.now;
    std::iter::from_fn(|| pair.ends[0].poll_transmit(now)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn fragments_of_two_neighbouring_records_arrive_in_any_order(seed in any::<u64>()) {
        let mut pair = Pair::established(20, 1);
        let mut packets = fragments(&mut pair, vec![1; 125]);
        packets.extend(fragments(&mut pair, vec![2; 125]));
        prop_assert_eq!(packets.len(), 16);
        let mut rng = rng(seed);
        for last in (1..packets.len()).rev() {
            packets.swap(last, rng.next_u32() as usize % (last + 1));
        }
        for packet in &packets {
            pair.deliver(1, packet);
        }
        pair.drive();
        // The stream puts the records in order.
        prop_assert_eq!(pair.frames(1), [vec![1; 125], vec![2; 125]]);
    }

    #[test]
    fn one_garbage_fragment_costs_one_record_at_most(
        header in 0b1100_0000u8..=255,
        body in prop::collection::vec(any::<u8>(), 1..=19),
        place in 0usize..30,
    ) {
        let mut pair = Pair::established(20, 1);
        let frames = numbered_frames(40, 125, 1);
        pair.send(0, frames.clone());
        pair.weather.queue = 1;
        let garbage = [&[header], &body[..]].concat();
        for step in 0..60 {
            pair.run_for(Duration::from_millis(5));
            if step == place {
                pair.deliver(1, &garbage);
            }
        }
        pair.run_for(Duration::from_secs(10));
        prop_assert!(pair.frames(1) == frames);
        let retransmitted = pair.ends[0].stats().retransmitted;
        prop_assert!(retransmitted <= 1, "{} records", retransmitted);
    }
}

#[test]
fn fragments_that_come_twice_change_nothing() {
    let mut pair = Pair::established(20, 1);
    for packet in fragments(&mut pair, vec![1; 125]) {
        pair.deliver(1, &packet);
        pair.deliver(1, &packet);
    }
    pair.drive();
    assert_eq!(pair.frames(1), [vec![1; 125]]);
}

#[test]
fn a_record_that_takes_too_long_is_not_put_together() {
    let mut pair = Pair::established(20, 1);
    let packets = fragments(&mut pair, vec![1; 125]);
    let (first, rest) = packets.split_at(4);
    first.iter().for_each(|packet| pair.deliver(1, packet));
    pair.now = pair.now.after(Duration::from_secs(6));
    rest.iter().for_each(|packet| pair.deliver(1, packet));
    assert_eq!(pair.ends[1].poll_event(), None);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.frames(1), [vec![1; 125]]);
}
