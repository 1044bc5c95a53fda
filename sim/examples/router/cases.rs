//! The contacts and messages that everything is measured on. One setting of each router for all of them.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use chappe_sim::oracle::{self, Bounds, Question};
use chappe_sim::routing::{Network, Settings};
use chappe_sim::scenario::Scenario;
use chappe_sim::{
    BufferSetting, Buffers, ContactTrace, MessageEvent, MessageIndex, MessageName, NodeIndex, Rate,
    SimTime, trace,
};
use chappe_wire::ByteCount;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// The messages' lifetime.
pub(crate) const TTL: Duration = Duration::from_secs(18_000);
/// Bytes of a piece of a message: the longest body of an envelope.
const PIECE: u64 = 4_096;
/// What nodes hold that are no trams.
const BUFFER: ByteCount = ByteCount::new(5_000_000);

/// Contacts and messages.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) contacts: ContactTrace,
    pub(crate) messages: Vec<MessageEvent>,
    pub(crate) buffers: Buffers,
    pub(crate) end: Option<SimTime>,
    /// Of whole messages.
    pub(crate) bounds: Bounds,
    /// Where messages travel in pieces, of which message each is one.
    pub(crate) pieces: Option<Vec<u32>>,
}

impl Case {
    /// Two hundred people who walk at random, 363 messages of 5 to 10 kB.
    pub(crate) fn rwp200() -> Result<Self, Box<dyn Error>> {
        let about = "200 random walkers, 363 messages of 5 to 10 kB";
        Self::recorded("rwp200", about, "rwp200-contacts", "rwp200-messages")
    }

    /// The same people, 1,437 messages of 0.5 to 1 MB.
    pub(crate) fn rwp200_heavy() -> Result<Self, Box<dyn Error>> {
        let about = "200 random walkers, 1,437 messages of 0.5 to 1 MB";
        Self::recorded(
            "rwp200 heavy",
            about,
            "rwp200-contacts",
            "rwp200-messages-heavy",
        )
    }

    /// A conference: 403 badges, two days.
    pub(crate) fn sfhh() -> Result<Self, Box<dyn Error>> {
        let about = "a conference, 403 badges, 1,000 messages of 5 to 10 kB";
        Self::recorded("SFHH", about, "sfhh-contacts", "sfhh-messages")
    }

    /// An office building: 217 badges, twelve days; random messages in the hours in which people meet.
    pub(crate) fn invs15() -> Result<Self, Box<dyn Error>> {
        let path = folder().join("traces/sociopatterns/workplace_InVS15_tij.dat.gz");
        let contacts = trace::read_contacts(&path)?;
        let messages = random_messages(&contacts);
        let about = "an office, 217 badges, 1,000 random messages of 5 to 10 kB in hours in which people meet";
        Ok(Self::new("InVS15", about, contacts, messages, None))
    }

    /// A stand-in for The ONE's default scenario: 126 walkers, cars and trams, 0.5 to 1 MB each half minute.
    pub(crate) fn tram_town() -> Result<Self, Box<dyn Error>> {
        let scenario = Scenario::load(&folder().join("scenarios/tram-town.toml"), &[])?;
        let world = scenario.build(1)?;
        let nodes = world.nodes;
        let contacts = ContactTrace {
            events: world.contacts.collect(),
            nodes,
            end: world.end,
        };
        let about =
            "126 walkers, cars and trams (sim/scenarios/tram-town.toml), 0.5 to 1 MB each 30 s";
        let mut case = Self::new(
            "tram town",
            about,
            contacts,
            world.messages,
            Some(world.end),
        );
        case.buffers = Buffers::each(&world.buffers);
        Ok(case)
    }

    fn recorded(
        name: &'static str,
        about: &'static str,
        contacts: &str,
        messages: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let read = |name: &str| folder().join("traces").join(format!("{name}.txt.gz"));
        let contacts = trace::read_contacts(&read(contacts))?;
        let messages = trace::read_messages(&read(messages))?;
        let walkers = name.starts_with("rwp200");
        let end = walkers.then(|| SimTime::ZERO.after(Duration::from_secs(43_200)));
        Ok(Self::new(name, about, contacts, messages, end))
    }

    fn new(
        name: &'static str,
        about: &'static str,
        contacts: ContactTrace,
        messages: Vec<MessageEvent>,
        end: Option<SimTime>,
    ) -> Self {
        let question = Question {
            rate: Rate::THE_ONE,
            ttl: TTL,
        };
        let bounds = oracle::bounds(&contacts, &messages, &question);
        let buffers = Buffers::all(BUFFER);
        Self {
            name,
            about,
            contacts,
            messages,
            buffers,
            end,
            bounds,
            pieces: None,
        }
    }

    /// The one of this name, in lower case and with hyphens.
    pub(crate) fn named(name: &str) -> Result<Self, Box<dyn Error>> {
        match name {
            "rwp200" => Self::rwp200(),
            "sfhh" => Self::sfhh(),
            "invs15" => Self::invs15(),
            "rwp200-heavy" => Self::rwp200_heavy(),
            "tram-town" => Self::tram_town(),
            _ => Err(format!("`{name}` is none of {}", Self::NAMES.join(", ")).into()),
        }
    }

    /// All of them.
    pub(crate) const NAMES: [&str; 5] = ["rwp200", "sfhh", "invs15", "rwp200-heavy", "tram-town"];

    /// The same, where each message travels in pieces, as files do.
    pub(crate) fn in_pieces(mut self) -> Self {
        let mut pieces = Vec::new();
        let mut messages = Vec::new();
        for message in &self.messages {
            let (size, count) = (message.size.get(), message.size.get().div_ceil(PIECE));
            for place in 0..count {
                let index = MessageIndex::new(messages.len() as u32);
                pieces.push(message.index.get());
                messages.push(MessageEvent {
                    index,
                    name: MessageName::new(&format!("M{}", index.get())),
                    size: ByteCount::new(PIECE.min(size - place * PIECE)),
                    ..message.clone()
                });
            }
        }
        self.messages = messages;
        self.pieces = Some(pieces);
        self
    }

    /// The first hours, with the messages that are written an hour before their end at the latest; all, if these are all.
    pub(crate) fn within(mut self, hours: u32) -> Self {
        let after = |hours: u32| SimTime::ZERO.after(Duration::from_secs(3_600) * hours);
        if self.end.is_none_or(|end| end <= after(hours)) {
            return self;
        }
        self.end = Some(after(hours));
        let last = after(hours.saturating_sub(1));
        self.messages.retain(|message| message.at < last);
        self
    }

    /// The same contacts, with other messages.
    pub(crate) fn with_messages(mut self, messages: Vec<MessageEvent>) -> Self {
        self.messages = messages;
        self
    }

    /// The same, where these nodes hold more.
    pub(crate) fn with_buffer(mut self, setting: BufferSetting) -> Self {
        self.buffers = self.buffers.with(setting);
        self
    }

    /// Ready to run.
    pub(crate) fn network(&self) -> Result<Network<'_>, Box<dyn Error>> {
        let settings = Settings {
            rate: Rate::THE_ONE,
            buffers: self.buffers.clone(),
            ttl: TTL,
            end: self.end,
        };
        Ok(Network::new(&self.contacts, &self.messages, settings)?)
    }
}

/// A thousand messages between random pairs, each within ten minutes before somebody meets somebody.
fn random_messages(contacts: &ContactTrace) -> Vec<MessageEvent> {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    let mut below = |limit: u64| rng.next_u64() % limit.max(1);
    let ups: Vec<SimTime> = contacts
        .events
        .iter()
        .filter(|event| event.up)
        .map(|event| event.at)
        .collect();
    let nodes = u64::from(contacts.nodes);
    let mut times: Vec<(u64, u64, u64, u64)> = (0..1_000)
        .map(|_| {
            let up = ups[below(ups.len() as u64) as usize].as_micros();
            let at = up.saturating_sub(below(600) * 1_000_000);
            let from = below(nodes);
            let to = (from + 1 + below(nodes - 1)) % nodes;
            (at, from, to, 5_000 + below(5_001))
        })
        .collect();
    times.sort_unstable();
    let node = |number: u64| NodeIndex::new(number as u32);
    let event = |(index, (at, from, to, size)): (u32, (u64, u64, u64, u64))| MessageEvent {
        at: SimTime::from_micros(at),
        index: MessageIndex::new(index),
        name: MessageName::new(&format!("M{index}")),
        from: node(from),
        to: node(to),
        size: ByteCount::new(size),
    };
    (0..).zip(times).map(event).collect()
}

/// Where the simulator's traces and scenarios are.
pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
