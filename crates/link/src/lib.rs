//! Links between a node and its neighbours: what every radio looks like from above, and one bearer that needs
//! no radio.
//!
//! - A [`Transport`] is a radio, or what stands for one. Started, it reports a [`LinkUp`] for each neighbour it
//!   reaches. Bluetooth LE, Wi-Fi Direct, IP and the platform code of phones implement it; nothing here names
//!   any of them.
//! - A link carries packets of bounded length both ways. It may lose, reorder or repeat them. [`link`] makes
//!   both ends of one: [`LinkUp`] for the node, [`LinkEnd`] for the transport.
//! - [`air`] connects processes of one machine. A folder is the air, a file in it says who hears whom.
//! - [`fault`] makes a link slow, late or lossy; [`trace`] writes its packets to a file. Both are a [`Layer`]:
//!   they go around any link, or with [`Layered`] around any transport.
//!
//! All of it runs on tokio. Queues are bounded, so a slow neighbour slows its own link and nothing else.
//!
//! ```
//! use chappe_link::air::{AirOptions, AirTransport, NodeName};
//! use chappe_link::{Transport, TransportEvent};
//! use tokio::sync::mpsc;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let folder = tempfile::tempdir()?;
//! let mut ends = Vec::new();
//! let mut running = Vec::new();
//! for name in ["north", "south"] {
//!     let (events, heard) = mpsc::channel(8);
//!     let air = AirTransport::new(folder.path(), NodeName::new(name)?, AirOptions::default());
//!     running.push(Box::new(air).start(events).await?);
//!     ends.push(heard);
//! }
//! let mut links = Vec::new();
//! for heard in &mut ends {
//!     if let Some(TransportEvent::LinkUp(link)) = heard.recv().await {
//!         links.push(link);
//!     }
//! }
//! let (mut south, north) = (links.pop().unwrap(), links.pop().unwrap());
//! north.outgoing.send(b"hello".to_vec()).await?;
//! assert_eq!(south.incoming.recv().await.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(unix)]
pub mod air;
pub mod fault;
mod groups;
mod incoming;
mod layer;
mod link;
mod outgoing;
pub mod trace;
mod transport;

pub use groups::{GroupOrder, GroupOrders};
pub use incoming::{DeliverError, LinkReceiver, PacketSink};
pub use layer::{Layer, Layered};
pub use link::{Bearer, LinkEnd, LinkInfo, LinkUp, MAX_MTU, MAX_QUEUE, MIN_MTU, link};
pub use outgoing::{Drains, LinkSender, OutgoingPacket, PacketSource, SendError};
pub use transport::{Running, StartError, StopSignal, Transport, TransportEvent, Trouble};
