//! The local air: links between processes of one machine, with no radio.
//!
//! A folder is the air. Each node in it has a socket, `<name>.sock`, and the file `range.toml` ([`Range`]) says
//! who hears whom, and how well. Nodes read it every [`AirOptions::poll`], so that a change takes effect while
//! they run. Two nodes that hear each other have exactly one link; the one whose name sorts first opens it.
//!
//! ```text
//! air/north.sock  air/relay.sock  air/range.toml
//! ```
//!
//! The air trusts the folder: whoever may write to it can use any name. That is no different from a radio, and
//! hops authenticate. A hostile process costs a node at most [`MAX_LINKS`] links and [`MAX_GREETINGS`] greetings
//! of bounded memory: per link the packets that [`LinkInfo`](crate::LinkInfo) allows, one packet that is being
//! put together, and a buffer of 16 KiB.

mod dial;
mod folder;
mod hello;
mod name;
mod packet;
mod range;
mod range_file;
mod rest;
mod session;
mod settings;
mod station;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::{Running, StartError, Transport, TransportEvent};

pub use name::{MAX_NAME_LEN, NameError, NodeName};
pub use packet::{PacketDecoder, PacketError, encode_packet};
pub use range::{Hearing, HearingError, Pair, Range};
pub use range_file::{MAX_RANGE_LEN, RANGE_FILE, RangeError};
pub use settings::{Conditions, DEFAULT_MTU, Mtu, MtuError, SettingError, Settings};

/// The most links of one node in the air.
pub const MAX_LINKS: usize = 64;
/// The most strangers whose greeting a node waits for at once.
pub const MAX_GREETINGS: usize = 32;

/// A node's part of the local air. See [the module](self).
#[derive(Debug)]
pub struct AirTransport {
    folder: PathBuf,
    name: NodeName,
    options: AirOptions,
}

impl AirTransport {
    /// The node called `name` in the air that is `folder`, which is made when the transport starts, for its
    /// owner alone, if it does not exist.
    ///
    /// Starting it fails with [`StartError::InUse`] if a running node has that name.
    pub fn new(folder: impl Into<PathBuf>, name: NodeName, options: AirOptions) -> Self {
        Self {
            folder: folder.into(),
            name,
            options,
        }
    }
}

impl Transport for AirTransport {
    fn name(&self) -> &str {
        "air"
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        Box::pin(async move {
            let Self {
                folder,
                name,
                options,
            } = *self;
            let station = station::Station::open(&folder, name, options, events).await?;
            Ok(Running::spawn(|stop| station.run(stop)))
        })
    }
}

/// The names of the nodes in the air that is `folder`: those that run, and those that crashed a moment ago.
///
/// # Errors
/// What the system says, if the folder cannot be read.
pub fn present(folder: &Path) -> io::Result<BTreeSet<NodeName>> {
    folder::names(folder)
}

/// How a node takes part in the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AirOptions {
    /// How often the folder is looked at: 100 ms by default. A change of range takes effect within that time.
    pub poll: Duration,
    /// Decides which packets are lost, repeated and reordered, together with the names of the two nodes.
    pub seed: u64,
}

impl Default for AirOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(100),
            seed: 0,
        }
    }
}
