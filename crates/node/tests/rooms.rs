//! Rooms: one envelope for all who are in one, that nobody else can read, and that its sender alone can free.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;

use chappe_node::{
    Command, CommandError, ContactId, Content, Delivery, Draft, Event, Incoming, MessageId,
    NodeConfig, PolicyChoice, Profile, Reply, Room, RoomId, Status,
};
use chappe_testkit::{NodeIndex, Weather, World};
use chappe_wire::Duration;

/// People who know each other, as the test says.
struct Company {
    world: World,
    nodes: Vec<NodeIndex>,
    /// What the second is to the first.
    contacts: BTreeMap<(usize, usize), ContactId>,
}

/// Somebody who gives everything to everybody.
fn person(name: &str) -> NodeConfig {
    let mut config = NodeConfig::person(Profile {
        name: name.into(),
        jid: None,
        identity: None,
    });
    config.policy = PolicyChoice::Epidemic;
    config
}

impl Company {
    /// So many people, of whom these pairs have scanned each other's contact URIs and heard from each other since.
    fn new(people: usize, acquainted: &[(usize, usize)]) -> Self {
        let mut world = World::new(7);
        let nodes = (0..people).map(|number| world.add(person(&format!("p{number}"))));
        let mut company = Self {
            nodes: nodes.collect(),
            world,
            contacts: BTreeMap::new(),
        };
        for (a, b) in acquainted {
            let uris = [*a, *b].map(|who| match company.tell(who, Command::Invite) {
                Ok(Reply::Invite(uri)) => uri,
                other => panic!("{other:?}"),
            });
            let [uri_of_a, uri_of_b] = uris;
            for (who, whom, uri) in [(*a, *b, uri_of_b), (*b, *a, uri_of_a)] {
                let add = Command::AddContact {
                    uri,
                    name: Some(format!("p{whom}")),
                    scanned: true,
                };
                let Ok(Reply::Contact(contact)) = company.tell(who, add) else {
                    panic!()
                };
                company.contacts.insert((who, whom), contact.id);
            }
            // The introductions, and the answers to them.
            company.meet(*a, *b);
            company.meet(*a, *b);
        }
        company
    }

    /// A company of which the first knows all others, and they know only him.
    fn around_a_host(people: usize) -> Self {
        let acquainted: Vec<_> = (1..people).map(|guest| (0, guest)).collect();
        Self::new(people, &acquainted)
    }

    fn tell(&mut self, who: usize, command: Command) -> Result<Reply, CommandError> {
        self.world.command(self.nodes[who], command)
    }

    /// Two meet for long enough; what passed, in bytes.
    fn meet(&mut self, a: usize, b: usize) -> u64 {
        let (a, b) = (self.nodes[a], self.nodes[b]);
        let link = self.world.connect(a, b, Weather::default());
        self.world.run(Duration::from_secs(30));
        let bytes = self.world.sent(link).get();
        self.world.disconnect(link);
        self.world.run(Duration::from_minutes(25));
        bytes
    }

    fn make_room(&mut self, host: usize, name: &str, guests: &[usize]) -> RoomId {
        let members = guests.iter().map(|guest| self.contacts[&(host, *guest)]);
        let command = Command::MakeRoom {
            name: name.into(),
            members: members.collect(),
        };
        match self.tell(host, command) {
            Ok(Reply::Room(room)) => room.id,
            other => panic!("{other:?}"),
        }
    }

    fn change_room(&mut self, host: usize, room: RoomId, added: &[usize], removed: &[usize]) {
        let contacts = |guests: &[usize]| {
            let contacts = guests.iter().map(|guest| self.contacts[&(host, *guest)]);
            contacts.collect()
        };
        let change = Command::ChangeRoom {
            room,
            added: contacts(added),
            removed: contacts(removed),
        };
        self.tell(host, change).unwrap();
    }

    fn say(&mut self, who: usize, room: RoomId, text: &str) -> MessageId {
        match self.tell(who, Command::SendToRoom(room, text.into(), None)) {
            Ok(Reply::Accepted(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn inbox(&mut self, who: usize) -> Vec<Incoming> {
        match self.tell(who, Command::Inbox { after: None }) {
            Ok(Reply::Inbox(inbox)) => inbox,
            other => panic!("{other:?}"),
        }
    }

    /// Texts that somebody has heard in rooms.
    fn heard(&mut self, who: usize) -> Vec<String> {
        let inbox = self.inbox(who).into_iter();
        let said = inbox.filter(|incoming| incoming.room.is_some());
        said.map(|incoming| match incoming.content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
    }

    fn rooms(&mut self, who: usize) -> Vec<Room> {
        match self.tell(who, Command::Rooms) {
            Ok(Reply::Rooms(rooms)) => rooms,
            other => panic!("{other:?}"),
        }
    }

    fn status(&mut self, who: usize) -> Status {
        match self.tell(who, Command::Status) {
            Ok(Reply::Status(status)) => status,
            other => panic!("{other:?}"),
        }
    }
}

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
    assert_eq!(refused.unwrap_err(), CommandError::WrongKind);
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
