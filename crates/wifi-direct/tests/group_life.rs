//! The life of a group: formed, lost in every way that there is, and back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use chappe_wifi_direct::{Action, Credentials, Goal, Group, Happening, Life, Role};
use proptest::prelude::*;

const START: Duration = Duration::ZERO;

fn own() -> Goal {
    Goal::own(Credentials::from_random([1; 24]), Some(2437))
}

fn join() -> Goal {
    Goal::join(Credentials::from_random([2; 24]))
}

fn group(role: Role) -> Group {
    Group {
        object: "/fi/w1/wpa_supplicant1/Interfaces/7".to_owned(),
        interface: "p2p-wlan0-0".to_owned(),
        role,
    }
}

/// A life with this goal, whose group is up.
fn up(goal: Goal) -> Life {
    let role = goal.role;
    let mut life = Life::new();
    life.handle(START, Happening::SupplicantUp);
    life.handle(START, Happening::Want(Some(goal)));
    let told = life.handle(START, Happening::Started(group(role)));
    assert_eq!(told, [Action::Up(group(role))]);
    life
}

#[test]
fn a_goal_waits_for_wpa_supplicant() {
    let mut life = Life::new();
    assert_eq!(life.handle(START, Happening::Want(Some(own()))), []);
    assert_eq!(life.deadline(), None);
    assert_eq!(
        life.handle(START, Happening::SupplicantUp),
        [Action::Form(own())]
    );
}

#[test]
fn an_owner_whose_group_is_torn_down_makes_it_again() {
    let mut life = up(own());
    assert_eq!(life.handle(START, Happening::Finished), [Action::Down]);
    let again = life.deadline().unwrap();
    assert_eq!(life.handle(again / 2, Happening::Timeout), []);
    assert_eq!(
        life.handle(again, Happening::Timeout),
        [Action::Form(own())]
    );
}

#[test]
fn an_owner_tries_for_ever_with_pauses_that_grow_to_a_minute() {
    let mut life = Life::new();
    life.handle(START, Happening::SupplicantUp);
    life.handle(START, Happening::Want(Some(own())));
    let (mut now, mut pause) = (START, Duration::ZERO);
    for _ in 0..20 {
        assert_eq!(life.handle(now, Happening::Refused), []);
        let next = life.deadline().unwrap();
        assert!(next - now >= pause);
        pause = next - now;
        now = next;
        assert_eq!(life.handle(now, Happening::Timeout), [Action::Form(own())]);
    }
    assert_eq!(pause, Duration::from_secs(60));
}

#[test]
fn a_group_that_keeps_ending_is_made_again_with_pauses_that_grow_to_a_minute() {
    let mut life = up(own());
    let (mut now, mut pauses) = (START, Vec::new());
    // Each is up for three seconds.
    for _ in 0..12 {
        now += Duration::from_secs(3);
        assert_eq!(life.handle(now, Happening::Finished), [Action::Down]);
        let next = life.deadline().unwrap();
        pauses.push((next - now).as_secs());
        now = next;
        assert_eq!(life.handle(now, Happening::Timeout), [Action::Form(own())]);
        life.handle(now, Happening::Started(group(Role::Owner)));
    }
    assert_eq!(pauses[..7], [2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(pauses.last(), Some(&60));
    // One that lasts makes up for them.
    now += Duration::from_secs(61);
    life.handle(now, Happening::Finished);
    assert_eq!(life.deadline(), Some(now + Duration::from_secs(1)));
}

#[test]
fn a_member_that_lost_its_owner_tries_for_a_while_and_gives_up() {
    let mut life = up(join());
    assert_eq!(life.handle(START, Happening::Finished), [Action::Down]);
    let mut tries = 0;
    let told = loop {
        let now = life.deadline().unwrap();
        match life.handle(now, Happening::Timeout).as_slice() {
            [Action::Form(goal)] if *goal == join() => tries += 1,
            [Action::Leave(None)] => {}
            told => break told.to_vec(),
        }
    };
    assert_eq!(told, [Action::Leave(None), Action::GiveUp]);
    assert_eq!(tries, 3);
    assert_eq!((life.goal(), life.deadline()), (None, None));
}

#[test]
fn a_member_that_comes_back_has_all_its_tries_again() {
    let mut life = up(join());
    for _ in 0..10 {
        assert_eq!(life.handle(START, Happening::Finished), [Action::Down]);
        let again = life.deadline().unwrap();
        life.handle(again, Happening::Timeout);
        let told = life.handle(again, Happening::Started(group(Role::Member)));
        assert_eq!(told, [Action::Up(group(Role::Member))]);
    }
}

#[test]
fn a_group_that_does_not_form_in_time_is_stopped() {
    let mut life = Life::new();
    life.handle(START, Happening::SupplicantUp);
    life.handle(START, Happening::Want(Some(own())));
    let late = life.deadline().unwrap();
    assert_eq!(life.handle(late, Happening::Timeout), [Action::Leave(None)]);
}

#[test]
fn wpa_supplicant_may_vanish_and_return_at_any_moment() {
    let mut life = up(own());
    assert_eq!(
        life.handle(START, Happening::SupplicantDown),
        [Action::Down]
    );
    assert_eq!(life.handle(START, Happening::SupplicantDown), []);
    assert_eq!(life.handle(START, Happening::Finished), []);
    assert_eq!(
        life.handle(START, Happening::SupplicantUp),
        [Action::Form(own())]
    );
    assert_eq!(life.handle(START, Happening::SupplicantDown), []);
    assert_eq!(
        life.handle(START, Happening::SupplicantUp),
        [Action::Form(own())]
    );
}

#[test]
fn another_goal_leaves_the_group_first() {
    let mut life = up(own());
    assert_eq!(
        life.handle(START, Happening::Want(Some(join()))),
        [
            Action::Down,
            Action::Leave(Some(group(Role::Owner))),
            Action::Form(join())
        ]
    );
    assert_eq!(life.handle(START, Happening::Finished), []);
    assert_eq!(
        life.handle(START, Happening::Want(None)),
        [Action::Leave(None)]
    );
    assert_eq!(life.handle(START, Happening::Want(None)), []);
}

#[test]
fn a_group_that_nobody_wants_is_left() {
    let mut life = Life::new();
    life.handle(START, Happening::SupplicantUp);
    let leave = [Action::Leave(Some(group(Role::Owner)))];
    assert_eq!(
        life.handle(START, Happening::Started(group(Role::Owner))),
        leave
    );
    life.handle(START, Happening::Want(Some(join())));
    assert_eq!(
        life.handle(START, Happening::Started(group(Role::Owner))),
        leave
    );
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        Just(Happening::Finished),
        Just(Happening::Refused),
        Just(Happening::Started(group(Role::Owner))),
        Just(Happening::Started(group(Role::Member))),
        Just(Happening::SupplicantDown),
        Just(Happening::SupplicantUp),
        Just(Happening::Timeout),
        Just(Happening::Want(None)),
        Just(Happening::Want(Some(own()))),
        Just(Happening::Want(Some(join()))),
    ]
}

proptest! {
    /// Whatever happens, up and down alternate, and a life with a goal and a supplicant never just waits.
    #[test]
    fn links_are_told_of_in_pairs_and_a_goal_is_never_forgotten(
        happenings in prop::collection::vec((0_u64..40, happening()), 0..60),
    ) {
        let (mut life, mut is_up, mut supplicant) = (Life::new(), false, false);
        let mut now = START;
        for (seconds, happening) in happenings {
            now += Duration::from_secs(seconds);
            match happening {
                Happening::SupplicantUp => supplicant = true,
                Happening::SupplicantDown => supplicant = false,
                _ => {}
            }
            for action in life.handle(now, happening) {
                match action {
                    Action::Up(_) => {
                        prop_assert!(!is_up);
                        is_up = true;
                    }
                    Action::Down => {
                        prop_assert!(is_up);
                        is_up = false;
                    }
                    Action::Form(_) => prop_assert!(supplicant && !is_up),
                    _ => {}
                }
            }
            prop_assert!(supplicant || !is_up);
            if supplicant && life.goal().is_some() {
                prop_assert!(is_up || life.deadline().is_some());
            }
        }
    }
}
