//! Two people who know each other.

use std::collections::BTreeMap;

use chappe_node::{
    Command, ContactId, Content, Delivery, Draft, Event, MessageId, NodeConfig, Profile, Reply,
};
use chappe_wire::{Duration, LinkId};

use crate::pipe::Weather;
use crate::world::{NodeIndex, World};

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first.
    North,
    /// The second.
    South,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::North, Self::South];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::North => Self::South,
            Self::South => Self::North,
        }
    }

    fn index(self) -> NodeIndex {
        NodeIndex(self as usize)
    }
}

/// Two people who have scanned each other's contact URI, in a world of their own.
pub struct Pair {
    /// The world, for whatever else is to be in it.
    pub world: World,
    contacts: [ContactId; 2],
    link: Option<LinkId>,
    shown: BTreeMap<(Side, String), usize>,
    told: BTreeMap<Side, Vec<Event>>,
}

impl Pair {
    /// Two people who are out of range of each other.
    pub fn new(seed: u64) -> Self {
        Self::with_config(seed, |_| {})
    }

    /// The same, with other settings.
    pub fn with_config(seed: u64, change: impl Fn(&mut NodeConfig)) -> Self {
        let mut world = World::new(seed);
        let uris = Side::BOTH.map(|side| {
            let profile = Profile {
                name: format!("{side:?}").to_lowercase(),
                jid: None,
                identity: None,
            };
            let mut config = NodeConfig::person(profile);
            change(&mut config);
            let index = world.add(config);
            match world.command(index, Command::Invite) {
                Ok(Reply::Invite(uri)) => uri,
                other => panic!("no contact URI: {other:?}"),
            }
        });
        let contacts = Side::BOTH.map(|side| {
            let uri = uris[side.other() as usize].clone();
            let command = Command::AddContact {
                uri,
                name: None,
                scanned: true,
            };
            match world.command(side.index(), command) {
                Ok(Reply::Contact(contact)) => contact.id,
                other => panic!("no contact: {other:?}"),
            }
        });
        Self {
            world,
            contacts,
            link: None,
            shown: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// The node of one of the two.
    pub fn node(&self, side: Side) -> NodeIndex {
        side.index()
    }

    /// What the other one is to this one.
    pub fn contact(&self, side: Side) -> ContactId {
        self.contacts[side as usize]
    }

    /// Brings the two into range, if they are not.
    pub fn connect(&mut self, weather: Weather) {
        self.disconnect();
        self.link = Some(self.world.connect(NodeIndex(0), NodeIndex(1), weather));
    }

    /// Takes the two out of range.
    pub fn disconnect(&mut self) {
        if let Some(link) = self.link.take() {
            self.world.disconnect(link);
        }
    }

    /// Ends one of the two without warning and starts it again. The link is down afterwards.
    pub fn crash(&mut self, side: Side) {
        self.link = None;
        self.collect();
        self.world.crash(side.index());
    }

    /// Sends a text to the other one. `None` if the node did not accept it.
    pub fn send(&mut self, from: Side, text: &str) -> Option<MessageId> {
        let command = Command::Send(self.contact(from), Draft::Text(text.to_owned()), None);
        match self.world.command(from.index(), command) {
            Ok(Reply::Accepted(message)) => Some(message),
            _ => None,
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        self.world.run(duration);
        self.collect();
    }

    /// How often a text was told to one of the two.
    pub fn shown(&self, to: Side, text: &str) -> usize {
        self.shown
            .get(&(to, text.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// The texts in the inbox of one of the two.
    pub fn inbox(&mut self, side: Side) -> Vec<String> {
        let Ok(Reply::Inbox(list)) = self
            .world
            .command(side.index(), Command::Inbox { after: None })
        else {
            panic!("the inbox was refused");
        };
        let texts = list
            .into_iter()
            .filter_map(|incoming| match incoming.content {
                Content::Text(text) => Some(text),
                _ => None,
            });
        texts.collect()
    }

    /// The state of a message that was sent.
    pub fn state(&mut self, from: Side, message: MessageId) -> Delivery {
        let Ok(Reply::Outbox(list)) = self.world.command(from.index(), Command::Outbox) else {
            panic!("the outbox was refused");
        };
        list.iter()
            .find(|outgoing| outgoing.id == message)
            .expect("it was sent")
            .state
    }

    /// What the node of one of the two has told since it was asked last, as of the last [`Pair::run`].
    pub fn events(&mut self, side: Side) -> Vec<Event> {
        self.told.remove(&side).unwrap_or_default()
    }

    fn collect(&mut self) {
        for side in Side::BOTH {
            let events = self.world.events(side.index());
            self.told
                .entry(side)
                .or_default()
                .extend(events.iter().cloned());
            for event in events {
                if let Event::Received(incoming) = event
                    && let Content::Text(text) = incoming.content
                {
                    *self.shown.entry((side, text)).or_default() += 1;
                }
            }
        }
    }
}
