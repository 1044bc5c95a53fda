//! Rooms: one envelope for all who are in one, that nobody else can read, and that its sender alone can free.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[path = "common/company.rs"]
mod company;

use chappe_node::{Command, CommandError, Delivery, Draft, Event, NodeConfig, PolicyChoice, Reply};
use chappe_testkit::Weather;
use chappe_wire::Duration;
use company::{Company, person};

#[test]
fn what_is_said_in_a_room_is_one_envelope_that_all_members_read() {
    let mut company = Company::around_a_host(4);
    let room = company.make_room(0, "roof", &[1, 2, 3]);
    for guest in 1..4 {
        company.meet(0, guest);
    }
    let before = company.status(0).envelopes;
    company.say(0, room, "fog on the hill");
    assert_eq!(company.status(0).envelopes, before + 1, "one for all");
    // From hand to hand, and by the host himself.
    company.meet(0, 1);
    company.meet(1, 2);
    company.meet(2, 3);
    for guest in 1..4 {
        assert_eq!(company.heard(guest), ["fog on the hill"], "guest {guest}");
        let inbox = company.inbox(guest);
        let said = inbox.iter().find(|incoming| incoming.room.is_some());
        let said = said.unwrap();
        assert_eq!(said.room.as_ref().unwrap().name, "roof");
        assert_eq!(
            (said.room.as_ref().unwrap().id, said.name.as_str()),
            (room, "p0")
        );
        assert_eq!(said.contact, company.contacts[&(guest, 0)]);
    }
}

#[test]
fn guests_speak_too_and_are_heard_by_those_who_know_them() {
    let mut company = Company::new(4, &[(0, 1), (0, 2), (0, 3), (1, 2)]);
    let room = company.make_room(0, "roof", &[1, 2, 3]);
    for guest in 1..4 {
        company.meet(0, guest);
    }
    let of_one = company.rooms(1);
    assert_eq!(of_one.len(), 1);
    let known = [(1, 0), (1, 2)].map(|who| company.contacts[&who]);
    assert_eq!(of_one[0].members, known);
    assert_eq!((of_one[0].unknown, of_one[0].name.as_str()), (1, "roof"));
    company.say(1, room, "I am here");
    company.meet(1, 2);
    company.meet(1, 0);
    company.meet(0, 3);
    assert_eq!(company.heard(0), ["I am here"]);
    assert_eq!(company.heard(2), ["I am here"]);
    // They are strangers.
    assert_eq!(company.heard(3), [""; 0]);
}

#[test]
fn a_key_that_comes_before_the_host_has_told_of_the_room_makes_nobody_the_host() {
    let mut company = Company::new(3, &[(0, 1), (0, 2), (1, 2)]);
    let room = company.make_room(0, "roof", &[1, 2]);
    company.meet(0, 1);
    company.say(1, room, "am I early?");
    // 2 hears from 1, with whom it is not in a room as far as it knows.
    let link = company
        .world
        .connect(company.nodes[1], company.nodes[2], Weather::default());
    company.world.run(Duration::from_secs(20));
    company.world.disconnect(link);
    let told = company.rooms(2);
    // 1 has also carried what the host has said, which opens as soon as it is there.
    assert!(
        told.iter()
            .all(|room| room.host == Some(company.contacts[&(2, 0)]))
    );
    company.meet(0, 2);
    let told = company.rooms(2);
    assert_eq!(told[0].host, Some(company.contacts[&(2, 0)]));
    company.meet(1, 2);
    assert_eq!(company.heard(2), ["am I early?"]);
    let change = Command::ChangeRoom {
        room,
        added: Vec::new(),
        removed: vec![company.contacts[&(1, 0)]],
    };
    assert_eq!(company.tell(1, change).unwrap_err(), CommandError::NotHost);
}

#[test]
fn who_is_added_later_speaks_with_those_who_were_there() {
    let mut company = Company::new(3, &[(0, 1), (0, 2), (1, 2)]);
    let room = company.make_room(0, "roof", &[1]);
    company.meet(0, 1);
    company.say(0, room, "before");
    company.change_room(0, room, &[2], &[]);
    company.meet(0, 1);
    company.meet(0, 2);
    let of_one = company.rooms(1).remove(0).members;
    assert!(of_one.contains(&company.contacts[&(1, 2)]));
    company.say(1, room, "welcome");
    company.meet(1, 2);
    company.say(2, room, "thank you");
    company.meet(1, 2);
    assert_eq!(company.heard(2), ["welcome"]);
    assert_eq!(company.heard(1), ["before", "thank you"]);
}

#[test]
fn what_the_host_said_before_does_not_bring_back_who_was_taken_out_since() {
    let mut company = Company::new(3, &[(0, 1), (0, 2), (1, 2)]);
    let room = company.make_room(0, "roof", &[1, 2]);
    company.world.run(Duration::from_hours(30));
    company.change_room(0, room, &[], &[2]);
    // What the host tells 1 comes in one meeting, the younger first.
    company.meet(0, 1);
    let of_one = company.rooms(1).remove(0);
    assert_eq!(of_one.members, [company.contacts[&(1, 0)]]);
    company.say(1, room, "for the host");
    company.meet(1, 2);
    company.meet(0, 2);
    assert_eq!(company.heard(2), [""; 0]);
    company.meet(1, 0);
    assert_eq!(company.heard(0), ["for the host"]);
}

#[test]
fn one_contact_brings_a_node_into_so_many_rooms_and_no_more() {
    let mut company = Company::around_a_host(2);
    for number in 0..18 {
        company.make_room(0, &format!("room {number}"), &[1]);
    }
    company.meet(0, 1);
    assert_eq!(company.rooms(1).len(), 16);
    // There is room for those of others.
    company.make_room(1, "my own", &[0]);
}

#[test]
fn who_was_taken_out_reads_nothing_that_is_said_later() {
    let mut company = Company::around_a_host(3);
    let room = company.make_room(0, "roof", &[1, 2]);
    for guest in 1..3 {
        company.meet(0, guest);
    }
    company.say(0, room, "for both");
    company.change_room(0, room, &[], &[2]);
    company.say(0, room, "for one");
    for guest in 1..3 {
        company.meet(0, guest);
    }
    let mut heard = company.heard(1);
    heard.sort_unstable();
    assert_eq!(heard, ["for both", "for one"]);
    assert_eq!(company.heard(2), ["for both"]);
    // And it cannot be told by its tag that it is for the room: nothing was there to be read.
    assert_eq!(company.status(2).undecryptable, 0);
}

#[test]
fn nobody_but_the_sender_frees_what_is_for_several() {
    let mut company = Company::around_a_host(4);
    let relay = company.world.add({
        let mut config = NodeConfig::relay();
        config.policy = PolicyChoice::Epidemic;
        config
    });
    company.nodes.push(relay);
    let (host, relay) = (0, 4);
    let room = company.make_room(host, "roof", &[1, 2, 3]);
    for guest in 1..4 {
        company.meet(host, guest);
    }
    // All receipts for the keys are home.
    for guest in 1..4 {
        company.meet(host, guest);
    }
    let message = company.say(host, room, "hold out until dawn");
    company.meet(host, relay);
    for guest in [1, 2] {
        // They read it, let their receipts go, and come back.
        company.meet(relay, guest);
        company.meet(relay, guest);
        assert_eq!(company.heard(guest), ["hold out until dawn"]);
    }
    company.meet(host, relay);
    let held = company.status(relay).envelopes;
    assert!(held >= 1, "it is still there for the third");
    company.meet(relay, 3);
    assert_eq!(company.heard(3), ["hold out until dawn"]);
    // Taken back, it goes everywhere.
    company.tell(host, Command::TakeBack(message)).unwrap();
    let again = company.tell(host, Command::TakeBack(message));
    assert_eq!(again.unwrap_err(), CommandError::NoSuchMessage);
    company.meet(host, relay);
    assert_eq!(company.status(relay).envelopes, held - 1);
    // Messages to one person are not taken back.
    let contact = company.contacts[&(0, 1)];
    let send = Command::Send(contact, Draft::Text("you".into()), None);
    let Ok(Reply::Accepted(to_one)) = company.tell(host, send) else {
        panic!()
    };
    let refused = company.tell(host, Command::TakeBack(to_one));
    assert_eq!(refused.unwrap_err(), CommandError::NotToRoom);
}

#[test]
fn rooms_and_what_is_on_its_way_in_them_survive_a_crash() {
    let mut company = Company::around_a_host(3);
    let room = company.make_room(0, "roof", &[1, 2]);
    for guest in 1..3 {
        company.meet(0, guest);
    }
    company.say(0, room, "one");
    company.meet(0, 1);
    for node in company.nodes.clone() {
        company.world.crash(node);
    }
    company.say(0, room, "two");
    company.meet(0, 1);
    company.meet(0, 2);
    for guest in 1..3 {
        let mut heard = company.heard(guest);
        heard.sort();
        assert_eq!(heard, ["one", "two"], "guest {guest}");
    }
    let Ok(Reply::Outbox(sent)) = company.tell(0, Command::Outbox) else {
        panic!()
    };
    assert!(
        sent.iter()
            .all(|sent| sent.room == Some(room) && sent.name == "roof")
    );
    assert!(
        matches!(sent[0].state, Delivery::Carried { .. }),
        "not called delivered"
    );
}

#[test]
fn who_has_left_hears_nothing_more() {
    let mut company = Company::around_a_host(2);
    let room = company.make_room(0, "roof", &[1]);
    company.meet(0, 1);
    let told = company.world.events(company.nodes[1]);
    let joined = |event: &Event| matches!(event, Event::RoomJoined(told) if told.id == room);
    assert_eq!(told.iter().filter(|event| joined(event)).count(), 1);
    company.tell(1, Command::LeaveRoom(room)).unwrap();
    company.say(0, room, "is anybody there?");
    company.meet(0, 1);
    assert!(company.heard(1).is_empty() && company.rooms(1).is_empty());
    let left = company.tell(1, Command::SendToRoom(room, "no".into(), None));
    assert_eq!(left.unwrap_err(), CommandError::NoSuchRoom);
}

/// Bytes both ways at the origin when it meets a relay with one message to hand over.
fn bytes_at_the_origin(company: &mut Company, relay: usize, send: Command) -> u64 {
    // Nothing else is new, and both know that.
    company.meet(0, relay);
    company.meet(0, relay);
    let idle = company.meet(0, relay);
    company.tell(0, send).unwrap();
    company.meet(0, relay) - idle
}

#[test]
fn a_hundred_devices_cost_at_the_origin_what_few_do() {
    const GUESTS: usize = 99;
    let mut company = Company::new(1, &[]);
    let host = company.nodes[0];
    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        let Ok(Reply::Invite(uri)) = company.tell(0, Command::Invite) else {
            panic!()
        };
        let guest = company.world.add(person("guest"));
        let add = Command::AddContact {
            uri,
            name: None,
            scanned: true,
        };
        company.world.command(guest, add).unwrap();
        let link = company.world.connect(host, guest, Weather::default());
        company.world.run(Duration::from_millis(200));
        company.world.disconnect(link);
        for event in company.world.events(host) {
            if let Event::ContactAdded(contact) = event {
                guests.push(contact.id);
            }
        }
    }
    assert_eq!(guests.len(), GUESTS);
    let relay = company.world.add({
        let mut config = NodeConfig::relay();
        config.policy = PolicyChoice::Epidemic;
        config
    });
    company.nodes.push(relay);
    let relay = 1;
    let to_one = guests[0];
    let make = Command::MakeRoom {
        name: "town".into(),
        members: guests,
    };
    let Ok(Reply::Room(made)) = company.tell(0, make) else {
        panic!()
    };
    assert_eq!((made.members.len(), made.without_key), (GUESTS, 0));
    let room = made.id;
    let text = "The bridge is closed; take the ford south of the mill.";
    let to_one = Command::Send(to_one, Draft::Text(text.into()), None);
    let one = bytes_at_the_origin(&mut company, relay, to_one);
    let to_all = Command::SendToRoom(room, text.into(), None);
    let all = bytes_at_the_origin(&mut company, relay, to_all);
    println!("one recipient {one} bytes, a room of 100 devices {all} bytes");
    assert!(one > 512 && all <= 3 * one, "{all} bytes for {one}");
}
