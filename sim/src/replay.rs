//! One run on recorded contacts and messages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chappe_wire::ByteCount;
use sha2::{Digest as _, Sha256};

use crate::buffers::{BufferSetting, Buffers};
use crate::compat::{self, Replay};
use crate::cost::{Cost, Meter};
use crate::event::{ContactTrace, MessageEvent, NodeIndex, SimTime, TraceError, UnknownNode};
use crate::log::Keep;
use crate::oracle::{self, Bounds, Question};
use crate::routers::Router;
use crate::routing::{self, Network};
use crate::run::{Run, Wanted};
use crate::tables::{Label, Member, Surroundings, hex};
use crate::trace;
use crate::units::Rate;

/// The ONE's default, for nodes of which nothing else is said.
pub const DEFAULT_BUFFER: ByteCount = ByteCount::new(5_000_000);
/// How often nodes update in The ONE, unless told otherwise.
pub const TICK: Duration = Duration::from_millis(100);

/// Recorded contacts and messages that fit each other.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The name of the file of contacts, without endings.
    pub name: String,
    /// Who met whom.
    pub contacts: ContactTrace,
    /// Who wrote what.
    pub messages: Vec<MessageEvent>,
    /// What reading it has cost.
    pub loading: Cost,
}

/// How a recording is replayed.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How often nodes update, where The ONE's semantics are followed.
    pub one_compat: Option<Duration>,
    /// The rate of contacts for which the trace tells none.
    pub rate: Rate,
    /// How much the nodes can hold; [`DEFAULT_BUFFER`] for those of which nothing is said.
    pub buffers: Vec<BufferSetting>,
    /// The messages' lifetime.
    pub ttl: Duration,
    /// When the run ends; otherwise with the trace or its last message, whichever is later.
    pub end: Option<SimTime>,
}

/// Why a recording cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A file is wrong.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Messages speak of nodes that nobody meets.
    #[error(transparent)]
    UnknownNode(#[from] UnknownNode),
    /// The router decides by what sealed traffic hides.
    #[error("`{0}` needs to see what sealed traffic hides, and only The ONE's semantics show that")]
    Unsealed(&'static str),
    /// A buffer is set for nodes that the contacts do not have.
    #[error("`--buffer {0}` is for nodes that the contacts do not have: theirs are 0 to {last}", last = .1.saturating_sub(1))]
    BufferOfNobody(BufferSetting, u32),
}

impl Recording {
    /// Reads two files.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn read(contacts: &Path, messages: &Path) -> Result<Self, ReplayError> {
        let loading = Meter::start();
        let name = contacts.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        let contacts = trace::read_contacts(contacts)?;
        let messages = trace::read_messages_among(messages, contacts.nodes)?;
        Ok(Self {
            name,
            contacts,
            messages,
            loading: loading.read(),
        })
    }

    /// Checks that what is said of some nodes is said of nodes that there are.
    ///
    /// # Errors
    /// [`ReplayError::BufferOfNobody`].
    pub fn check(&self, terms: &Terms) -> Result<(), ReplayError> {
        let nodes = self.contacts.nodes;
        let mut settings = terms.buffers.iter();
        match settings.find(|setting| setting.is_beyond(nodes)) {
            Some(setting) => Err(ReplayError::BufferOfNobody(*setting, nodes)),
            None => Ok(()),
        }
    }

    /// One run. The same seed gives the same run on any machine.
    ///
    /// # Errors
    /// [`ReplayError::Unsealed`], and what [`Self::check`] finds.
    pub fn run(
        &self,
        terms: &Terms,
        router: &Router,
        seed: u64,
        wanted: Wanted,
    ) -> Result<Run, ReplayError> {
        self.check(terms)?;
        let meter = Meter::start();
        let unsealed = ReplayError::Unsealed(router.name);
        let course = if let Some(settings) = terms.compat() {
            let replay = Replay::new(&self.contacts, &self.messages, settings)?;
            router.replay_course(&replay, seed, wanted.keep)
        } else {
            let network = Network::new(&self.contacts, &self.messages, terms.routing())?;
            let course = router.route_course(&network, seed, wanted.keep);
            course.ok_or(unsealed)?
        };
        let cost = self.loading.and(meter.read());
        let surroundings = match wanted.keep {
            Keep::Everything => self.surroundings(terms),
            Keep::Figures => Surroundings::default(),
        };
        Ok(Run {
            course,
            cost,
            not_modelled: Vec::new(),
            oracle: wanted.oracle.then(|| self.bounds(terms)),
            surroundings,
        })
    }

    /// What physics allows until the run ends.
    pub fn bounds(&self, terms: &Terms) -> Bounds {
        let (rate, ttl) = (terms.rate, terms.ttl);
        let question = Question { rate, ttl };
        let Some(end) = terms.end else {
            return oracle::bounds(&self.contacts, &self.messages, &question);
        };
        let contacts = self
            .contacts
            .events
            .partition_point(|event| event.at <= end);
        let contacts = ContactTrace {
            nodes: self.contacts.nodes,
            events: self
                .contacts
                .events
                .iter()
                .take(contacts)
                .copied()
                .collect(),
            end,
        };
        let messages = self.messages.partition_point(|message| message.at <= end);
        let messages = self.messages.get(..messages).unwrap_or_default();
        oracle::bounds(&contacts, messages, &question)
    }

    fn surroundings(&self, terms: &Terms) -> Surroundings {
        let buffers = terms.buffers();
        let group: Arc<str> = "".into();
        let member = |node| Member {
            group: group.clone(),
            buffer: buffers.of(NodeIndex::new(node)),
            radio: None,
        };
        let last = self.messages.last();
        let last = last.map_or(SimTime::ZERO, |message| message.at);
        Surroundings {
            members: (0..self.contacts.nodes).map(member).collect(),
            messages: self.messages.clone(),
            ways: Vec::new(),
            end: terms.end.unwrap_or(last.max(self.contacts.end)),
        }
    }

    /// What a run of it is.
    pub fn label(&self, terms: &Terms, router: &str, seed: u64, input: &str) -> Label {
        Label {
            scenario: self.name.clone(),
            router: router.to_owned(),
            mode: terms.mode().to_owned(),
            seed,
            input: input.to_owned(),
            document: terms.document(),
            parameters: Vec::new(),
        }
    }
}

/// The ONE's defaults, in exact time: 250 kB/s, buffers of 5 MB, 300 minutes.
impl Default for Terms {
    fn default() -> Self {
        Self {
            one_compat: None,
            rate: Rate::THE_ONE,
            buffers: Vec::new(),
            ttl: Duration::from_secs(300 * 60),
            end: None,
        }
    }
}

/// The SHA-256 of files, one after the other.
///
/// # Errors
/// [`TraceError`], where one cannot be read.
pub fn input_hash(files: &[&Path]) -> Result<String, TraceError> {
    let mut hash = Sha256::new();
    for path in files {
        let bytes = std::fs::read(path).map_err(|error| {
            TraceError::new(path, 0, error.to_string(), "a file that can be read")
        })?;
        hash.update(bytes);
    }
    Ok(hex(&hash.finalize()))
}

impl Terms {
    /// The same for a router that devices could run. One that decides by what sealed traffic hides is replayed in The ONE's
    /// way, with its usual tick, unless that is how they are anyway.
    #[must_use]
    pub fn suited_to(&self, router: &Router) -> Self {
        let tick = (!router.is_sealed()).then_some(TICK);
        Self {
            one_compat: self.one_compat.or(tick),
            ..self.clone()
        }
    }

    /// `one-compat` or `routing`.
    pub const fn mode(&self) -> &'static str {
        match self.one_compat {
            Some(_) => "one-compat",
            None => "routing",
        }
    }

    /// All of them, as JSON on one line, with sorted keys.
    pub fn document(&self) -> String {
        let micros = |time: Duration| time.as_micros() as f64 / 1e6;
        let buffers: Vec<String> = self.buffers.iter().map(ToString::to_string).collect();
        let end = self.end.map(SimTime::as_secs_f64);
        let optional = |number: Option<f64>| number.map_or("null".to_owned(), |n| n.to_string());
        let tick = self.one_compat.map(micros);
        format!(
            "{{\"buffer\":\"{}\",\"end_s\":{},\"rate_bytes_per_s\":{},\"tick_s\":{},\"ttl_s\":{}}}",
            buffers.join(" "),
            optional(end),
            self.rate.bytes_per_second(),
            optional(tick),
            micros(self.ttl)
        )
    }

    fn buffers(&self) -> Buffers {
        let all = Buffers::all(DEFAULT_BUFFER);
        self.buffers.iter().copied().fold(all, Buffers::with)
    }

    fn compat(&self) -> Option<compat::Settings> {
        Some(compat::Settings {
            tick: self.one_compat?,
            rate: self.rate,
            buffers: self.buffers(),
            ttl: self.ttl,
            end: self.end,
        })
    }

    fn routing(&self) -> routing::Settings {
        routing::Settings {
            rate: self.rate,
            buffers: self.buffers(),
            ttl: self.ttl,
            end: self.end,
        }
    }
}
