//! On a link that says that it is reliable nothing is sent again because an acknowledgement is late; what is lost all the same
//! is repaired, and a dead neighbour is noticed as soon.
#![cfg(test)]

mod common;

use chappe_hop::{HopError, SILENCE_TIMEOUT};
use chappe_wire::Duration;
use common::{Pair, Weather, numbered_frames};

/// Many times what the acknowledgements before took, so that timeouts pass.
const LATE: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(60);

/// How often records were sent again when the second half of the frames was acknowledged late.
fn retransmitted(mut pair: Pair) -> u64 {
    pair.send(0, numbered_frames(20, 4_000, 1));
    pair.run_for(Duration::from_secs(1));
    pair.weather.delay = (LATE, LATE);
    pair.send(0, numbered_frames(20, 4_000, 2));
    let end = pair.now.after(LIMIT);
    assert!(pair.run_until(end, |pair| pair.frame_count(1) == 40));
    pair.run_for(LATE.saturating_mul(4));
    assert_eq!(pair.errors, [None, None]);
    pair.ends[0].stats().retransmitted
}

#[test]
fn nothing_is_sent_again_because_an_answer_is_late() {
    for mtu in [247, 2_048, 16_382] {
        assert_eq!(retransmitted(Pair::established_reliable(mtu, 1)), 0);
        // What the test shows is not that there was nothing to send again.
        assert!(retransmitted(Pair::established(mtu, 1)) > 0, "at MTU {mtu}");
    }
}

#[test]
fn a_loss_is_repaired_all_the_same() {
    for (mtu, lost) in [(20, 1), (247, 3), (2_048, 2), (16_382, 1)] {
        // The first, one in the middle, and the last, behind which nothing comes that would show it.
        for from in [0, 4, 9] {
            let mut pair = Pair::established_reliable(mtu, 1);
            let mut data = 0;
            pair.filter = Box::new(move |end, packet| {
                if end == 0 && packet.len() > 15 {
                    data += 1;
                }
                end == 1 || !(from + 1..=from + lost).contains(&data)
            });
            let frames = numbered_frames(10, 700, 1);
            for frame in frames.clone() {
                pair.send(0, [frame]);
                pair.run_for(Duration::from_millis(1));
            }
            let end = pair.now.after(Duration::from_secs(3));
            let all = pair.run_until(end, |pair| pair.frame_count(1) == frames.len());
            assert!(all, "{lost} lost at MTU {mtu} after {from}");
            assert!(pair.frames(1) == frames);
        }
    }
}

#[test]
fn a_link_that_loses_much_is_slow_and_nothing_worse() {
    for seed in 0..4 {
        let mut pair = Pair::established_reliable(247, seed);
        pair.weather = Weather {
            loss: 50,
            duplication: 50,
            corruption: 20,
            delay: (Duration::from_millis(5), Duration::from_millis(25)),
            queue: 32,
        };
        let frames = numbered_frames(100, 900, seed);
        pair.send(0, frames.clone());
        let end = pair.now.after(LIMIT);
        assert!(pair.run_until(end, |pair| pair.frame_count(1) == frames.len()));
        assert!(pair.frames(1) == frames, "seed {seed}");
        assert_eq!(pair.errors, [None, None], "seed {seed}");
    }
}

#[test]
fn a_neighbour_that_dies_in_the_middle_is_noticed_in_time() {
    for frames in [1, 100] {
        let mut pair = Pair::established_reliable(2_048, 1);
        pair.send(0, numbered_frames(frames, 4_000, 1));
        pair.run_for(Duration::from_millis(7));
        let start = pair.now;
        pair.filter = Box::new(|_, _| false);
        let dead = |pair: &Pair| pair.errors.iter().all(Option::is_some);
        assert!(pair.run_until(start.after(SILENCE_TIMEOUT), dead));
        assert_eq!(pair.errors[0], Some(HopError::Unresponsive));
    }
}

#[test]
fn a_neighbour_that_is_busy_for_long_stays() {
    let mut pair = Pair::established_reliable(2_048, 1);
    let frames = numbered_frames(30, 4_000, 1);
    pair.send(0, frames.clone());
    // There and back, 20 s.
    pair.weather.delay = (Duration::from_secs(10), Duration::from_secs(10));
    let end = pair.now.after(Duration::from_minutes(5));
    assert!(pair.run_until(end, |pair| pair.frame_count(1) == frames.len()));
    assert_eq!(pair.errors, [None, None]);
    assert_eq!(pair.ends[0].stats().retransmitted, 0);
}
