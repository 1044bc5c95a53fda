//! Sockets that are bound to one interface, opened in its network namespace.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddrV6;
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;

use crate::place::Place;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 16;
/// The addresses of this thread's namespace; `/proc/net` would be those of the process's first thread.
const ADDRESSES: &str = "/proc/thread-self/net/if_inet6";
/// Its interfaces, a line each, which begins with the name and a colon.
const INTERFACES: &str = "/proc/thread-self/net/dev";

/// Opens sockets in one place.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    place: Place,
    /// Address of this node on the interface, with its scope.
    local: SocketAddrV6,
}

impl Sockets {
    /// Finds the address of the interface.
    ///
    /// # Errors
    /// `AddrNotAvailable` if it has none (yet), `NotConnected` if there is no such interface; others if the namespace
    /// cannot be entered.
    pub(crate) async fn open(place: &Place) -> io::Result<Self> {
        let interface = place.interface().clone();
        let local = inside(place, move || {
            if let Some(local) = interface.address(&fs::read_to_string(ADDRESSES)?) {
                return Ok(local);
            }
            let there = interface.is_among(&fs::read_to_string(INTERFACES)?);
            let why = if there {
                io::ErrorKind::AddrNotAvailable
            } else {
                io::ErrorKind::NotConnected
            };
            Err(why.into())
        })
        .await?;
        Ok(Self {
            place: place.clone(),
            local,
        })
    }

    /// Makes a socket, binds it to the interface, and closes it.
    pub(crate) async fn probe(place: &Place) -> io::Result<()> {
        let interface = place.interface().clone();
        inside(place, move || {
            TcpSocket::new_v6()?.bind_device(Some(interface.name().as_bytes()))
        })
        .await
    }

    /// Listens on a port that the system chooses.
    pub(crate) async fn listen(&self) -> io::Result<TcpListener> {
        self.socket().await?.listen(BACKLOG)
    }

    /// Connects to an address on the interface; its scope is the interface's.
    pub(crate) async fn connect(&self, mut to: SocketAddrV6) -> io::Result<TcpStream> {
        to.set_scope_id(self.local.scope_id());
        let stream = self.socket().await?.connect(to.into()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// True for addresses that lead over the interface and not beyond it.
    pub(crate) fn reaches(&self, address: SocketAddrV6) -> bool {
        let to = address.ip();
        to.is_unicast_link_local() || (to.is_loopback() && self.local.ip().is_loopback())
    }

    /// The interface that everything is bound to.
    pub(crate) fn interface_name(&self) -> &str {
        self.place.interface().name()
    }

    async fn socket(&self) -> io::Result<TcpSocket> {
        let (local, interface) = (self.local, self.place.interface().clone());
        inside(&self.place, move || {
            let socket = TcpSocket::new_v6()?;
            socket.bind_device(Some(interface.name().as_bytes()))?;
            socket.bind(local.into())?;
            Ok(socket)
        })
        .await
    }
}

/// Does something on a thread that is in the place's namespace and ends with it: a namespace belongs to a thread,
/// and a socket stays in the one that it was made in.
async fn inside<T: Send + 'static>(
    place: &Place,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let Some(netns) = place.netns().map(Path::to_owned) else {
        return work();
    };
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("chappe-netns".to_owned())
        .spawn(move || {
            let result = enter(&netns).and_then(|()| work());
            // Whoever waited may have gone away.
            let _ = done.send(result);
        })?;
    result.await.map_err(io::Error::other)?
}

fn enter(netns: &Path) -> io::Result<()> {
    let namespace = File::open(netns)?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(())
}
