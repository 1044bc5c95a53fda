//! A node's presence with the central role alone: it hears, opens links and keeps them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chappe_link::{StartError, StopSignal, TransportEvent, Trouble};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until, timeout};

use super::radio::{Event, Radio};
use crate::greeted::{Greeted, greet};
use crate::pauses::Pauses;
use crate::session::{self, Carried};
use crate::{BleOptions, LinkKey, Neighbours, Opening, Side, Token, Verdict};

/// Counts that wait for the station; more are left out.
const NEWS: usize = 64;
/// How often it is decided whom to dial.
const DECIDE: Duration = Duration::from_millis(250);
/// How long links may take to send what their nodes have left, when the transport stops.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Station<R: Radio> {
    radio: R,
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
    neighbours: Neighbours,
    /// Where beacons came from.
    places: BTreeMap<Token, R::Id>,
    links: BTreeMap<LinkKey, OpenLink<R::Id>>,
    sessions: JoinSet<LinkKey>,
    carried_sender: mpsc::Sender<Carried>,
    carried: mpsc::Receiver<Carried>,
    epoch_ends: Instant,
    /// The trouble that was told last and is not over.
    trouble: Option<String>,
}

struct OpenLink<Id> {
    session: AbortHandle,
    peer: Id,
}

/// Why a radio is not used any more.
enum End {
    Broken(String),
    Stopped,
}

/// How a dial ended.
struct Dialled<R: Radio> {
    token: Token,
    peer: R::Id,
    greeted: Result<Greeted<R::Channel>, String>,
}

/// What goes on while a radio works.
struct Round<R: Radio> {
    dials: JoinSet<Dialled<R>>,
    hang_ups: JoinSet<()>,
    scans: bool,
    /// When the scan ends, or begins anew.
    turn_ends: Instant,
}

impl<R: Radio> Station<R> {
    pub(super) fn new(
        radio: R,
        mut options: BleOptions,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<Self, StartError> {
        let own = Token::random().map_err(|error| StartError::Io {
            what: "there are no random numbers".to_owned(),
            source: std::io::Error::other(error),
        })?;
        // Nobody hears this node, so nobody else will connect.
        options.patience = Duration::ZERO;
        let (carried_sender, carried) = mpsc::channel(NEWS);
        Ok(Self {
            radio,
            neighbours: Neighbours::new(&options, own),
            events,
            places: BTreeMap::new(),
            links: BTreeMap::new(),
            sessions: JoinSet::new(),
            carried_sender,
            carried,
            epoch_ends: now() + options.epoch,
            trouble: None,
            options,
        })
    }

    /// Takes part until it is told to stop, or nobody listens any more.
    pub(super) async fn run(mut self, mut stop: StopSignal) {
        let own = u64::from_be_bytes(*self.neighbours.own().as_bytes());
        let longest = self.options.longest_pause.min(Duration::from_secs(10));
        let mut pauses = Pauses::new(self.options.pause, longest, own);
        let mut failures = 0_u32;
        loop {
            let began = now();
            let End::Broken(trouble) = self.serve(&mut stop).await else {
                break;
            };
            if now().duration_since(began) > self.options.longest_pause {
                failures = 0;
            }
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

    /// Uses the radio as long as it works.
    async fn serve(&mut self, stop: &mut StopSignal) -> End {
        let mut heard = match self.radio.events().await {
            Ok(heard) => heard,
            Err(error) => return End::Broken(error),
        };
        let mut round = Round::<R> {
            dials: JoinSet::new(),
            hang_ups: JoinSet::new(),
            scans: false,
            turn_ends: now(),
        };
        let events = self.events.clone();
        let mut decide = interval(DECIDE);
        decide.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut check = interval(self.options.check);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            let done = tokio::select! {
                () = stop.signalled() => break End::Stopped,
                () = events.closed() => break End::Stopped,
                event = heard.next() => self.heard(event),
                Some(dialled) = round.dials.join_next() => {
                    self.dialled(&mut round, dialled);
                    // It begins to scan again at once.
                    round.turn_ends = now();
                    Ok(())
                }
                Some(ended) = self.sessions.join_next_with_id() => {
                    self.ended(&mut round, ended);
                    Ok(())
                }
                Some(carried) = self.carried.recv() => {
                    self.neighbours.carried(carried.key, carried.bytes as u64);
                    Ok(())
                }
                Some(_) = round.hang_ups.join_next() => Ok(()),
                () = sleep_until(round.turn_ends.into()), if round.dials.is_empty() => {
                    self.turn(&mut round).await
                }
                _ = decide.tick() => match self.rotate() {
                    Ok(()) => self.dial(&mut round).await,
                    Err(error) => Err(error),
                },
                _ = check.tick() => {
                    self.neighbours.look(now());
                    self.places.retain(|token, _| self.neighbours.remembers(*token));
                    Ok(())
                }
            };
            if let Err(error) = done {
                break End::Broken(error);
            }
        };
        if let Some(token) = self.neighbours.dialled() {
            self.neighbours.dial_failed(now(), token);
        }
        if round.scans {
            // It may be off.
            let _ = self.radio.scan(false).await;
        }
        end
    }

    fn heard(&mut self, event: Option<Event<R::Id>>) -> Result<(), String> {
        match event {
            Some(Event::Heard(id, beacon)) => {
                // Links go over GATT whatever is offered.
                self.neighbours.heard(now(), beacon.token, false);
                if self.neighbours.remembers(beacon.token) {
                    self.places.insert(beacon.token, id);
                }
                Ok(())
            }
            Some(Event::Gone(id)) => {
                let links = self.links.values();
                links
                    .filter(|link| link.peer == id)
                    .for_each(|link| link.session.abort());
                Ok(())
            }
            Some(Event::Off) => Err(
                "Bluetooth was switched off; switch it on, and the node goes on by itself."
                    .to_owned(),
            ),
            None => Err("Bluetooth does not answer any more; it is asked again.".to_owned()),
        }
    }

    /// A scan ends, or begins. Each begins anew, so that a neighbour that was reported once is reported again.
    async fn turn(&mut self, round: &mut Round<R>) -> Result<(), String> {
        let (scans, lasts) = match round.scans {
            true => (false, self.options.rest),
            false => (true, self.options.scan),
        };
        self.radio.scan(scans).await?;
        round.scans = scans;
        round.turn_ends = now() + lasts;
        if scans && self.trouble.take().is_some() {
            tracing::info!("Bluetooth LE works again");
        }
        Ok(())
    }

    /// Dials whoever is due. Meanwhile it does not scan: radios do one thing after the other.
    async fn dial(&mut self, round: &mut Round<R>) -> Result<(), String> {
        let Some(dial) = self.neighbours.next_dial(now()) else {
            return Ok(());
        };
        let Some(peer) = self.places.get(&dial.token).cloned() else {
            return Ok(());
        };
        if round.scans {
            round.scans = false;
            self.radio.scan(false).await?;
        }
        tracing::debug!(neighbour = %dial.token, "connecting");
        self.neighbours.dialling(dial.token);
        let (radio, own) = (self.radio.clone(), self.neighbours.own());
        let (connect, limit) = (self.options.connect, self.options.greet);
        round.dials.spawn(async move {
            let token = dial.token;
            let greeted = match radio.connect(&peer, connect).await {
                Ok(channel) => greet(channel, own, token, limit).await,
                Err(error) => Err(error),
            };
            if greeted.is_err() {
                radio.disconnect(&peer).await;
            }
            Dialled {
                token,
                peer,
                greeted,
            }
        });
        Ok(())
    }

    fn dialled(&mut self, round: &mut Round<R>, dialled: Result<Dialled<R>, JoinError>) {
        let Ok(Dialled {
            token,
            peer,
            greeted,
        }) = dialled
        else {
            if let Some(token) = self.neighbours.dialled() {
                self.neighbours.dial_failed(now(), token);
            }
            return;
        };
        match greeted {
            Ok(greeted) => self.keep(round, peer, greeted),
            Err(error) => {
                tracing::info!(neighbour = %token, "no link: {error}");
                self.neighbours.dial_failed(now(), token);
            }
        }
    }

    fn keep(&mut self, round: &mut Round<R>, peer: R::Id, greeted: Greeted<R::Channel>) {
        let Greeted {
            channel,
            token,
            own,
        } = greeted;
        let side = Side::Dialled;
        match self.neighbours.open(now(), Opening { token, side, own }) {
            Verdict::Keep { key, instead_of } => {
                if let Some(old) = instead_of.and_then(|old| self.links.remove(&old)) {
                    tracing::info!("a link gives way to another");
                    old.session.abort();
                    if old.peer != peer {
                        self.hang_up(round, old.peer);
                    }
                }
                let (events, carried) = (self.events.clone(), self.carried_sender.clone());
                let session = self.sessions.spawn(async move {
                    match session::run(&channel, key, token, side, events, carried).await {
                        Ok(()) => tracing::info!(neighbour = %token, "link closed"),
                        Err(error) => tracing::info!(neighbour = %token, "link lost: {error}"),
                    }
                    key
                });
                self.links.insert(key, OpenLink { session, peer });
            }
            Verdict::Refuse => self.hang_up(round, peer),
        }
    }

    /// A session has ended, or was ended because its connection is gone.
    fn ended(
        &mut self,
        round: &mut Round<R>,
        ended: Result<(tokio::task::Id, LinkKey), JoinError>,
    ) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let mut links = self.links.iter();
        let Some((key, _)) = links.find(|(_, link)| link.session.id() == task) else {
            return;
        };
        let key = *key;
        self.neighbours.closed(now(), key);
        if let Some(link) = self.links.remove(&key) {
            self.hang_up(round, link.peer);
        }
    }

    /// Ends a connection, unless another link uses it.
    fn hang_up(&self, round: &mut Round<R>, peer: R::Id) {
        if self.links.values().any(|link| link.peer == peer) {
            return;
        }
        let radio = self.radio.clone();
        round
            .hang_ups
            .spawn(async move { radio.disconnect(&peer).await });
    }

    /// A new token for a new epoch: neighbours are greeted by it from now on.
    fn rotate(&mut self) -> Result<(), String> {
        if now() < self.epoch_ends {
            return Ok(());
        }
        self.epoch_ends = now() + self.options.epoch;
        let own = Token::random().map_err(|error| format!("no random numbers: {error}"))?;
        self.neighbours.rotate(now(), own);
        Ok(())
    }

    async fn close(mut self) {
        let sent = async { while self.sessions.join_next().await.is_some() {} };
        let _ = timeout(LINGER, sent).await;
        self.sessions.shutdown().await;
        for link in self.links.into_values() {
            let _ = timeout(LINGER, self.radio.disconnect(&link.peer)).await;
        }
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
}

/// The runtime's clock, which tests can wind.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
