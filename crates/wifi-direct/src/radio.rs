//! A Wi-Fi radio at work: wpa_supplicant does what [`Life`] decides.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use zbus::Connection;

use crate::examine::managed;
use crate::life::{Action, Goal, Group, Happening, Life};
use crate::supplicant::{Bus, RadioError, Supplicant, Word, owner_changes};

/// How long to wait before the bus is tried again.
const BUS_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether the group's interface is still there: the kernel can take it without a word.
const CHECK: Duration = Duration::from_secs(3);
/// Events that wait for whoever listens.
const MAX_EVENTS: usize = 16;

/// Which radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RadioOptions {
    /// Its interface: `wlan0`, for example.
    pub interface: String,
    /// The bus that its wpa_supplicant is on.
    pub bus: Bus,
}

/// What a radio tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEvent {
    /// The group is gone.
    Down,
    /// The group could not be joined, and is not tried any more.
    GaveUp,
    /// Something is wrong that a person may want to mend. The radio goes on.
    Trouble(RadioError),
    /// The group is up, on this interface.
    Up(Group),
}

/// A radio that runs.
#[derive(Debug)]
pub struct Radio {
    wish: watch::Sender<Option<Goal>>,
    task: JoinHandle<()>,
}

/// Tells a radio what is wanted of it.
#[derive(Clone, Debug)]
pub struct RadioHandle {
    wish: watch::Sender<Option<Goal>>,
}

impl Radio {
    /// Starts it on the tokio runtime of the caller. It has no goal yet, finds nobody and is found by nobody.
    ///
    /// # Errors
    /// [`RadioError`] if the radio cannot be used as it is. What goes wrong later is told as a trouble, and
    /// mended as soon as it can be: wpa_supplicant may stop and start.
    pub async fn start(
        options: RadioOptions,
    ) -> Result<(Self, mpsc::Receiver<GroupEvent>), RadioError> {
        let connection = options.bus.connect().await?;
        Supplicant::find(&connection, &options.interface).await?;
        let (wish, wishes) = watch::channel(None);
        let (events, told) = mpsc::channel(MAX_EVENTS);
        let worker = Worker {
            options,
            life: Life::new(),
            begun: Instant::now(),
            wishes,
            events,
            group: None,
            trouble: None,
        };
        let task = tokio::spawn(worker.run(connection));
        Ok((Self { wish, task }, told))
    }

    /// A handle.
    pub fn handle(&self) -> RadioHandle {
        RadioHandle {
            wish: self.wish.clone(),
        }
    }

    /// Leaves the group, if there is one, and stops.
    pub async fn stop(self) {
        let Self { wish, mut task } = self;
        let abort = AbortOnDrop(task.abort_handle());
        wish.send_replace(None);
        drop(wish);
        // It ends by itself once it has left, unless handles are still about.
        tokio::select! {
            _ = &mut task => {}
            () = sleep(CHECK) => {}
        }
        drop(abort);
    }
}

impl RadioHandle {
    /// Wants this from now on; `None` is no group.
    pub fn want(&self, goal: Option<Goal>) {
        self.wish.send_if_modified(|wish| {
            let changed = *wish != goal;
            *wish = goal;
            changed
        });
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why the work with a wpa_supplicant ended.
enum Ended {
    /// Nobody wants anything any more.
    Over,
    /// The radio is to have another address, or was taken from wpa_supplicant by somebody else: it is given anew.
    Renewed,
    Vanished,
}

struct Worker {
    options: RadioOptions,
    life: Life,
    begun: Instant,
    wishes: watch::Receiver<Option<Goal>>,
    events: mpsc::Sender<GroupEvent>,
    group: Option<Group>,
    /// The trouble that was told last, and is not over.
    trouble: Option<RadioError>,
}

impl Worker {
    async fn run(mut self, connection: Connection) {
        let mut connection = Some(connection);
        loop {
            let bus = match connection.take() {
                Some(bus) => Ok(bus),
                None => self.options.bus.connect().await,
            };
            let ended = match bus {
                Ok(bus) => self.serve(&bus).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => return,
                Err(error) => self.report(error).await,
            }
            self.happened(None, Happening::SupplicantDown).await;
            tokio::select! {
                () = sleep(BUS_PAUSE) => {}
                () = self.events.closed() => return,
            }
        }
    }

    /// Works until the bus fails, or nobody wants anything any more.
    async fn serve(&mut self, bus: &Connection) -> Result<(), RadioError> {
        let (mut there, mut owners) = owner_changes(bus).await?;
        loop {
            if there {
                let ended = self.with_supplicant(bus, &mut owners).await;
                self.happened(None, Happening::SupplicantDown).await;
                match ended {
                    Ok(Ended::Over) => return Ok(()),
                    Ok(Ended::Renewed) => continue,
                    Ok(Ended::Vanished) => self.report(RadioError::NoSupplicant).await,
                    Err(error) => self.report(error).await,
                }
            } else {
                self.report(RadioError::NoSupplicant).await;
            }
            tokio::select! {
                () = self.events.closed() => return Ok(()),
                // A radio can be plugged in, and an owner's change be missed: look again.
                () = sleep(BUS_PAUSE) => there = owner_changes(bus).await?.0,
                owner = owners.next() => match owner {
                    Some(owner) => there = owner.is_some(),
                    None => return Err(RadioError::NoBus("it closed the connection".to_owned())),
                },
            }
        }
    }

    /// Works with one wpa_supplicant, for as long as the radio has one address.
    async fn with_supplicant(
        &mut self,
        bus: &Connection,
        owners: &mut zbus::proxy::OwnerChangedStream<'static>,
    ) -> Result<Ended, RadioError> {
        let supplicant = Supplicant::find(bus, &self.options.interface).await?;
        let mut signals = supplicant.signals().await?;
        self.trouble = None;
        let here = Some(&supplicant);
        // What another run of this program has left.
        supplicant.leave(None).await?;
        self.happened(here, Happening::SupplicantUp).await;
        let wish = self.wishes.borrow_and_update().clone();
        self.happened(here, Happening::Want(wish)).await;
        let mut used = self.life.goal().is_some();
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.life.deadline().map(|at| self.begun + at);
            let due = async {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let happening = tokio::select! {
                () = self.events.closed() => {
                    return self.part(&supplicant, Ended::Over).await;
                }
                wish = self.wishes.changed() => {
                    if wish.is_err() {
                        return self.part(&supplicant, Ended::Over).await;
                    }
                    let wish = self.wishes.borrow_and_update().clone();
                    if used && supplicant.is_passing() && self.life.goal() != wish.as_ref() {
                        // What comes next has another address.
                        return self.part(&supplicant, Ended::Renewed).await;
                    }
                    Happening::Want(wish)
                }
                owner = owners.next() => match owner.flatten() {
                    Some(_) => continue,
                    None => return Ok(Ended::Vanished),
                },
                signal = signals.next() => {
                    let Some(signal) = signal else {
                        return Err(RadioError::NoBus("it closed the connection".to_owned()));
                    };
                    match supplicant.word(&signal).await {
                        Some(Word::Started(group)) => Happening::Started(group),
                        Some(Word::Finished) => {
                            if self.group.is_some() {
                                self.look_who(bus).await;
                            }
                            Happening::Finished
                        }
                        Some(Word::Failed(reason)) => {
                            tracing::info!(reason, "a Wi-Fi Direct group did not form");
                            self.look_who(bus).await;
                            Happening::Refused
                        }
                        None => continue,
                    }
                }
                _ = check.tick() => match &self.group {
                    Some(group) if !supplicant.has(group).await => {
                        self.look_who(bus).await;
                        Happening::Finished
                    }
                    None if self.life.goal().is_some() && !supplicant.has_radio().await => {
                        tracing::info!("somebody took the radio from wpa_supplicant; it is given again");
                        return Ok(Ended::Renewed);
                    }
                    _ => continue,
                },
                () = due => Happening::Timeout,
            };
            self.happened(here, happening).await;
            used |= self.life.goal().is_some();
        }
    }

    /// A group has ended, or did not form: tells if there is somebody else who ends groups.
    async fn look_who(&mut self, bus: &Connection) {
        let interface = &self.options.interface;
        if matches!(managed(bus, interface).await, Ok(true)) {
            let trouble = RadioError::Managed(interface.clone());
            self.report(trouble).await;
        }
    }

    /// Leaves the group, and takes the radio from wpa_supplicant if it was given to it by this program; else only what the
    /// group was formed with, which would stay there with its passphrase.
    async fn part(&mut self, supplicant: &Supplicant, ended: Ended) -> Result<Ended, RadioError> {
        self.happened(Some(supplicant), Happening::Want(None)).await;
        if supplicant.is_passing() {
            supplicant.remove().await?;
        } else {
            supplicant.forget().await?;
        }
        Ok(ended)
    }

    async fn happened(&mut self, supplicant: Option<&Supplicant>, happening: Happening) {
        tracing::debug!(?happening, "Wi-Fi Direct");
        let mut actions = self.life.handle(self.begun.elapsed(), happening);
        loop {
            let mut refused = false;
            for action in actions {
                refused |= self.act(supplicant, action).await.is_err();
            }
            if !refused {
                return;
            }
            actions = self.life.handle(self.begun.elapsed(), Happening::Refused);
        }
    }

    /// Does one thing. An error is one of forming.
    async fn act(&mut self, supplicant: Option<&Supplicant>, action: Action) -> Result<(), ()> {
        match action {
            Action::Form(goal) => {
                let Some(supplicant) = supplicant else {
                    return Err(());
                };
                if !supplicant.has_radio().await {
                    // It is given again at the next check.
                    return Err(());
                }
                if let Err(error) = supplicant.form(&goal).await {
                    self.report(error).await;
                    return Err(());
                }
            }
            Action::Leave(group) => {
                if let Some(supplicant) = supplicant
                    && let Err(error) = supplicant.leave(group.as_ref()).await
                {
                    tracing::debug!(%error, "a Wi-Fi Direct group is not left");
                }
            }
            Action::Up(group) => {
                self.trouble = None;
                self.group = Some(group.clone());
                self.tell(GroupEvent::Up(group)).await;
            }
            Action::Down => {
                self.group = None;
                self.tell(GroupEvent::Down).await;
            }
            Action::GiveUp => {
                self.tell(GroupEvent::GaveUp).await;
            }
        }
        Ok(())
    }

    async fn report(&mut self, trouble: RadioError) {
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::warn!(%trouble, "Wi-Fi Direct");
            self.trouble = Some(trouble.clone());
            self.tell(GroupEvent::Trouble(trouble)).await;
        }
    }

    async fn tell(&self, event: GroupEvent) {
        // Whoever listened may have gone away: the worker notices.
        let _ = self.events.send(event).await;
    }
}
