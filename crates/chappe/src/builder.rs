//! How a node is started.

use chappe_link::Transport;
use chappe_node::{NodeConfig, NodeError, StoreError};
use chappe_store::OpenError;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::driver::{self, Seat};
use crate::{Chappe, EVENT_BACKLOG, Events, Home, Profile, Recording, Update};

/// Commands that wait for the node; more wait at their callers.
const ORDERS: usize = 64;

/// Starts a node.
///
/// ```
/// use chappe::{Builder, Home, Profile};
/// use chappe::wire::ByteCount;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let dir = folder.path().join("north");
/// let home = Home::create(&dir, Some(Profile::named("north")), None)?;
/// let (node, _events) = Builder::at(home)
///     .configure(|config| config.capacity = ByteCount::from_mib(16))
///     .start()
///     .await?;
/// assert_eq!(node.status().await?.name, "north");
/// node.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Builder {
    home: Option<Home>,
    config: NodeConfig,
    transports: Vec<Box<dyn Transport>>,
    recording: Option<Recording>,
}

impl Builder {
    /// A node in its home. It is a relay or a person's node as the home was made.
    pub fn at(home: Home) -> Self {
        let config = match home.identity().profile() {
            Some(profile) => NodeConfig::person(chappe_node::Profile {
                name: profile.name.clone(),
                jid: profile.jid.clone(),
                identity: None,
            }),
            None => NodeConfig::relay(),
        };
        Self::new(Some(home), config)
    }

    /// A person's node that keeps everything in memory and forgets it all when it stops.
    pub fn in_memory(profile: Profile) -> Self {
        let config = NodeConfig::person(chappe_node::Profile {
            name: profile.name,
            jid: profile.jid,
            identity: None,
        });
        Self::new(None, config)
    }

    /// A relay that keeps everything in memory and forgets it all when it stops.
    pub fn relay_in_memory() -> Self {
        Self::new(None, NodeConfig::relay())
    }

    /// Adds a radio, or whatever brings links.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transports.push(Box::new(transport));
        self
    }

    /// Changes the configuration. The role is the home's; changing it makes the start fail.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut NodeConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Records all that goes into the node and all that comes out, keys and messages included: for disposable test
    /// identities only.
    #[must_use]
    pub fn record(mut self, recording: Recording) -> Self {
        self.recording = Some(recording);
        self
    }

    /// Starts the node on a thread of its own.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(self) -> Result<(Chappe, Events), StartError> {
        let (order_sender, orders) = mpsc::channel(ORDERS);
        let (updates, receiver) = broadcast::channel(EVENT_BACKLOG);
        let handle = Chappe::new(order_sender, updates.downgrade());
        let (started, starting) = oneshot::channel();
        std::thread::Builder::new()
            .name("chappe-node".to_owned())
            .spawn(move || self.live(orders, updates, started))
            .map_err(|_| StartError::Thread)?;
        starting.await.map_err(|_| StartError::Thread)??;
        Ok((handle, Events::new(receiver)))
    }

    const fn new(home: Option<Home>, config: NodeConfig) -> Self {
        Self {
            home,
            config,
            transports: Vec::new(),
            recording: None,
        }
    }

    /// The life of the node's thread.
    fn live(
        self,
        orders: mpsc::Receiver<crate::handle::Order>,
        updates: broadcast::Sender<Update>,
        started: oneshot::Sender<Result<(), StartError>>,
    ) {
        // The driver runs on this thread and may wait for the disk; links run on the worker.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("chappe-links")
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            let _ = started.send(Err(StartError::Thread));
            return;
        };
        let Self {
            home,
            config,
            transports,
            recording,
        } = self;
        let mut seat = match home {
            Some(home) => Seat::at(home, config),
            None => Seat::in_memory(config),
        };
        seat.record(recording.clone());
        let mut started = Some(started);
        let result = runtime.block_on(async {
            driver::run(&seat, transports, orders, updates, &mut started).await
        });
        drop(runtime);
        drop(seat);
        if let (Ok(_), Some(recording)) = (&result, &recording) {
            recording.end();
        }
        // Only now is everything free again: tell those who wait for the end, or for the start that failed.
        match (result, started) {
            (Err(error), Some(started)) => drop(started.send(Err(error))),
            (closers, _) => drop(closers),
        }
    }
}

/// Why a node did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store cannot be opened.
    #[error("The store cannot be opened: {0}.")]
    Open(#[from] OpenError),
    /// The store was opened, and then refused.
    #[error("The store failed at the start: {0}.")]
    Refused(StoreError),
    /// The store cannot be used by this node.
    #[error("The node cannot start: {0}.")]
    Node(NodeError),
    /// A radio cannot be used.
    #[error("{0}")]
    Transport(String),
    /// The system gives no thread.
    #[error("The system gives no thread for the node; free some memory and try again.")]
    Thread,
    /// The system has no random numbers.
    #[error("The system gives no random numbers; the node cannot start.")]
    Random,
}

impl StartError {
    /// What this amounts to for those who wait for a command.
    pub(crate) const fn store_error(&self) -> StoreError {
        match self {
            Self::Refused(error) => *error,
            Self::Open(OpenError::Corrupt) => StoreError::Corrupt,
            _ => StoreError::Io,
        }
    }
}
