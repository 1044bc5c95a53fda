//! Rooms whose people come and go, are away, or come to know each other later: nobody is left deaf or unheard.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[path = "common/company.rs"]
mod company;

use chappe_node::{Command, CommandError, Event, Reply};
use chappe_testkit::Weather;
use chappe_wire::Duration;
use company::Company;

/// A room of 0 with 1 and 2, who know each other, and have all keys.
fn a_room_of_three() -> (Company, chappe_node::RoomId) {
    let mut company = Company::new(3, &[(0, 1), (0, 2), (1, 2)]);
    let room = company.make_room(0, "roof", &[1, 2]);
    for guest in [1, 2, 1] {
        company.meet(0, guest);
    }
    for speaker in 0..3 {
        company.say(speaker, room, &format!("hello from {speaker}"));
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        company.meet(a, b);
    }
    for listener in 0..3 {
        assert_eq!(company.heard(listener).len(), 2, "{listener} hears both");
    }
    (company, room)
}

#[test]
fn who_is_taken_out_and_in_again_is_heard_by_all() {
    let (mut company, room) = a_room_of_three();
    company.change_room(0, room, &[], &[2]);
    company.change_room(0, room, &[2], &[]);
    company.meet(0, 2);
    company.meet(0, 1);
    company.say(2, room, "here again");
    company.meet(2, 1);
    company.meet(2, 0);
    for listener in [0, 1] {
        let heard = company.heard(listener);
        assert!(
            heard.contains(&"here again".to_owned()),
            "{listener}: {heard:?}"
        );
    }
}

#[test]
fn who_is_taken_out_is_told_so_and_speaks_to_nobody() {
    let (mut company, room) = a_room_of_three();
    company.world.events(company.nodes[2]);
    company.change_room(0, room, &[], &[2]);
    company.meet(0, 2);
    let told = company.world.events(company.nodes[2]);
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::RoomLeft(left) if left.id == room))
    );
    assert!(company.rooms(2).is_empty());
    let refused = company.tell(2, Command::SendToRoom(room, "hello?".into(), None));
    assert_eq!(refused.unwrap_err(), CommandError::NoSuchRoom);
    let again = Command::ChangeRoom {
        room,
        added: Vec::new(),
        removed: vec![company.contacts[&(0, 2)]],
    };
    assert_eq!(company.tell(0, again).unwrap_err(), CommandError::NotMember);
}

#[test]
fn who_leaves_is_missed_by_its_host_and_by_the_others() {
    let (mut company, room) = a_room_of_three();
    company.tell(1, Command::LeaveRoom(room)).unwrap();
    company.meet(1, 0);
    assert_eq!(company.rooms(0)[0].members, [company.contacts[&(0, 2)]]);
    company.meet(0, 2);
    assert_eq!(company.rooms(2)[0].members, [company.contacts[&(2, 0)]]);
    // Without its host a room is over.
    company.tell(0, Command::LeaveRoom(room)).unwrap();
    company.meet(0, 2);
    assert!(company.rooms(2).is_empty());
}

#[test]
fn a_contact_that_the_host_forgets_is_out_for_the_others_too() {
    let (mut company, room) = a_room_of_three();
    let forgotten = company.contacts[&(0, 2)];
    company.tell(0, Command::RemoveContact(forgotten)).unwrap();
    company.meet(0, 1);
    assert_eq!(company.rooms(1)[0].members, [company.contacts[&(1, 0)]]);
    company.say(1, room, "among us");
    company.meet(1, 2);
    company.meet(1, 0);
    assert!(!company.heard(2).contains(&"among us".to_owned()));
    assert!(company.heard(0).contains(&"among us".to_owned()));
}

#[test]
fn keys_that_come_in_another_order_leave_nobody_deaf() {
    let mut company = Company::around_a_host(5);
    let room = company.make_room(0, "roof", &[1]);
    // 1 is away while three come in, a day after each other: the youngest key reaches it first.
    for guest in 2..5 {
        company.world.run(Duration::from_hours(25));
        company.change_room(0, room, &[guest], &[]);
    }
    company.meet(0, 1);
    company.say(0, room, "all here");
    company.meet(0, 1);
    assert_eq!(company.heard(1), ["all here"]);
}

#[test]
fn a_key_that_did_not_arrive_in_time_is_given_once_more() {
    let mut company = Company::around_a_host(2);
    let room = company.make_room(0, "roof", &[1]);
    // Longer than any message is carried.
    company.world.run(Duration::from_hours(24 * 15));
    company.say(0, room, "back from the hills?");
    company.meet(0, 1);
    assert_eq!(company.heard(1), ["back from the hills?"]);
    company.say(1, room, "yes");
    company.meet(1, 0);
    assert_eq!(company.heard(0), ["yes"]);
}

#[test]
fn a_guest_whose_first_word_from_the_host_is_the_room_speaks_there() {
    let mut company = Company::new(2, &[]);
    company.scan(1, 0);
    // The host makes the room as soon as it has heard from the guest, before any answer.
    let (a, b) = (company.nodes[0], company.nodes[1]);
    let link = company.world.connect(a, b, Weather::default());
    company.world.run(Duration::from_secs(2));
    company.world.disconnect(link);
    let Ok(Reply::Contacts(contacts)) = company.tell(0, Command::Contacts) else {
        panic!()
    };
    company.contacts.insert((0, 1), contacts[0].id);
    let room = company.make_room(0, "roof", &[1]);
    company.meet(0, 1);
    company.say(1, room, "made it");
    company.meet(1, 0);
    assert_eq!(company.heard(0), ["made it"]);
}

#[test]
fn what_nobody_could_ever_read_is_not_accepted() {
    let mut company = Company::new(2, &[]);
    company.scan(0, 1);
    let room = company.make_room(0, "roof", &[1]);
    assert_eq!(company.rooms(0)[0].without_key, 1);
    let refused = company.tell(0, Command::SendToRoom(room, "hello?".into(), None));
    assert_eq!(refused.unwrap_err(), CommandError::NobodyHears);
    // With the answer it is.
    company.meet(0, 1);
    company.meet(0, 1);
    company.say(0, room, "hello");
    company.meet(0, 1);
    assert_eq!(company.heard(1), ["hello"]);
}

#[test]
fn who_comes_late_hears_those_who_have_said_much_before() {
    let mut company = Company::new(3, &[(0, 1), (0, 2), (1, 2)]);
    let room = company.make_room(0, "roof", &[1]);
    company.meet(0, 1);
    for number in 0..100 {
        company.say(1, room, &format!("{number}"));
    }
    company.change_room(0, room, &[2], &[]);
    company.meet(0, 1);
    company.meet(0, 2);
    company.say(1, room, "welcome");
    company.meet(1, 2);
    assert_eq!(company.heard(2), ["welcome"]);
}

#[test]
fn guests_who_come_to_know_each_other_later_hear_each_other() {
    let mut company = Company::around_a_host(3);
    let room = company.make_room(0, "roof", &[1, 2]);
    company.meet(0, 1);
    company.meet(0, 2);
    assert_eq!(company.rooms(1)[0].unknown, 1);
    company.acquaint(1, 2);
    assert_eq!(company.rooms(1)[0].unknown, 0);
    company.say(1, room, "so that was you");
    company.meet(1, 2);
    assert_eq!(company.heard(2), ["so that was you"]);
}

#[test]
fn a_host_who_says_nothing_tells_of_the_room_all_the_same() {
    let mut company = Company::new(2, &[]);
    company.scan(0, 1);
    let room = company.make_room(0, "roof", &[1]);
    // The guest answers, and the host has its answer.
    for _ in 0..3 {
        company.meet(0, 1);
    }
    assert_eq!(company.rooms(1)[0].id, room);
    company.say(1, room, "who else is here?");
    company.meet(0, 1);
    assert_eq!(company.heard(0), ["who else is here?"]);
}

#[test]
fn a_guest_that_forgets_its_host_is_out_of_the_room() {
    let (mut company, _) = a_room_of_three();
    let host = company.contacts[&(1, 0)];
    company.tell(1, Command::RemoveContact(host)).unwrap();
    assert!(company.rooms(1).is_empty());
    company.meet(1, 0);
    assert_eq!(company.rooms(0)[0].members, [company.contacts[&(0, 2)]]);
}
