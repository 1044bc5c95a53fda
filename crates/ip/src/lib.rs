//! Streams between the nodes that share one network interface: the members of a Wi-Fi Direct group, or of a LAN
//! that somebody asked for.
//!
//! libp2p's swarm, its upgrade (noise, yamux) and its connection limits run over a TCP transport of ours, which
//! keeps the scope of IPv6 link-local addresses and binds every socket to the interface. There is no discovery
//! of any kind: a member is told where the owner of the group listens, and the owner tells the members of each
//! other. One stream a neighbour carries the packets of a hop; what is said on it is encrypted by the hop, and
//! libp2p's keys live as long as one group.
//!
//! - [`Place`] says where sockets are opened: an interface, and the network namespace that it is in.
//! - [`Station`] is a node's place in a group: opened, it listens; started as a
//!   [`Transport`](chappe_link::Transport), it reports links.
//!
//! ```
//! use chappe_ip::{GroupKey, Interface, Place, Role, Station};
//! use chappe_link::{Transport, TransportEvent};
//! use tokio::sync::mpsc;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let lo = || Place::on(Interface::new("lo").unwrap());
//! let owner = Station::open(&lo(), GroupKey::fresh(), Role::Owner).await?;
//! let member = Station::open(&lo(), GroupKey::fresh(), Role::Member(owner.rendezvous())).await?;
//!
//! let (events, mut owner_hears) = mpsc::channel(8);
//! let _owner = Box::new(owner).start(events).await?;
//! let (events, mut member_hears) = mpsc::channel(8);
//! let _member = Box::new(member).start(events).await?;
//!
//! let Some(TransportEvent::LinkUp(north)) = member_hears.recv().await else { panic!() };
//! let Some(TransportEvent::LinkUp(mut south)) = owner_hears.recv().await else { panic!() };
//! north.outgoing.send(b"hello".to_vec()).await?;
//! assert_eq!(south.incoming.recv().await.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod carry;
mod dials;
mod key;
mod place;
mod roster;
mod session;
mod sockets;
mod station;
mod streams;
mod tcp;

pub use key::{GroupKey, MemberKey};
pub use place::{Interface, InterfaceError, Place};
pub use roster::{MAX_MEMBERS, MAX_ROSTER_LEN, Member, Roster, RosterError};
pub use station::{MTU, Rendezvous, Role, Station};
