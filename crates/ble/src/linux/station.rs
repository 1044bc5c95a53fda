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
use super::connections;
use super::dial::{self, Caller};
use super::radio::Radio;
use super::scan::{self, Heard};
use super::strays::Strays;
use super::turn;
use crate::greeted::Greeted;
use crate::packets::Packets as _;
use crate::pauses::Pauses;
use crate::session::{self, Carried};
use crate::{BleOptions, LinkKey, Neighbours, Opening, Side, Token, Verdict};

/// Strangers who may be about to greet, at once. More wait in the kernel.
const MAX_GREETINGS: usize = 8;
/// Beacons and counts that wait for the station; more wait with their senders, or are left out.
const NEWS: usize = 64;
/// How often it is decided whom to dial.
const DECIDE: Duration = Duration::from_millis(250);
/// Between two registrations of the advertisement that strangers can cause.
const ADVERTISE_PAUSE: Duration = Duration::from_secs(2);
/// After so long without hearing anybody the adapter is opened anew.
const DEAF: Duration = Duration::from_secs(300);
/// How long a start waits for an answer of BlueZ: shorter than [`DBUS_LIMIT`](super::DBUS_LIMIT), after which it counts as
/// broken.
const START: Duration = Duration::from_secs(25);
/// The longest pause between two attempts to open the adapter: it may be back at any moment.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long links may take to send what their nodes have left, when the transport stops.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Station {
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
    neighbours: Neighbours,
    /// Where beacons came from.
    places: BTreeMap<Token, Heard>,
    links: BTreeMap<LinkKey, OpenLink>,
    sessions: JoinSet<(LinkKey, Result<(), String>)>,
    carried_sender: mpsc::Sender<Carried>,
    carried: mpsc::Receiver<Carried>,
    /// Opened at the start; taken when the loop begins.
    first: Option<Radio>,
    epoch_ends: Instant,
    /// When to advertise again: the kernel stops when a neighbour connects, until that one leaves.
    advertise_at: Option<Instant>,
    /// The trouble that was told last and is not over.
    trouble: Option<String>,
    strays: Strays,
    /// When a neighbour was heard last, or there was a link, if ever.
    heard_at: Option<Instant>,
    /// Nobody was heard for long, and that was told.
    deaf: bool,
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
    /// From one epoch to the next.
    turn: JoinSet<()>,
    quiet: watch::Receiver<bool>,
    dials: JoinSet<(Token, Result<Greeted<Channel>, String>)>,
    greetings: JoinSet<Result<Greeted<Channel>, (Address, String)>>,
    checks: JoinSet<Result<(), String>>,
    hang_ups: JoinSet<()>,
}

impl Station {
    pub(super) async fn open(
        options: BleOptions,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<Self, StartError> {
        let own = Token::random().map_err(|error| StartError::Io {
            what: "there are no random numbers".to_owned(),
            source: std::io::Error::other(error),
        })?;
        // Whoever is told at once what is wrong can mend it. Who gets no answer is up all the same, and goes on asking.
        let opened = timeout(START, Radio::open(&options, own)).await.ok();
        let radio = opened.transpose().map_err(StartError::Unavailable)?;
        let (carried_sender, carried) = mpsc::channel(NEWS);
        let mut station = Self {
            neighbours: Neighbours::new(&options, own),
            events,
            places: BTreeMap::new(),
            links: BTreeMap::new(),
            sessions: JoinSet::new(),
            carried_sender,
            carried,
            first: radio,
            epoch_ends: Instant::now() + options.epoch,
            advertise_at: None,
            trouble: None,
            strays: Strays::default(),
            heard_at: None,
            deaf: false,
            options,
        };
        if station.first.is_none() {
            station.report(super::check::no_answer(START));
        }
        Ok(station)
    }

    /// Takes part until it is told to stop, or nobody listens any more.
    pub(super) async fn run(mut self, mut stop: StopSignal) {
        let mut radio = self.first.take();
        let mut pauses = Pauses::new(
            self.options.pause,
            self.options.longest_pause.min(LONGEST_PAUSE),
            u64::from_be_bytes(*self.neighbours.own().as_bytes()),
        );
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
                    let opened = tokio::select! {
                        opened = Radio::open(&self.options, own) => opened,
                        () = stop.signalled() => break,
                    };
                    match opened {
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
                    Ok(Err(error)) => {
                        let why = radio.check().await.err();
                        let gone = || super::check::gone(radio.adapter.name(), &error);
                        break End::Broken(why.unwrap_or_else(gone));
                    }
                    _ => break End::Broken(format!("{} stopped scanning; it begins again.", radio.adapter.name())),
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
                        round.greetings.spawn(greet(Channel::Gatt(channel), limit));
                    }
                    None => break End::Broken("the GATT service ended; it begins again".to_owned()),
                },
                Some(greeted) = round.greetings.join_next() => match greeted {
                    Ok(Ok(greeted)) => self.welcome(&radio.adapter, &mut round, greeted),
                    Ok(Err((peer, error))) => {
                        self.tell(format!("Somebody connected over Bluetooth LE and was hung up on: {error}."));
                        self.hang_up(&radio.adapter, &mut round, peer);
                    }
                    Err(_) => {}
                },
                Some(dialled) = round.dials.join_next() => self.dialled(&radio.adapter, &mut round, dialled),
                Some(ended) = self.sessions.join_next() => {
                    if let Ok((key, how)) = ended {
                        self.ended(&radio.adapter, &mut round, key, how);
                    }
                }
                Some(carried) = self.carried.recv() => {
                    self.neighbours.carried(carried.key, carried.bytes as u64);
                }
                Some(_) = round.hang_ups.join_next() => {}
                Some(_) = round.turn.join_next() => {
                    if let Err(error) = self.begin_epoch(&mut radio) {
                        break End::Broken(error);
                    }
                }
                Some(registered) = radio.registering.join_next() => {
                    if let Err(error) = radio.registered(registered) {
                        break End::Broken(error);
                    }
                }
                _ = decide.tick() => {
                    self.dial(&radio, &mut round);
                    if let Err(error) = self.show(&mut radio, &mut round) {
                        break End::Broken(error);
                    }
                }
                _ = check.tick() => {
                    self.neighbours.look(Instant::now());
                    self.places.retain(|token, _| self.neighbours.remembers(*token));
                    self.part_from_outlived(&radio.adapter, &mut round);
                    if let Some(deaf) = self.listen_anew() {
                        break End::Broken(deaf);
                    }
                    if round.checks.is_empty() {
                        round.checks.spawn(radio.check());
                    }
                    // An adapter that is gone is told of elsewhere.
                    if let Ok(connected) = connections::connected(&self.options.adapter) {
                        self.part_from_strays(&radio.adapter, &mut round, &connected);
                    }
                }
                Some(checked) = round.checks.join_next() => {
                    if let Ok(Err(error)) = checked {
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
            turn: JoinSet::new(),
            quiet,
            dials: JoinSet::new(),
            greetings: JoinSet::new(),
            checks: JoinSet::new(),
            hang_ups: JoinSet::new(),
        }
    }

    fn heard(&mut self, heard: Heard) {
        let token = heard.beacon.token;
        let l2cap = heard.beacon.psm.is_some();
        let now = Instant::now();
        self.heard_at = Some(now);
        if std::mem::take(&mut self.deaf) {
            tracing::info!(
                "Bluetooth LE: {} hears somebody again",
                self.options.adapter
            );
        }
        self.neighbours.heard(now, token, l2cap);
        if self.neighbours.remembers(token) {
            self.places.insert(token, heard);
        }
    }

    /// Whether the radio is to be opened anew because nobody was heard for long: it may be its fault. A scan begins
    /// anew with each turn anyway.
    fn listen_anew(&mut self) -> Option<String> {
        if !self.links.is_empty() {
            // Who is connected does not advertise, and was there until now.
            self.heard_at = Some(Instant::now());
            return None;
        }
        let silent = self.heard_at?.elapsed();
        if silent < self.options.forget {
            return None;
        }
        let name = &self.options.adapter;
        let says = format!("{name} hears nobody any more; it goes on listening, and begins anew.");
        if !std::mem::replace(&mut self.deaf, true) {
            self.tell(says);
            return None;
        }
        (silent > DEAF).then(|| {
            self.heard_at = None;
            says
        })
    }

    /// Dials whoever is due.
    fn dial(&mut self, radio: &Radio, round: &mut Round) {
        if !round.turn.is_empty() {
            return;
        }
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
        dialled: Result<(Token, Result<Greeted<Channel>, String>), tokio::task::JoinError>,
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

    /// Somebody has connected and greeted.
    fn welcome(&mut self, adapter: &Adapter, round: &mut Round, greeted: Greeted<Channel>) {
        if greeted.own != self.neighbours.own() {
            // It heard a beacon of the epoch before: it will hear this one.
            return self.hang_up(adapter, round, greeted.channel.peer());
        }
        if let Some((key, greeted)) = self.keep(adapter, round, greeted, Side::Accepted) {
            self.begin(key, greeted, Side::Accepted);
        }
    }

    fn keep(
        &mut self,
        adapter: &Adapter,
        round: &mut Round,
        greeted: Greeted<Channel>,
        side: Side,
    ) -> Option<(LinkKey, Greeted<Channel>)> {
        let opening = Opening {
            token: greeted.token,
            side,
            own: greeted.own,
        };
        match self.neighbours.open(Instant::now(), opening) {
            Verdict::Keep { key, instead_of } => {
                let peer = greeted.channel.peer();
                // One link per address: whoever greets under many names gets no more than others.
                let same = self.links.iter().filter(|(_, link)| link.peer == peer);
                let same = same.map(|(key, _)| *key);
                let olds: Vec<LinkKey> = same.chain(instead_of).collect();
                for old in olds {
                    let Some(link) = self.links.remove(&old) else {
                        continue;
                    };
                    tracing::info!("a link gives way to another");
                    link.session.abort();
                    self.neighbours.closed(Instant::now(), old);
                    if link.peer != peer {
                        self.hang_up(adapter, round, link.peer);
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

    fn begin(&mut self, key: LinkKey, greeted: Greeted<Channel>, side: Side) {
        let peer = greeted.channel.peer();
        let events = self.events.clone();
        let carried = self.carried_sender.clone();
        let limit = self.options.greet;
        let session = self.sessions.spawn(async move {
            let Greeted { channel, token, .. } = &greeted;
            if side == Side::Accepted
                && let Err(error) = dial::answer(&greeted, limit).await
            {
                return (key, Err(error));
            }
            tracing::info!(neighbour = %token, bearer = channel.bearer(), mtu = channel.mtu(), ?side, "link up");
            let ended = session::run(channel, key, *token, side, events, carried).await;
            match &ended {
                Ok(()) => tracing::info!(neighbour = %token, "link closed"),
                Err(error) => tracing::info!(neighbour = %token, "link lost: {error}"),
            }
            (key, ended.map_err(|error| error.to_string()))
        });
        self.links.insert(key, OpenLink { session, peer });
    }

    fn ended(
        &mut self,
        adapter: &Adapter,
        round: &mut Round,
        key: LinkKey,
        how: Result<(), String>,
    ) {
        self.neighbours.closed(Instant::now(), key);
        if let Err(error) = how {
            let says = "A neighbour on Bluetooth LE went away without a word";
            self.tell(format!(
                "{says} ({error}); what is under way waits for the next link."
            ));
        }
        if let Some(link) = self.links.remove(&key) {
            self.hang_up(adapter, round, link.peer);
        }
    }

    /// Closes idle links from before the present epoch.
    fn part_from_outlived(&mut self, adapter: &Adapter, round: &mut Round) {
        for key in self.neighbours.outlived(Instant::now()) {
            tracing::info!("an idle link of the epoch before is closed");
            self.part(adapter, round, key);
        }
    }

    /// Closes a link.
    fn part(&mut self, adapter: &Adapter, round: &mut Round, key: LinkKey) {
        self.neighbours.closed(Instant::now(), key);
        if let Some(link) = self.links.remove(&key) {
            link.session.abort();
            self.hang_up(adapter, round, link.peer);
        }
    }

    /// Hangs up on those who hold a connection without a link on it.
    fn part_from_strays(&mut self, adapter: &Adapter, round: &mut Round, connected: &[Address]) {
        let dialled = self.neighbours.dialled();
        let dialled = dialled.and_then(|token| self.places.get(&token));
        let busy = dialled.map(|heard| heard.address);
        let links = self.links.values().map(|link| link.peer);
        let known: Vec<Address> = links.chain(busy).collect();
        let limit = self.options.greet * 3;
        for stray in self.strays.look(Instant::now(), connected, &known, limit) {
            self.tell(
                "Somebody connected over Bluetooth LE, said nothing and was hung up on.".to_owned(),
            );
            self.hang_up(adapter, round, stray);
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

    /// Advertises again where the kernel has stopped, and ends the epoch when it is over. Within an epoch the address
    /// changes too when the advertisement is registered again; no address is seen with two tokens.
    fn show(&mut self, radio: &mut Radio, round: &mut Round) -> Result<(), String> {
        let now = Instant::now();
        if !round.turn.is_empty() {
            return Ok(());
        }
        if now < self.epoch_ends {
            if self.advertise_at.is_none_or(|at| now < at) {
                return Ok(());
            }
            self.advertise_at = None;
            return radio.advertise(self.neighbours.own());
        }
        // Whoever is dialled hears the old name to the end.
        if round.dials.is_empty() {
            radio.fall_silent();
            let (hold, quiet) = (round.hold.clone(), round.quiet.clone());
            let adapter = radio.adapter.clone();
            round.turn.spawn(turn::turn(adapter, hold, quiet));
        }
        Ok(())
    }

    /// A new token, with new addresses.
    fn begin_epoch(&mut self, radio: &mut Radio) -> Result<(), String> {
        self.advertise_at = None;
        self.epoch_ends = Instant::now() + self.options.epoch;
        let own = Token::random().map_err(|error| format!("no random numbers: {error}"))?;
        self.neighbours.rotate(Instant::now(), own);
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
        self.tell(trouble.clone());
        self.trouble = Some(trouble);
    }

    /// Tells what happened, for the log and `chappe doctor`.
    fn tell(&self, says: String) {
        let told = TransportEvent::Trouble(Trouble::Radio(says));
        // Nobody waits for a report to be heard.
        let _ = self.events.try_send(told);
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
) -> Result<Greeted<Channel>, (Address, String)> {
    let channel = L2cap::open(peer.addr, socket).await;
    let channel = channel.map_err(|error| (peer.addr, error.to_string()))?;
    greet(Channel::L2cap(channel), limit).await
}

async fn greet(channel: Channel, limit: Duration) -> Result<Greeted<Channel>, (Address, String)> {
    let peer = channel.peer();
    let welcomed = dial::welcome(channel, limit).await;
    welcomed.map_err(|error| (peer, error))
}
