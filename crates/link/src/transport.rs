//! What every radio implements.

use std::io;
use std::pin::Pin;

use chappe_wire::{Invitation, LinkId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::{GroupOrders, LinkUp};

/// A radio, or what stands for one.
///
/// It finds neighbours by itself, and reports a link for each, never two at a time for one neighbour that it
/// can tell apart. An implementation needs no more than [`link`](crate::link) and [`Running::spawn`].
///
/// ```
/// use std::pin::Pin;
/// use chappe_link::{
///     Bearer, LinkInfo, Running, StartError, Transport, TransportEvent, link,
/// };
/// use tokio::sync::mpsc;
///
/// /// One neighbour, who sends back whatever it gets.
/// struct Echo;
///
/// impl Transport for Echo {
///     fn name(&self) -> &str {
///         "echo"
///     }
///
///     fn start(
///         self: Box<Self>,
///         events: mpsc::Sender<TransportEvent>,
///     ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
///         Box::pin(async move {
///             Ok(Running::spawn(|mut stop| async move {
///                 let (up, mut end) = link(LinkInfo {
///                     bearer: Bearer::new("echo"),
///                     mtu: 512,
///                     initiator: true,
///                     reliable: true,
///                     label: "myself".into(),
///                     queue: 8,
///                 });
///                 if events.send(TransportEvent::LinkUp(up)).await.is_err() {
///                     return;
///                 }
///                 loop {
///                     let packet = tokio::select! {
///                         packet = end.source.next() => packet,
///                         () = stop.signalled() => return,
///                     };
///                     let Some(packet) = packet else { return };
///                     let _ = end.sink.deliver(packet.bytes().to_vec()).await;
///                 }
///             }))
///         })
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (events, mut heard) = mpsc::channel(1);
/// let running = Box::new(Echo).start(events).await.unwrap();
/// let Some(TransportEvent::LinkUp(mut link)) = heard.recv().await else { panic!() };
/// link.outgoing.send(vec![7]).await.unwrap();
/// assert_eq!(link.incoming.recv().await, Some(vec![7]));
/// running.stop().await;
/// assert_eq!(link.incoming.recv().await, None);
/// # });
/// ```
pub trait Transport: Send + 'static {
    /// What people call it: `air`, for example.
    fn name(&self) -> &str;

    /// Starts it on the tokio runtime of the caller. Links and troubles go to `events` until it stops; it stops
    /// by itself when `events` is closed.
    ///
    /// # Errors
    /// The future ends with a [`StartError`] if it cannot work as it is.
    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>>;
}

/// What a transport reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportEvent {
    /// The radio makes groups: orders go there. Told once, at the start.
    Groups(GroupOrders),
    /// How the radio's group is joined, for the neighbour on this link; `None` if there is none.
    Invitation(LinkId, Option<Invitation>),
    /// A neighbour is in range. That it is gone is told by the link itself: its receiver ends.
    LinkUp(LinkUp),
    /// Something is wrong that a person may want to mend. The transport goes on.
    Trouble(Trouble),
}

/// Something that keeps a transport from its work. Each is one sentence: what happened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The radio does not do what it should.
    #[error("{0}")]
    Radio(String),
    /// Settings that changed cannot be used; the ones before stay in force.
    #[error("{0}")]
    Settings(String),
}

/// Why a transport did not start. Each is one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// What was to be used is not there, or not any more: waiting does not help.
    #[error("{0}")]
    Gone(String),
    /// Another node uses what this one asks for.
    #[error("{what} is in use by a running node: choose another, or stop that node")]
    InUse {
        /// What is in use.
        what: String,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The radio is missing, off, or lacks what is needed.
    #[error("{0}")]
    Unavailable(String),
}

/// A transport that runs. Dropping it stops the transport without waiting.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Spawns `work` on the current tokio runtime. It is to end soon after its [`StopSignal`].
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        work: impl FnOnce(StopSignal) -> F,
    ) -> Self {
        let (stop, signal) = watch::channel(false);
        let task = tokio::spawn(work(StopSignal { signal }));
        Self { stop, task }
    }

    /// Stops the transport and waits until its links are closed and its traces on the system removed. Packets
    /// leave before, for a short time, on links whose [`LinkSender`](crate::LinkSender) was dropped.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A panic in the transport has been reported by the runtime, and it has stopped.
        let _ = self.task.await;
    }
}

/// Tells a transport that it is to stop.
#[derive(Clone, Debug)]
pub struct StopSignal {
    signal: watch::Receiver<bool>,
}

impl StopSignal {
    /// Returns once [`Running::stop`] was called or [`Running`] dropped.
    pub async fn signalled(&mut self) {
        // An error means that `Running` is gone.
        let _ = self.signal.wait_for(|stop| *stop).await;
    }
}
