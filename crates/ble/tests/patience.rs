//! Whom a node dials again, and when; who gives way when it has as many links as it may.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use std::time::Duration;

use chappe_ble::{
    BearerChoice, Bearing, BleOptions, LinkKey, MAX_HEARD, Neighbours, Opening, Side, Verdict,
};
use common::{Clock, node, options, token};

fn link(neighbours: &mut Neighbours, clock: &Clock, number: u64) -> Option<LinkKey> {
    neighbours.heard(clock.now, token(number), true);
    let own = neighbours.own();
    let opening = Opening {
        token: token(number),
        side: Side::Accepted,
        own,
    };
    match neighbours.open(clock.now, opening) {
        Verdict::Keep { key, .. } => Some(key),
        Verdict::Refuse => None,
    }
}

#[test]
fn pauses_after_failures_double_up_to_the_longest() {
    let (mut one, mut clock) = (node(1), Clock::new());
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        one.dialling(token(2));
        one.dial_failed(clock.now, token(2));
        one.heard(clock.now, token(2), true);
        if seconds == 1 {
            // It was not heard before the first failure.
            one.dialling(token(2));
            one.dial_failed(clock.now, token(2));
        }
        clock.pass_millis(seconds * 740);
        one.heard(clock.now, token(2), true);
        assert_eq!(one.next_dial(clock.now), None, "{seconds}");
        clock.pass_millis(seconds * 520);
        one.heard(clock.now, token(2), true);
        assert!(one.next_dial(clock.now).is_some(), "{seconds}");
    }
}

#[test]
fn gatt_is_tried_where_l2cap_failed_twice() {
    let (mut one, mut clock) = (node(1), Clock::new());
    let mut tried = Vec::new();
    for _ in 0..4 {
        one.heard(clock.now, token(2), true);
        let dial = one.next_dial(clock.now).unwrap();
        tried.push(dial.bearing);
        one.dialling(dial.token);
        one.dial_failed(clock.now, dial.token);
        clock.pass(10);
    }
    assert_eq!(
        tried,
        [
            Bearing::L2cap,
            Bearing::L2cap,
            Bearing::Gatt,
            Bearing::L2cap
        ]
    );
}

#[test]
fn links_that_are_lost_say_nothing_against_l2cap() {
    let (mut one, mut clock) = (node(1), Clock::new());
    for _ in 0..5 {
        one.heard(clock.now, token(2), true);
        let dial = one.next_dial(clock.now).unwrap();
        assert_eq!(dial.bearing, Bearing::L2cap);
        one.dialling(dial.token);
        let opening = Opening {
            token: token(2),
            side: Side::Dialled,
            own: token(1),
        };
        let Verdict::Keep { key, .. } = one.open(clock.now, opening) else {
            panic!("it is the only one");
        };
        clock.pass(1);
        one.closed(clock.now, key);
        clock.pass(30);
    }
}

#[test]
fn gatt_is_taken_where_it_is_forced_or_nothing_else_is_offered() {
    let clock = Clock::new();
    let mut one = node(1);
    one.heard(clock.now, token(2), false);
    assert_eq!(one.next_dial(clock.now).unwrap().bearing, Bearing::Gatt);
    let forced = BleOptions {
        bearer: BearerChoice::Gatt,
        ..options()
    };
    let mut one = Neighbours::new(&forced, token(1));
    one.heard(clock.now, token(2), true);
    assert_eq!(one.next_dial(clock.now).unwrap().bearing, Bearing::Gatt);
}

#[test]
fn whoever_failed_often_waits_behind_the_others() {
    let (mut one, mut clock) = (node(1), Clock::new());
    one.heard(clock.now, token(2), true);
    one.dialling(token(2));
    one.dial_failed(clock.now, token(2));
    clock.pass(10);
    one.heard(clock.now, token(3), true);
    assert_eq!(one.next_dial(clock.now).unwrap().token, token(3));
}

#[test]
fn a_neighbour_who_is_silent_is_not_dialled() {
    let (mut one, mut clock) = (node(1), Clock::new());
    one.heard(clock.now, token(2), true);
    clock.pass(45);
    assert_eq!(one.next_dial(clock.now), None);
    one.look(clock.now);
    assert_eq!(one.remembered(), 0);
}

#[test]
fn a_link_that_did_not_last_makes_its_neighbour_rest() {
    let (mut one, mut clock) = (node(1), Clock::new());
    let key = link(&mut one, &clock, 2).unwrap();
    clock.pass(3);
    assert_eq!(
        one.closed(clock.now, key).unwrap().lasted,
        Duration::from_secs(3)
    );
    assert_eq!(one.next_dial(clock.now), None);
    clock.pass(2);
    assert!(one.next_dial(clock.now).is_some());
}

#[test]
fn beacons_of_nobody_cost_bounded_memory() {
    let (mut one, mut clock) = (node(1), Clock::new());
    for number in 2..3 * MAX_HEARD as u64 {
        one.heard(clock.now, token(number), true);
        clock.pass_millis(1);
    }
    assert_eq!(one.remembered(), MAX_HEARD);
}

#[test]
fn only_an_idle_link_that_had_its_time_gives_way() {
    let (mut one, mut clock) = (node(1), Clock::new());
    let mut keys = Vec::new();
    for number in 2..8 {
        keys.push(link(&mut one, &clock, number).unwrap());
        clock.pass(1);
    }
    one.look(clock.now);
    assert_eq!(link(&mut one, &clock, 9), None, "all are young");
    clock.pass(60);
    for key in &keys {
        one.carried(*key, 10_000);
    }
    one.look(clock.now);
    assert_eq!(link(&mut one, &clock, 9), None, "all are busy");
    one.carried(keys[0], 10_000);
    one.look(clock.now);
    assert!(link(&mut one, &clock, 9).is_some());
    assert_eq!(one.len(), 6);
    // The busy one stayed, and the oldest idle one went.
    assert!(one.closed(clock.now, keys[0]).is_some());
    assert!(one.closed(clock.now, keys[1]).is_none());
}

#[test]
fn an_idle_link_from_before_the_present_name_is_closed_once_the_name_was_heard() {
    let (mut one, mut clock) = (node(1), Clock::new());
    let idle = link(&mut one, &clock, 2).unwrap();
    let busy = link(&mut one, &clock, 3).unwrap();
    clock.pass(900);
    one.carried(busy, 10_000);
    one.look(clock.now);
    assert_eq!(one.outlived(clock.now), [], "it is called as it was");
    one.rotate(clock.now, token(5));
    clock.pass(1);
    let fresh = link(&mut one, &clock, 4).unwrap();
    one.carried(busy, 10_000);
    clock.pass(88);
    one.look(clock.now);
    assert_eq!(one.outlived(clock.now), [], "not everybody has heard it");
    clock.pass(1);
    assert_eq!(one.outlived(clock.now), [idle]);
    one.closed(clock.now, idle);
    one.look(clock.now);
    clock.pass(59);
    assert_eq!(
        one.outlived(clock.now),
        [],
        "a pause is not the end of a transfer"
    );
    clock.pass(1);
    assert_eq!(
        one.outlived(clock.now),
        [busy],
        "it is idle for a minute, too"
    );
    one.closed(clock.now, busy);
    clock.pass(10_000);
    one.look(clock.now);
    assert_eq!(one.outlived(clock.now), []);
    assert!(one.closed(clock.now, fresh).is_some());
}

#[test]
fn the_only_link_stays_whatever_this_node_is_called() {
    let (mut one, mut clock) = (node(1), Clock::new());
    let only = link(&mut one, &clock, 2).unwrap();
    clock.pass(1);
    one.rotate(clock.now, token(5));
    one.look(clock.now);
    clock.pass(800);
    one.look(clock.now);
    assert_eq!(one.outlived(clock.now), []);
    link(&mut one, &clock, 4).unwrap();
    assert_eq!(one.outlived(clock.now), [only]);
}

#[test]
fn a_full_node_dials_nobody() {
    let (mut one, clock) = (node(1), Clock::new());
    for number in 2..8 {
        link(&mut one, &clock, number).unwrap();
    }
    one.heard(clock.now, token(9), true);
    assert_eq!(one.next_dial(clock.now), None);
}

#[test]
fn where_names_last_a_minute_or_two_old_links_go_within_the_same_name() {
    let options = BleOptions {
        epoch: Duration::from_secs(93),
        ..options()
    };
    let (mut one, mut clock) = (Neighbours::new(&options, token(1)), Clock::new());
    let old = link(&mut one, &clock, 2).unwrap();
    clock.pass(93);
    one.rotate(clock.now, token(5));
    link(&mut one, &clock, 4).unwrap();
    one.look(clock.now);
    clock.pass(60);
    assert_eq!(one.outlived(clock.now), [old]);
}
