//! libp2p's `Transport` over sockets of one interface.
//!
//! Its addresses are `/ip6zone/INTERFACE/ip6/ADDRESS/tcp/PORT`: the zone is always this node's own interface, for
//! it means nothing to anybody else.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::{BoxFuture, FutureExt as _, Ready};
use libp2p::core::multiaddr::{Multiaddr, Protocol};
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::sockets::Sockets;

/// TCP over one interface. It listens on one socket, which it was given.
pub(crate) struct BoundTcp {
    sockets: Sockets,
    listener: Option<TcpListener>,
    listening: Option<(ListenerId, TcpListener, Multiaddr)>,
    news: VecDeque<TransportEvent<Ready<io::Result<Socket>>, io::Error>>,
}

impl BoundTcp {
    pub(crate) const fn new(sockets: Sockets, listener: TcpListener) -> Self {
        Self {
            sockets,
            listener: Some(listener),
            listening: None,
            news: VecDeque::new(),
        }
    }
}

/// The address as libp2p writes it.
pub(crate) fn multiaddr(interface: &str, address: SocketAddrV6) -> Multiaddr {
    Multiaddr::empty()
        .with(Protocol::Ip6zone(interface.into()))
        .with(Protocol::Ip6(*address.ip()))
        .with(Protocol::Tcp(address.port()))
}

/// The address without its zone; `None` if it is of another kind.
pub(crate) fn socket_address(address: &Multiaddr) -> Option<SocketAddrV6> {
    let mut parts = address.iter();
    let (Protocol::Ip6zone(_), Protocol::Ip6(ip), Protocol::Tcp(port)) =
        (parts.next()?, parts.next()?, parts.next()?)
    else {
        return None;
    };
    // libp2p adds whom it expects there.
    match parts.next() {
        None | Some(Protocol::P2p(_)) => Some(SocketAddrV6::new(ip, port, 0, 0)),
        Some(_) => None,
    }
}

impl Transport for BoundTcp {
    type Output = Socket;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Socket>>;
    type Dial = BoxFuture<'static, io::Result<Socket>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        let Some(listener) = self.listener.take() else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        self.news.push_back(TransportEvent::NewAddress {
            listener_id: id,
            listen_addr: address.clone(),
        });
        self.listening = Some((id, listener, address));
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listening.take_if(|(ours, ..)| *ours == id).is_some()
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let to = socket_address(&address).filter(|to| self.sockets.reaches(*to));
        let Some(to) = to else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let sockets = self.sockets.clone();
        Ok(async move { Ok(Socket(sockets.connect(to).await?)) }.boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        if let Some(news) = self.news.pop_front() {
            return Poll::Ready(news);
        }
        let interface = self.sockets.interface_name();
        let Some((id, listener, local)) = &self.listening else {
            return Poll::Pending;
        };
        let event = match ready!(listener.poll_accept(cx)) {
            Ok((stream, SocketAddr::V6(from))) => TransportEvent::Incoming {
                listener_id: *id,
                upgrade: futures::future::ready(stream.set_nodelay(true).map(|()| Socket(stream))),
                local_addr: local.clone(),
                send_back_addr: multiaddr(interface, from),
            },
            Ok((_, SocketAddr::V4(_))) => TransportEvent::ListenerError {
                listener_id: *id,
                error: io::ErrorKind::Unsupported.into(),
            },
            Err(error) => TransportEvent::ListenerError {
                listener_id: *id,
                error,
            },
        };
        Poll::Ready(event)
    }
}

/// A TCP stream of tokio with the traits of `futures`.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl futures::AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl futures::AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
