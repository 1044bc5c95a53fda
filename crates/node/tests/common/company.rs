//! People in rooms, who meet as a test says.
#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;

use chappe_node::{
    Command, CommandError, ContactId, Content, Incoming, MessageId, NodeConfig, PolicyChoice,
    Profile, Reply, Room, RoomId, Status,
};
use chappe_testkit::{NodeIndex, Weather, World};
use chappe_wire::Duration;

/// People who know each other, as the test says.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) nodes: Vec<NodeIndex>,
    /// What the second is to the first.
    pub(crate) contacts: BTreeMap<(usize, usize), ContactId>,
}

/// Somebody who gives everything to everybody.
pub(crate) fn person(name: &str) -> NodeConfig {
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
    pub(crate) fn new(people: usize, acquainted: &[(usize, usize)]) -> Self {
        let mut world = World::new(7);
        let nodes = (0..people).map(|number| world.add(person(&format!("p{number}"))));
        let mut company = Self {
            nodes: nodes.collect(),
            world,
            contacts: BTreeMap::new(),
        };
        for (a, b) in acquainted {
            company.acquaint(*a, *b);
        }
        company
    }

    /// Two scan each other's contact URIs, and meet.
    pub(crate) fn acquaint(&mut self, a: usize, b: usize) {
        self.scan(a, b);
        self.scan(b, a);
        // The introductions, and the answers to them.
        self.meet(a, b);
        self.meet(a, b);
    }

    /// One scans another's contact URI, who hears of it when they meet.
    pub(crate) fn scan(&mut self, who: usize, whom: usize) {
        let uri = match self.tell(whom, Command::Invite) {
            Ok(Reply::Invite(uri)) => uri,
            other => panic!("{other:?}"),
        };
        let add = Command::AddContact {
            uri,
            name: Some(format!("p{whom}")),
            scanned: true,
        };
        let Ok(Reply::Contact(contact)) = self.tell(who, add) else {
            panic!()
        };
        self.contacts.insert((who, whom), contact.id);
    }

    /// A company of which the first knows all others, and they know only him.
    pub(crate) fn around_a_host(people: usize) -> Self {
        let acquainted: Vec<_> = (1..people).map(|guest| (0, guest)).collect();
        Self::new(people, &acquainted)
    }

    pub(crate) fn tell(&mut self, who: usize, command: Command) -> Result<Reply, CommandError> {
        self.world.command(self.nodes[who], command)
    }

    /// Two meet for long enough; what passed, in bytes.
    pub(crate) fn meet(&mut self, a: usize, b: usize) -> u64 {
        let (a, b) = (self.nodes[a], self.nodes[b]);
        let link = self.world.connect(a, b, Weather::default());
        self.world.run(Duration::from_secs(30));
        let bytes = self.world.sent(link).get();
        self.world.disconnect(link);
        self.world.run(Duration::from_minutes(25));
        bytes
    }

    pub(crate) fn make_room(&mut self, host: usize, name: &str, guests: &[usize]) -> RoomId {
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

    pub(crate) fn change_room(
        &mut self,
        host: usize,
        room: RoomId,
        added: &[usize],
        removed: &[usize],
    ) {
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

    pub(crate) fn say(&mut self, who: usize, room: RoomId, text: &str) -> MessageId {
        match self.tell(who, Command::SendToRoom(room, text.into(), None)) {
            Ok(Reply::Accepted(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn inbox(&mut self, who: usize) -> Vec<Incoming> {
        match self.tell(who, Command::Inbox { after: None }) {
            Ok(Reply::Inbox(inbox)) => inbox,
            other => panic!("{other:?}"),
        }
    }

    /// Texts that somebody has heard in rooms.
    pub(crate) fn heard(&mut self, who: usize) -> Vec<String> {
        let inbox = self.inbox(who).into_iter();
        let said = inbox.filter(|incoming| incoming.room.is_some());
        said.map(|incoming| match incoming.content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
    }

    pub(crate) fn rooms(&mut self, who: usize) -> Vec<Room> {
        match self.tell(who, Command::Rooms) {
            Ok(Reply::Rooms(rooms)) => rooms,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn status(&mut self, who: usize) -> Status {
        match self.tell(who, Command::Status) {
            Ok(Reply::Status(status)) => status,
            other => panic!("{other:?}"),
        }
    }
}
