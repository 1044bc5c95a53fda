//! A node's place in a group.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::pin::Pin;

use chappe_link::{Bearer, Running, StartError, Transport, TransportEvent};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::key::{GroupKey, MemberKey};
use crate::place::Place;
use crate::session::Session;
use crate::sockets::Sockets;

/// The longest packet, in bytes: with its length in front it fills one frame of yamux.
pub const MTU: usize = 16 * 1024 - 2;

/// Where the owner of a group is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendezvous {
    /// Its address on the group's interface. The scope is that of the interface, and everybody's own.
    pub address: Ipv6Addr,
    /// Its port.
    pub port: u16,
    /// Its key.
    pub key: MemberKey,
}

/// What a node is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It joined, and meets the others by way of the owner.
    Member(Rendezvous),
    /// Everybody meets at its place.
    Owner,
}

/// A node in a group: it listens from [`Station::open`] on, and talks once it is started as a [`Transport`].
#[derive(Debug)]
pub struct Station {
    pub(crate) sockets: Sockets,
    pub(crate) listener: TcpListener,
    pub(crate) key: GroupKey,
    pub(crate) role: Role,
    pub(crate) bearer: Bearer,
    rendezvous: Rendezvous,
}

impl Station {
    /// Listens on the interface, at a port that the system chooses.
    ///
    /// # Errors
    /// [`StartError`]: the interface does not exist or has no address yet, or the namespace cannot be entered.
    pub async fn open(place: &Place, key: GroupKey, role: Role) -> Result<Self, StartError> {
        let sockets = Sockets::open(place)
            .await
            .map_err(|error| refused(place, error))?;
        let listener = sockets
            .listen()
            .await
            .map_err(|error| refused(place, error))?;
        let SocketAddr::V6(local) = listener
            .local_addr()
            .map_err(|error| refused(place, error))?
        else {
            return Err(refused(place, io::ErrorKind::Unsupported.into()));
        };
        let rendezvous = Rendezvous {
            address: *local.ip(),
            port: local.port(),
            key: key.public(),
        };
        Ok(Self {
            sockets,
            listener,
            key,
            role,
            bearer: Bearer::new("ip"),
            rendezvous,
        })
    }

    /// The same, whose links are told as those of this bearer: what the interface belongs to. Else it is `ip`.
    #[must_use]
    pub fn called(mut self, bearer: Bearer) -> Self {
        self.bearer = bearer;
        self
    }

    /// Where this node is met.
    pub const fn rendezvous(&self) -> Rendezvous {
        self.rendezvous
    }
}

impl Transport for Station {
    fn name(&self) -> &str {
        "ip"
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        Box::pin(async move {
            let session = Session::new(*self, events)?;
            Ok(Running::spawn(|stop| session.run(stop)))
        })
    }
}

pub(crate) fn refused(place: &Place, source: io::Error) -> StartError {
    match source.kind() {
        io::ErrorKind::AddrNotAvailable => StartError::Unavailable(format!(
            "the interface {place} has no IPv6 address: bring it up, and let \
             net.ipv6.conf.{}.disable_ipv6 be 0",
            place.interface()
        )),
        io::ErrorKind::NotConnected => StartError::Gone(format!("there is no interface {place}")),
        io::ErrorKind::NotFound => StartError::Unavailable(format!(
            "the network namespace of {place} does not exist: make it with `ip netns add`"
        )),
        io::ErrorKind::PermissionDenied => StartError::Unavailable(format!(
            "no right to open sockets on {place}: give the program CAP_NET_RAW, and CAP_SYS_ADMIN for a namespace"
        )),
        _ => StartError::Io {
            what: format!("no socket can be opened on {place}"),
            source,
        },
    }
}
