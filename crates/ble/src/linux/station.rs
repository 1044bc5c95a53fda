//! A node's presence on Bluetooth LE: it is heard, hears, opens links and keeps them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bluer::l2cap::{SeqPacket, SeqPacketListener, SocketAddr};
use bluer::{Adapter, Address};
use chappe_link::{StartError, StopSignal, TransportEvent, Trouble};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::channel::{Channel, L2cap};
use super::dial::{self, Caller, Greeted};
use super::radio::Radio;
use super::random_token;
use super::scan::{self, Heard};
use super::session::{self, Carried};
use crate::pauses::Pauses;
use crate::{BleOptions, LinkKey, Neighbours, Opening, Side, Token, Verdict};

/// Strangers who may be about to greet, at once. More wait in the kernel.
const MAX_GREETINGS: usize = 8;
/// Beacons and counts that wait for the station; more wait with their senders, or are left out.
const NEWS: usize = 64;
/// How often it is decided whom to dial.
const DECIDE: Duration = Duration::from_millis(250);
/// Between two registrations of the advertisement that strangers can cause.
const ADVERTISE_PAUSE: Duration = Duration::from_secs(2);
/// How long links may take to send what their nodes have left, when the transport stops.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Station {
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
    neighbours: Neighbours,
    /// Where beacons came from.
    places: BTreeMap<Token, Heard>,
    links: BTreeMap<LinkKey, OpenLink>,
    sessions: JoinSet<LinkKey>,
    carried_sender: mpsc::Sender<Carried>,
    carried: mpsc::Receiver<Carried>,
    /// Opened at the start; taken when the loop begins.
    first: Option<Radio>,
    epoch_ends: Instant,
    /// When to advertise again: the kernel stops when a neighbour connects, until that one leaves.
    advertise_at: Option<Instant>,
    /// The trouble that was told last and is not over.
    trouble: Option<String>,
}

struct OpenLink {
    session: AbortHandle,
    peer: Address,
}

/// Why a radio is not served any more.
enum End {
    Broken(String),
    Stopped,
}

/// What goes on while a radio is served.
struct Round {
    scan: JoinSet<Result<(), String>>,
    heard: mpsc::Receiver<Heard>,
    hold: watch::Sender<bool>,
    quiet: watch::Receiver<bool>,
    dials: JoinSet<(Token, Result<Greeted, String>)>,
    greetings: JoinSet<Result<Greeted, String>>,
    hang_ups: JoinSet<()>,
}

impl Station {
    pub(super) async fn open(
        options: BleOptions,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<Self, StartError> {
        let own = random_token().map_err(|error| StartError::Io {
            what: "there are no random numbers".to_owned(),
            source: std::io::Error::other(error),
        })?;
        let radio = Radio::open(&options, own)
            .await
            .map_err(StartError::Unavailable)?;
        let (carried_sender, carried) = mpsc::channel(NEWS);
        Ok(Self {
            neighbours: Neighbours::new(&options, own),
            events,
            places: BTreeMap::new(),
            links: BTreeMap::new(),
            sessions: JoinSet::new(),
            carried_sender,
            carried,
            first: Some(radio),
            epoch_ends: Instant::now() + options.epoch,
            advertise_at: None,
            trouble: None,
            options,
        })
    }

    /// Takes part until it is told to stop, or nobody listens any more.
    pub(super) async fn run(mut self, mut stop: StopSignal) {
        let mut radio = self.first.take();
        let pauses = Pauses {
            first: self.options.pause,
            longest: self.options.longest_pause.min(Duration::from_secs(10)),
        };
        let mut failures = 0_u32;
        loop {
            let ended = match radio.take() {
                Some(radio) => {
                    self.over();
                    let began = Instant::now();
                    let ended = self.serve(radio, &mut stop).await;
                    if began.elapsed() > self.options.longest_pause {
                        failures = 0;
                    }
                    ended
                }
                None => {
                    let own = self.neighbours.own();
                    match Radio::open(&self.options, own).await {
                        Ok(opened) => {
                            radio = Some(opened);
                            continue;
                        }
                        Err(error) => End::Broken(error),
                    }
                }
            };
            let End::Broken(trouble) = ended else { break };
            self.report(trouble);
            failures = failures.saturating_add(1);
            let events = self.events.clone();
            tokio::select! {
                () = stop.signalled() => break,
                () = events.closed() => break,
                () = sleep(pauses.after(failures)) => {}
            }
        }
        self.close().await;
    }

    /// Uses a radio as long as it works.
    async fn serve(&mut self, mut radio: Radio, stop: &mut StopSignal) -> End {
        let mut round = self.round(&radio);
        let events = self.events.clone();
        let mut decide = interval(DECIDE);
        decide.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut check = interval(self.options.check);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let limit = self.options.greet;
        let end = loop {
            let room = round.greetings.len() < MAX_GREETINGS;
            tokio::select! {
                () = stop.signalled() => break End::Stopped,
                () = events.closed() => break End::Stopped,
                Some(ended) = round.scan.join_next() => match ended {
                    Ok(Err(error)) => break End::Broken(super::check::gone(radio.adapter.name(), &error)),
                    _ => break End::Broken("the scan ended; it begins again".to_owned()),
                },
                Some(heard) = round.heard.recv() => self.heard(heard),
                accepted = accept(radio.listener.as_ref()), if room => match accepted {
                    Ok((socket, peer)) => {
                        self.advertise_soon();
                        round.greetings.spawn(greet_l2cap(socket, peer, limit));
                    }
                    Err(error) => break End::Broken(format!("connections are refused: {error}")),
                },
                accepted = radio.gatt.accepted.recv(), if room => match accepted {
                    Some(channel) => {
                        self.advertise_soon();
                        round.greetings.spawn(dial::welcome(Channel::Gatt(channel), limit));
                    }
                    None => break End::Broken("the GATT service ended; it begins again".to_owned()),
                },
                Some(greeted) = round.greetings.join_next() => match greeted {
                    Ok(Ok(greeted)) => self.welcome(&radio.adapter, &mut round, greeted).await,
                    Ok(Err(error)) => tracing::info!("a stranger connected: {error}"),
                    Err(_) => {}
                },
                Some(dialled) = round.dials.join_next() => self.dialled(&radio.adapter, &mut round, dialled),
                Some(ended) = self.sessions.join_next() => {
                    if let Ok(key) = ended {
                        self.ended(&radio.adapter, &mut round, key);
                    }
                }
                Some(carried) = self.carried.recv() => {
                    self.neighbours.carried(carried.key, carried.bytes as u64);
                }
                Some(_) = round.hang_ups.join_next() => {}
                Some(registered) = radio.registering.join_next() => {
                    if let Err(error) = radio.registered(registered) {
                        break End::Broken(error);
                    }
                }
                _ = decide.tick() => {
                    self.dial(&radio, &mut round);
                    if let Err(error) = self.rotate(&mut radio) {
                        break End::Broken(error);
                    }
                }
                _ = check.tick() => {
                    self.neighbours.look(Instant::now());
                    self.places.retain(|token, _| self.neighbours.remembers(*token));
                    if let Err(error) = radio.check().await {
                        break End::Broken(error);
                    }
                }
            }
        };
        if let Some(token) = self.dialling_token(&round) {
            self.neighbours.dial_failed(Instant::now(), token);
        }
        end
    }

    fn dialling_token(&self, round: &Round) -> Option<Token> {
        (!round.dials.is_empty())
            .then(|| self.neighbours.dialled())
            .flatten()
    }

    fn round(&self, radio: &Radio) -> Round {
        let (heard_sender, heard) = mpsc::channel(NEWS);
        let (hold, held) = watch::channel(false);
        let (quiet_sender, quiet) = watch::channel(true);
        let mut scan = JoinSet::new();
        let adapter = radio.adapter.clone();
        let (turn, rest) = (self.options.scan, self.options.rest);
        scan.spawn(scan::scan(
            adapter,
            turn,
            rest,
            heard_sender,
            held,
            quiet_sender,
        ));
        Round {
            scan,
            heard,
            hold,
            quiet,
            dials: JoinSet::new(),
            greetings: JoinSet::new(),
            hang_ups: JoinSet::new(),
        }
    }

    fn heard(&mut self, heard: Heard) {
        let token = heard.beacon.token;
        let l2cap = heard.beacon.psm.is_some();
        self.neighbours.heard(Instant::now(), token, l2cap);
        if self.neighbours.remembers(token) {
            self.places.insert(token, heard);
        }
    }

    /// Dials whoever is due.
    fn dial(&mut self, radio: &Radio, round: &mut Round) {
        let Some(dial) = self.neighbours.next_dial(Instant::now()) else {
            return;
        };
        let Some(heard) = self.places.get(&dial.token).copied() else {
            return;
        };
        tracing::debug!(neighbour = %dial.token, bearing = ?dial.bearing, "connecting");
        self.neighbours.dialling(dial.token);
        let mut caller = Caller {
            adapter: radio.adapter.clone(),
            place: radio.place,
            own: self.neighbours.own(),
            connect: self.options.connect,
            greet: self.options.greet,
            hold: round.hold.clone(),
            quiet: round.quiet.clone(),
        };
        round.dials.spawn(async move {
            let greeted = dial::dial(&mut caller, dial, heard).await;
            (dial.token, greeted)
        });
    }

    fn dialled(
        &mut self,
        adapter: &Adapter,
        round: &mut Round,
        dialled: Result<(Token, Result<Greeted, String>), tokio::task::JoinError>,
    ) {
        match dialled {
            Ok((_, Ok(greeted))) => {
                if let Some((key, greeted)) = self.keep(adapter, round, greeted, Side::Dialled) {
                    self.begin(key, greeted, Side::Dialled);
                }
            }
            Ok((token, Err(error))) => {
                tracing::info!(neighbour = %token, "no link: {error}");
                self.neighbours.dial_failed(Instant::now(), token);
            }
            Err(_) => {
                if let Some(token) = self.neighbours.dialled() {
                    self.neighbours.dial_failed(Instant::now(), token);
                }
            }
        }
    }

    /// Answers somebody who has connected and greeted, if that link is to stay.
    async fn welcome(&mut self, adapter: &Adapter, round: &mut Round, greeted: Greeted) {
        if greeted.own != self.neighbours.own() {
            // It heard a beacon of the epoch before: it will hear this one.
            return self.hang_up(adapter, round, greeted.channel.peer());
        }
        let Some((key, greeted)) = self.keep(adapter, round, greeted, Side::Accepted) else {
            return;
        };
        match dial::answer(&greeted, self.options.greet).await {
            Ok(()) => self.begin(key, greeted, Side::Accepted),
            Err(error) => {
                tracing::info!(neighbour = %greeted.token, "no link: {error}");
                self.neighbours.closed(Instant::now(), key);
            }
        }
    }

    fn keep(
        &mut self,
        adapter: &Adapter,
        round: &mut Round,
        greeted: Greeted,
        side: Side,
    ) -> Option<(LinkKey, Greeted)> {
        let opening = Opening {
            token: greeted.token,
            side,
            own: greeted.own,
        };
        match self.neighbours.open(Instant::now(), opening) {
            Verdict::Keep { key, instead_of } => {
                if let Some(old) = instead_of.and_then(|old| self.links.remove(&old)) {
                    tracing::info!("a link gives way to another");
                    old.session.abort();
                    if old.peer != greeted.channel.peer() {
                        self.hang_up(adapter, round, old.peer);
                    }
                }
                Some((key, greeted))
            }
            Verdict::Refuse => {
                tracing::debug!(neighbour = %greeted.token, "one link too many");
                let peer = greeted.channel.peer();
                drop(greeted);
                self.hang_up(adapter, round, peer);
                None
            }
        }
    }

    fn begin(&mut self, key: LinkKey, greeted: Greeted, side: Side) {
        let Greeted { channel, token, .. } = greeted;
        let peer = channel.peer();
        tracing::info!(neighbour = %token, bearer = channel.bearer(), mtu = channel.mtu(), ?side, "link up");
        let events = self.events.clone();
        let carried = self.carried_sender.clone();
        let session = self.sessions.spawn(async move {
            match session::run(&channel, key, token, side, events, carried).await {
                Ok(()) => tracing::info!(neighbour = %token, "link closed"),
                Err(error) => tracing::info!(neighbour = %token, "link lost: {error}"),
            }
            key
        });
        self.links.insert(key, OpenLink { session, peer });
    }

    fn ended(&mut self, adapter: &Adapter, round: &mut Round, key: LinkKey) {
        self.neighbours.closed(Instant::now(), key);
        if let Some(link) = self.links.remove(&key) {
            self.hang_up(adapter, round, link.peer);
        }
    }

    /// Ends a connection, unless another link uses it.
    fn hang_up(&self, adapter: &Adapter, round: &mut Round, peer: Address) {
        if self.links.values().any(|link| link.peer == peer) {
            return;
        }
        let adapter = adapter.clone();
        round
            .hang_ups
            .spawn(async move { dial::hang_up(&adapter, peer).await });
    }

    /// A new token and a new address, at the same moment. Within an epoch the address changes too when the
    /// advertisement is registered again; no address is seen with two tokens.
    fn rotate(&mut self, radio: &mut Radio) -> Result<(), String> {
        let now = Instant::now();
        if now < self.epoch_ends {
            if self.advertise_at.is_none_or(|at| now < at) {
                return Ok(());
            }
            self.advertise_at = None;
            return radio.advertise(self.neighbours.own());
        }
        self.advertise_at = None;
        self.epoch_ends = Instant::now() + self.options.epoch;
        let own = random_token().map_err(|error| format!("no random numbers: {error}"))?;
        self.neighbours.rotate(own);
        radio.advertise(own)
    }

    /// Once for many who connect at the same time.
    fn advertise_soon(&mut self) {
        self.advertise_at
            .get_or_insert_with(|| Instant::now() + ADVERTISE_PAUSE);
    }

    async fn close(mut self) {
        let sent = async { while self.sessions.join_next().await.is_some() {} };
        let _ = timeout(LINGER, sent).await;
        self.sessions.shutdown().await;
    }

    /// Tells a trouble once.
    fn report(&mut self, trouble: String) {
        if self.trouble.as_ref() == Some(&trouble) {
            return;
        }
        let told = TransportEvent::Trouble(Trouble::Radio(trouble.clone()));
        // Nobody waits for a report to be heard.
        let _ = self.events.try_send(told);
        self.trouble = Some(trouble);
    }

    fn over(&mut self) {
        if self.trouble.take().is_some() {
            let name = &self.options.adapter;
            tracing::info!("Bluetooth LE: {name} works again");
        }
    }
}

async fn accept(listener: Option<&SeqPacketListener>) -> std::io::Result<(SeqPacket, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn greet_l2cap(
    socket: SeqPacket,
    peer: SocketAddr,
    limit: Duration,
) -> Result<Greeted, String> {
    let channel = L2cap::open(peer.addr, socket).await;
    let channel = channel.map_err(|error| error.to_string())?;
    dial::welcome(Channel::L2cap(channel), limit).await
}
