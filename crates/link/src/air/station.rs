//! A node's presence in the air: it looks around, opens links to those in range and closes the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::fault::{Faults, random};
use crate::{StartError, StopSignal, TransportEvent, Trouble};

use super::dial::{Greeted, dial, listen};
use super::folder::Folder;
use super::hello::AirHello;
use super::name::NodeName;
use super::range::Range;
use super::range_file::{RANGE_FILE, RangeError};
use super::rest::Rests;
use super::session::{self, Setup};
use super::settings::Mtu;
use super::{AirOptions, MAX_GREETINGS, MAX_LINKS};

/// How long links may take to send what their nodes have left, when the transport stops.
const LINGER: Duration = Duration::from_millis(500);
/// How long to wait after the system refused a connection: it has no more file descriptors, for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Station {
    folder: Arc<Folder>,
    name: NodeName,
    options: AirOptions,
    events: mpsc::Sender<TransportEvent>,
    listener: UnixListener,
    range: Range,
    range_text: Option<String>,
    /// Troubles that were reported and are not over.
    range_trouble: Option<String>,
    folder_trouble: bool,
    links: BTreeMap<NodeName, OpenLink>,
    /// Counts links, so that each has random numbers of its own.
    opened: u64,
    sessions: JoinSet<NodeName>,
    dialled: BTreeSet<NodeName>,
    rests: Rests,
    dials: JoinSet<(NodeName, Option<Greeted>)>,
    greetings: JoinSet<Option<Greeted>>,
    burials: JoinSet<()>,
}

impl Station {
    /// Takes the name in the air. Without a runtime of tokio it fails.
    pub(super) async fn open(
        folder: &Path,
        name: NodeName,
        options: AirOptions,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<Self, StartError> {
        let folder = Folder::open(folder).map_err(|source| StartError::Io {
            what: format!("the folder {} cannot be used as air", folder.display()),
            source,
        })?;
        let range_text = super::range_file::read_file(folder.path()).map_err(setting)?;
        let range = parse(range_text.as_deref()).map_err(setting)?;
        let listener = folder.bind(&name).await?;
        let mut station = Self {
            folder: Arc::new(folder),
            name,
            options,
            events,
            listener,
            range,
            range_text,
            range_trouble: None,
            folder_trouble: false,
            links: BTreeMap::new(),
            opened: 0,
            sessions: JoinSet::new(),
            dialled: BTreeSet::new(),
            rests: Rests::default(),
            dials: JoinSet::new(),
            greetings: JoinSet::new(),
            burials: JoinSet::new(),
        };
        for name in station.folder.look().names.unwrap_or_default() {
            station.bury_later(name);
        }
        Ok(station)
    }

    /// Takes part in the air until it is told to stop, or nobody listens any more.
    pub(super) async fn run(mut self, mut stop: StopSignal) {
        let mut poll = interval(self.options.poll.max(Duration::from_millis(1)));
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.events.clone();
        loop {
            tokio::select! {
                () = stop.signalled() => break,
                () = events.closed() => break,
                _ = poll.tick() => self.look_around().await,
                accepted = self.listener.accept(), if self.greetings.len() < MAX_GREETINGS => {
                    match accepted {
                        Ok((stream, _)) => { self.greetings.spawn(listen(stream)); }
                        Err(error) => {
                            tracing::warn!(%error, "a connection in the air cannot be accepted");
                            sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
                Some(greeted) = self.greetings.join_next() => {
                    if let Ok(Some(greeted)) = greeted {
                        self.answer(greeted).await;
                    }
                }
                Some(dialled) = self.dials.join_next() => match dialled {
                    Ok((name, greeted)) => self.dial_ended(name, greeted),
                    // A dial that panicked does not say whose it was: the others are tried again too early.
                    Err(_) => self.dialled.clear(),
                },
                Some(ended) = self.sessions.join_next_with_id() => match ended {
                    Ok((id, peer)) => {
                        self.session_ended(id);
                        self.bury_later(peer);
                    }
                    Err(error) => self.session_ended(error.id()),
                },
                Some(_) = self.burials.join_next() => {}
            }
        }
        self.close().await;
    }

    /// Stops listening, lets links send what their nodes have left, and closes them.
    async fn close(mut self) {
        if let Err(error) = self.folder.unbind(&self.name, self.listener).await {
            tracing::debug!(%error, "the socket of this node stays");
        }
        let sent = async { while self.sessions.join_next().await.is_some() {} };
        let _ = timeout(LINGER, sent).await;
        self.sessions.shutdown().await;
    }

    async fn look_around(&mut self) {
        let folder = Arc::clone(&self.folder);
        let Ok(look) = task::spawn_blocking(move || folder.look()).await else {
            return;
        };
        self.read_range(look.range);
        let names = match look.names {
            Ok(names) => {
                self.folder_trouble = false;
                names
            }
            Err(error) => {
                if !self.folder_trouble {
                    let folder = self.folder.path().display();
                    self.report(Trouble::Radio(format!(
                        "the air {folder} cannot be read: {error}"
                    )));
                }
                self.folder_trouble = true;
                BTreeSet::new()
            }
        };
        self.close_links();
        let near = |peer: &NodeName| self.range.hears(&self.name, peer);
        let names: BTreeSet<NodeName> = names.into_iter().filter(near).collect();
        self.rests.keep(&names);
        for peer in names {
            self.dial(peer);
        }
    }

    fn read_range(&mut self, text: Result<Option<String>, RangeError>) {
        let parsed = match text {
            Ok(text) if text == self.range_text => {
                self.range_trouble = None;
                return;
            }
            Ok(text) => parse(text.as_deref()).map(|range| (text, range)),
            Err(error) => Err(error),
        };
        match parsed {
            Ok((text, range)) => {
                self.range_text = text;
                self.range = range;
                self.range_trouble = None;
            }
            Err(error) => {
                let trouble = format!("{error}; what {RANGE_FILE} said before stays in force");
                if self.range_trouble.as_ref() != Some(&trouble) {
                    self.range_trouble = Some(trouble.clone());
                    self.report(Trouble::Settings(trouble));
                }
            }
        }
    }

    /// Closes links to those who are out of range, and tells the others what has changed.
    fn close_links(&mut self) {
        let (range, name) = (&self.range, &self.name);
        self.links.retain(|peer, link| {
            let conditions = range.conditions(name, peer);
            let stays = range.hears(name, peer) && conditions.mtu == link.mtu;
            if stays {
                link.faults.send_if_modified(|faults| {
                    std::mem::replace(faults, conditions.faults) != conditions.faults
                });
            } else {
                link.session.abort();
            }
            stays
        });
    }

    /// Tries to open a link to `peer`, who is in range, if that is on this node.
    fn dial(&mut self, peer: NodeName) {
        let wanted = self.name < peer && !self.rests.rests(&peer, Instant::now());
        let busy = self.links.contains_key(&peer) || self.dialled.contains(&peer);
        if !wanted || busy || self.links.len() + self.dialled.len() >= MAX_LINKS {
            return;
        }
        let ours = self.hello(&peer);
        let folder = Arc::clone(&self.folder);
        self.dialled.insert(peer.clone());
        self.dials.spawn(async move {
            let greeted = dial(&folder, &peer, ours).await;
            (peer, greeted)
        });
    }

    fn dial_ended(&mut self, peer: NodeName, greeted: Option<Greeted>) {
        self.dialled.remove(&peer);
        match greeted {
            Some(greeted) => self.open_link(greeted),
            None => self.rests.ended(&peer, Instant::now(), Instant::now()),
        }
    }

    fn session_ended(&mut self, id: task::Id) {
        let (links, rests) = (&mut self.links, &mut self.rests);
        links.retain(|peer, link| {
            let ended = link.session.id() == id;
            if ended {
                rests.ended(peer, link.since, Instant::now());
            }
            !ended
        });
    }

    /// Answers someone who has connected, if that was on them and they are in range. The one who connected may
    /// have read a change of range before this node has.
    async fn answer(&mut self, greeted: Greeted) {
        let peer = &greeted.hello.name;
        if *peer >= self.name {
            return;
        }
        if !self.range.hears(&self.name, peer) {
            self.look_around().await;
        }
        self.open_link(greeted);
    }

    fn open_link(&mut self, greeted: Greeted) {
        let peer = greeted.hello.name.clone();
        let room = self.links.len() < MAX_LINKS && !self.links.contains_key(&peer);
        if !room || !self.range.hears(&self.name, &peer) {
            return;
        }
        let conditions = self.range.conditions(&self.name, &peer);
        let ours = self.hello(&peer);
        if greeted.ours.as_ref().is_some_and(|told| *told != ours) {
            // The MTU was changed meanwhile: the next look dials again.
            return;
        }
        let (faults, heard) = watch::channel(conditions.faults);
        self.opened = self.opened.wrapping_add(1);
        let seed = self.options.seed ^ direction(&self.name, &peer);
        let setup = Setup {
            ours,
            conditions,
            faults: heard,
            rng: random(seed, self.opened),
            events: self.events.clone(),
        };
        let name = peer.clone();
        let session = self.sessions.spawn(async move {
            session::run(greeted, setup).await;
            name
        });
        self.links.insert(
            peer,
            OpenLink {
                session,
                faults,
                mtu: conditions.mtu,
                since: Instant::now(),
            },
        );
    }

    /// Removes the socket of `peer` if it is dead: nobody else may do so for one that sorts first.
    fn bury_later(&mut self, peer: NodeName) {
        if peer == self.name || self.burials.len() >= MAX_GREETINGS {
            return;
        }
        let folder = Arc::clone(&self.folder);
        self.burials.spawn(async move {
            if let Err(error) = folder.bury(&peer).await {
                tracing::debug!(%peer, %error, "the socket of a dead node stays");
            }
        });
    }

    fn hello(&self, peer: &NodeName) -> AirHello {
        let mtu = self.range.conditions(&self.name, peer).mtu;
        AirHello {
            name: self.name.clone(),
            mtu,
        }
    }

    /// Nobody waits for a report to be heard.
    fn report(&self, trouble: Trouble) {
        tracing::warn!(%trouble, "the air");
        let _ = self.events.try_send(TransportEvent::Trouble(trouble));
    }
}

struct OpenLink {
    session: AbortHandle,
    faults: watch::Sender<Faults>,
    mtu: Mtu,
    since: Instant,
}

fn parse(text: Option<&str>) -> Result<Range, RangeError> {
    text.map_or_else(|| Ok(Range::default()), Range::parse)
}

fn setting(error: RangeError) -> StartError {
    StartError::Setting(error.to_string())
}

/// A number for the packets from one node to another (FNV-1a, 64 bits), so that each direction has faults of
/// its own.
fn direction(from: &NodeName, to: &NodeName) -> u64 {
    let bytes = from.as_str().bytes().chain([0]).chain(to.as_str().bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
