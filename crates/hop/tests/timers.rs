//! An idle hop stays alive with few packets; a dead neighbour is noticed in time.
#![cfg(test)]

mod common;

use chappe_hop::{HopError, KEEP_ALIVE, MAX_ACK_DELAY, SILENCE_TIMEOUT};
use chappe_wire::{Duration, Instant};
use common::{Pair, numbered_frames};

#[test]
fn an_idle_hop_lives_for_hours_on_few_packets() {
    let mut pair = Pair::established(247, 1);
    let before = pair.ends[0].stats().packets_out;
    pair.run_for(Duration::from_hours(2));
    assert_eq!(pair.errors, [None, None]);
    let packets = pair.ends[0].stats().packets_out - before;
    let expected = Duration::from_hours(2).as_secs() / KEEP_ALIVE.as_secs();
    assert!(
        (expected / 2..=expected * 2).contains(&packets),
        "{packets} packets in two hours"
    );
    let frames = numbered_frames(5, 500, 1);
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_secs(1));
    assert!(pair.frames(1) == frames);
}

#[test]
fn a_silent_neighbour_is_dead_after_45_seconds_at_most() {
    let mut pair = Pair::established(247, 1);
    let start = pair.now;
    pair.filter = Box::new(|_, _| false);
    let both_dead = |pair: &Pair| pair.errors.iter().all(Option::is_some);
    assert!(pair.run_until(start.after(SILENCE_TIMEOUT), both_dead));
    for error in pair.errors {
        assert!(
            matches!(error, Some(HopError::Silent | HopError::Unresponsive)),
            "{error:?}"
        );
    }
    assert!(
        pair.now.since(start) > KEEP_ALIVE,
        "not before it was asked"
    );
}

#[test]
fn silence_alone_ends_a_hop_that_cannot_send_either() {
    // The link has no room, so no timeout counts; still nothing is heard.
    let mut pair = Pair::established(247, 1);
    pair.send(0, numbered_frames(20, 500, 1));
    pair.weather.queue = 0;
    let start = pair.now;
    let dead = |pair: &Pair| pair.errors[0].is_some();
    assert!(pair.run_until(start.after(Duration::from_secs(60)), dead));
    assert_eq!(pair.errors[0], Some(HopError::Silent));
    assert!(pair.now >= start.after(SILENCE_TIMEOUT.saturating_sub(Duration::from_secs(1))));
}

#[test]
fn a_link_without_room_for_forty_seconds_costs_nothing_but_time() {
    let mut pair = Pair::established(247, 1);
    let frames = numbered_frames(200, 900, 1);
    pair.weather.queue = 1_000;
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_millis(7));
    // What is under way is lost, so that timeouts come.
    pair.filter = Box::new(|_, _| false);
    pair.run_for(Duration::from_millis(5));
    pair.filter = Box::new(|_, _| true);
    let queue = std::mem::replace(&mut pair.weather.queue, 0);
    pair.run_for(Duration::from_secs(40));
    pair.weather.queue = queue;
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.errors, [None, None]);
    assert!(pair.frames(1) == frames);
}

#[test]
fn a_neighbour_that_acknowledges_nothing_is_given_up() {
    let mut pair = Pair::established(247, 1);
    pair.filter = Box::new(|from, _| from == 0);
    pair.send(0, [vec![1; 100]]);
    let start = pair.now;
    let dead = |pair: &Pair| pair.errors[0].is_some();
    assert!(pair.run_until(start.after(SILENCE_TIMEOUT), dead));
    assert_eq!(pair.errors[0], Some(HopError::Unresponsive));
    assert!(
        pair.now.since(start) >= Duration::from_secs(10),
        "not at the first hiccup"
    );
    // What came before may still be taken, and nothing more is sent.
    assert_eq!(pair.ends[0].poll_timeout(), Instant::NEVER);
    assert_eq!(pair.ends[0].poll_transmit(pair.now), None);
    assert_eq!(pair.ends[0].frame_space(), 0);
    assert!(pair.ends[0].send_frame(vec![1]).is_err());
    assert_eq!(
        pair.ends[0].handle_timeout(pair.now),
        Err(HopError::Unresponsive)
    );
    assert_eq!(pair.frames(1), [vec![1; 100]]);
}

#[test]
fn an_outage_of_ten_seconds_is_survived() {
    let mut pair = Pair::established(247, 1);
    let frames = numbered_frames(100, 500, 1);
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_millis(12));
    pair.filter = Box::new(|_, _| false);
    pair.run_for(Duration::from_secs(10));
    pair.filter = Box::new(|_, _| true);
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.errors, [None, None]);
    assert!(pair.frames(1) == frames);
}

#[test]
fn spurious_timeouts_are_harmless() {
    let mut pair = Pair::established(247, 1);
    pair.send(0, [vec![1; 2_000]]);
    pair.drive();
    let before = [pair.ends[0].poll_timeout(), pair.ends[1].poll_timeout()];
    for _ in 0..1_000 {
        for (end, before) in pair.ends.iter_mut().zip(before) {
            assert_eq!(end.handle_timeout(pair.now), Ok(()));
            assert_eq!(end.poll_timeout(), before);
            assert_eq!(end.poll_transmit(pair.now), None);
        }
    }
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.frames(1), [vec![1; 2_000]]);
    assert_eq!(pair.ends[0].stats().retransmitted, 0);
}

#[test]
fn the_round_trip_time_is_measured() {
    let mut pair = Pair::established(247, 1);
    pair.weather.delay = (Duration::from_millis(40), Duration::from_millis(40));
    for _ in 0..30 {
        pair.send(0, [vec![1; 2_000]]);
        pair.run_for(Duration::from_millis(300));
    }
    let rtt = pair.ends[0].stats().rtt.unwrap();
    let most = Duration::from_millis(80).saturating_add(MAX_ACK_DELAY);
    assert!((Duration::from_millis(70)..=most).contains(&rtt), "{rtt:?}");
}
