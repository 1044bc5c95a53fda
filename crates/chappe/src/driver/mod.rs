//! The driver: one task that owns the node, its store and its links, on a thread of its own.
//!
//! ```text
//!  handle ---- orders --->+----------------+
//!  transports - events -->| driver + Node  |---> updates (broadcast, lossy for slow readers)
//!  links ----- packets -->|  SQLite inside |---> packets to links
//!  clock ---- deadline -->+----------------+
//! ```
//!
//! Inputs that are there already are handed in together, [`MAX_BATCH`] at most: while one commit is on its way
//! to the disk the next batch gathers by itself, so that nothing waits when there is little to do.

mod clock;
mod links;
mod recorded;
#[cfg(test)]
mod recovery_tests;
mod seat;
mod store;
mod warnings;

use std::collections::BTreeMap;
use std::time::Duration;

use chappe_link::{GroupOrder, GroupOrders, Running, Transport, TransportEvent};
use chappe_node::{CommandError, CommandId, Input, Output, Reply, StoreError, Upgrade};
use chappe_wire::Instant;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::handle::Order;
use crate::{StartError, Update};
use links::{FromLink, Links};
use recorded::RecordedNode;
pub(crate) use seat::Seat;
use warnings::Warnings;

/// Inputs in one commit, at most.
const MAX_BATCH: usize = 64;
/// The node is woken at least this often, in case the machine slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Times in a row that a store may fail for another reason than a full disk before the node gives up.
const MAX_FAILURES: u32 = 5;
/// The first pause after a failure of the store; it doubles each time up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause after a failure of the store.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// News of the transports that wait for the node.
const TRANSPORT_EVENTS: usize = 16;

/// Runs a node until it is closed. `started` is told and taken once it is up.
///
/// # Errors
/// [`StartError`] if it does not come up; nothing is left of it then.
pub(crate) async fn run(
    seat: &Seat,
    transports: Vec<Box<dyn Transport>>,
    orders: mpsc::Receiver<Order>,
    updates: broadcast::Sender<Update>,
    started: &mut Option<oneshot::Sender<Result<(), StartError>>>,
) -> Result<Closers, StartError> {
    let (sender, news) = mpsc::channel(TRANSPORT_EVENTS);
    let mut driver = Driver {
        orders,
        transports: news,
        updates,
        links: Links::new(),
        groups: None,
        warnings: Warnings::default(),
        pending: BTreeMap::new(),
        next_command: 0,
        deadline: clock::now(),
        closers: Closers::default(),
    };
    let mut node = seat.node(clock::now())?;
    let mut running = Vec::new();
    for transport in transports {
        match transport.start(sender.clone()).await {
            Ok(transport) => running.push(transport),
            Err(error) => {
                stop(running).await;
                return Err(StartError::Transport(error.to_string()));
            }
        }
    }
    if let Some(started) = started.take() {
        // Whoever started it may have gone away.
        let _ = started.send(Ok(()));
    }
    let mut failures = 0;
    loop {
        let begun = clock::now();
        let Stop::StoreFailed(error) = driver.serve(node).await else {
            break;
        };
        if clock::now().since(begun) > chappe_wire::Duration::from_minutes(1) {
            failures = 0;
        }
        match driver.recover(seat, error, &mut failures).await {
            Some(rebuilt) => node = rebuilt,
            None => break,
        }
    }
    // The transports let packets leave that they have already.
    driver.links.close_all();
    stop(running).await;
    Ok(driver.closers)
}

async fn stop(transports: Vec<Running>) {
    for transport in transports {
        transport.stop().await;
    }
}

/// Those who wait until everything is closed. Dropping it tells them.
#[derive(Default)]
pub(crate) struct Closers(Vec<oneshot::Sender<()>>);

struct Driver {
    orders: mpsc::Receiver<Order>,
    transports: mpsc::Receiver<TransportEvent>,
    updates: broadcast::Sender<Update>,
    links: Links,
    /// The radio that makes groups.
    groups: Option<GroupOrders>,
    warnings: Warnings,
    pending: BTreeMap<CommandId, oneshot::Sender<Result<Reply, CommandError>>>,
    next_command: u64,
    deadline: Instant,
    closers: Closers,
}

/// Why the node stopped.
enum Stop {
    Closed,
    StoreFailed(StoreError),
}

/// One thing to hand to the node.
enum Happening {
    Order(Option<Order>),
    Transport(TransportEvent),
    Link(FromLink),
    Timeout,
}

impl Driver {
    /// Drives `node` until it is to close or its store fails.
    async fn serve(&mut self, mut node: RecordedNode) -> Stop {
        if let Some(stop) = self.drain(&mut node) {
            return stop;
        }
        loop {
            let mut open = true;
            let first = self.next().await;
            open &= self.hand_in(&mut node, first);
            for _ in 1..MAX_BATCH {
                if !open {
                    break;
                }
                let more = tokio::select! {
                    biased;
                    more = self.next_now() => more,
                    () = std::future::ready(()) => break,
                };
                open &= self.hand_in(&mut node, more);
            }
            if let Some(stop) = self.drain(&mut node) {
                return stop;
            }
            if !open {
                return Stop::Closed;
            }
        }
    }

    /// Waits for the next thing to happen. Safe to drop half-way.
    async fn next(&mut self) -> Happening {
        let wait = self.deadline.since(clock::now()).as_micros();
        let wait = Duration::from_micros(wait).min(LONGEST_SLEEP);
        tokio::select! {
            happening = self.next_now() => happening,
            () = tokio::time::sleep(wait) => Happening::Timeout,
        }
    }

    async fn next_now(&mut self) -> Happening {
        tokio::select! {
            told = self.links.next() => Happening::Link(told),
            order = self.orders.recv() => Happening::Order(order),
            Some(event) = self.transports.recv() => Happening::Transport(event),
        }
    }

    /// Hands one thing to the node. False if the node is to close.
    fn hand_in(&mut self, node: &mut RecordedNode, happening: Happening) -> bool {
        let now = clock::now();
        match happening {
            Happening::Timeout => node.handle_input(now, Input::Timeout),
            Happening::Link(FromLink::Packet(link, packet)) => {
                let packet = &packet;
                node.handle_input(now, Input::Received { link, packet });
            }
            Happening::Link(FromLink::Drained(link, packets)) => {
                node.handle_input(now, Input::Drained { link, packets });
            }
            Happening::Link(FromLink::Down(link)) => node.handle_input(now, Input::LinkDown(link)),
            Happening::Transport(TransportEvent::LinkUp(up)) => {
                let up = self.links.add(up);
                node.handle_input(now, Input::LinkUp(up));
            }
            Happening::Transport(TransportEvent::Invitation(link, invitation)) => {
                node.handle_input(now, Input::Invitation(link, invitation));
            }
            Happening::Transport(event) => self.report(event),
            Happening::Order(Some(Order::Command(command, reply))) => {
                let id = self.register(reply);
                node.handle_input(now, Input::Command(id, command));
            }
            Happening::Order(Some(Order::Close(done))) => {
                self.closers.0.push(done);
                return false;
            }
            Happening::Order(None) => return false,
        }
        true
    }

    fn register(&mut self, reply: oneshot::Sender<Result<Reply, CommandError>>) -> CommandId {
        let id = CommandId(self.next_command);
        self.next_command = self.next_command.wrapping_add(1);
        self.pending.insert(id, reply);
        id
    }

    /// Does what the node wants done.
    fn drain(&mut self, node: &mut RecordedNode) -> Option<Stop> {
        while let Some(output) = node.poll_output() {
            match output {
                Output::Transmit { link, packet } => self.links.transmit(link, packet),
                Output::Disconnect { link, reason } => {
                    tracing::info!(%link, reason, "link closed");
                    self.links.close(link);
                }
                Output::Upgrade(upgrade) => self.upgrade(upgrade),
                Output::Event(event) => self.tell(Update::Event(event)),
                Output::Reply(id, reply) => {
                    if let Some(waiting) = self.pending.remove(&id) {
                        // Whoever asked may have gone away.
                        let _ = waiting.send(reply);
                    }
                }
                Output::StoreFailed(error) => return Some(Stop::StoreFailed(error)),
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
                _ => {}
            }
        }
        None
    }

    /// Fails what was asked, closes the links, and builds the node again from its store, with growing pauses.
    async fn recover(
        &mut self,
        seat: &Seat,
        mut error: StoreError,
        failures: &mut u32,
    ) -> Option<RecordedNode> {
        loop {
            tracing::error!("the store failed: {error}");
            self.tell(Update::StoreFailed(error));
            self.links.close_all();
            for (_, waiting) in std::mem::take(&mut self.pending) {
                let _ = waiting.send(Err(CommandError::Store(error)));
            }
            *failures = failures.saturating_add(1);
            if error != StoreError::Full && *failures > MAX_FAILURES {
                tracing::error!("the store failed {MAX_FAILURES} times in a row; stopping");
                return None;
            }
            let doublings = failures.saturating_sub(1).min(16);
            let pause = FIRST_PAUSE
                .saturating_mul(1 << doublings)
                .min(LONGEST_PAUSE);
            if !self.refuse_for(pause, error).await {
                return None;
            }
            match seat.node(clock::now()) {
                Ok(node) => return Some(node),
                Err(again) => error = again.store_error(),
            }
        }
    }

    /// Refuses everything for a while. False if the node is to close.
    async fn refuse_for(&mut self, pause: Duration, error: StoreError) -> bool {
        let end = tokio::time::Instant::now() + pause;
        loop {
            let happening = tokio::select! {
                () = tokio::time::sleep_until(end) => return true,
                happening = self.next_now() => happening,
            };
            match happening {
                Happening::Order(Some(Order::Command(_, reply))) => {
                    let _ = reply.send(Err(CommandError::Store(error)));
                }
                Happening::Order(Some(Order::Close(done))) => {
                    self.closers.0.push(done);
                    return false;
                }
                Happening::Order(None) => return false,
                // A link that is dropped is closed; the neighbour will try again.
                Happening::Transport(TransportEvent::LinkUp(_))
                | Happening::Link(_)
                | Happening::Timeout => {}
                Happening::Transport(event) => self.report(event),
            }
        }
    }

    fn report(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Groups(orders) => self.groups = Some(orders),
            TransportEvent::Trouble(trouble) => {
                let says = trouble.to_string();
                if self.warnings.is_due(&says, std::time::Instant::now()) {
                    tracing::warn!("{says}");
                } else {
                    tracing::debug!("again: {says}");
                }
                self.tell(Update::Trouble(says));
            }
            _ => {}
        }
    }

    fn upgrade(&self, upgrade: Upgrade) {
        let order = match upgrade {
            Upgrade::Invite(link) => GroupOrder::Invite(link),
            Upgrade::Join(invitation) => GroupOrder::Join(invitation),
            Upgrade::Leave => GroupOrder::Leave,
            _ => return,
        };
        // Without a radio, or with one that is busy, the link stays as it is; the node tries again.
        if let Some(groups) = &self.groups
            && !groups.give(order)
        {
            tracing::warn!("the radio that makes groups does not take orders");
        }
    }

    fn tell(&self, update: Update) {
        // Nobody listening is fine.
        let _ = self.updates.send(update);
    }
}
