//! One stream of each kind a connection, opened by the side that dialled.
//!
//! A neighbour that opens more is not answered, so that what it can make this node hold is bounded. A connection
//! without a stream is closed by libp2p when it was idle for a while.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::identity::PeerId;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId,
    FromSwarm, NetworkBehaviour, Stream, StreamProtocol, SubstreamProtocol, THandlerInEvent,
    ToSwarm,
};

/// Most things that wait to be told; connections are limited elsewhere, and each tells of two streams.
const MAX_EVENTS: usize = 256;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Packets of a hop.
    Hop,
    /// Between a member and the owner of its group: who is there.
    Roster,
}

impl Kind {
    const fn protocol(self) -> StreamProtocol {
        match self {
            Self::Hop => StreamProtocol::new("/chappe/hop/1"),
            Self::Roster => StreamProtocol::new("/chappe/roster/1"),
        }
    }
}

/// A stream that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) peer: PeerId,
    /// Where the neighbour's end of the connection is.
    pub(crate) remote: Multiaddr,
    pub(crate) kind: Kind,
    pub(crate) stream: Stream,
    /// True if this node dialled.
    pub(crate) dialler: bool,
}

/// Opens and accepts the streams of all connections.
pub(crate) struct Streams {
    /// The owner of the group; `None` at the owner itself.
    owner: Option<PeerId>,
    events: VecDeque<ToSwarm<Opened, Infallible>>,
    remotes: Vec<(ConnectionId, Multiaddr)>,
}

impl Streams {
    pub(crate) const fn new(owner: Option<PeerId>) -> Self {
        Self {
            owner,
            events: VecDeque::new(),
            remotes: Vec::new(),
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Opened;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.remotes.push((connection, remote.clone()));
        let accepts = match self.owner {
            Some(_) => vec![Kind::Hop],
            None => vec![Kind::Hop, Kind::Roster],
        };
        Ok(Handler::new(accepts, Vec::new()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.remotes.push((connection, remote.clone()));
        let opens = if self.owner == Some(peer) {
            vec![Kind::Roster, Kind::Hop]
        } else {
            vec![Kind::Hop]
        };
        Ok(Handler::new(Vec::new(), opens))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        // Those that another behaviour denies after this one are told of as failures.
        let gone = match event {
            FromSwarm::ConnectionClosed(closed) => closed.connection_id,
            FromSwarm::DialFailure(failure) => failure.connection_id,
            FromSwarm::ListenFailure(failure) => failure.connection_id,
            _ => return,
        };
        self.remotes.retain(|(connection, _)| *connection != gone);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        told: FromHandler,
    ) {
        let remote = self.remotes.iter().find(|(id, _)| *id == connection);
        let event = match (told, remote) {
            (FromHandler::Opened(kind, stream, dialler), Some((_, remote)))
                if self.events.len() < MAX_EVENTS =>
            {
                ToSwarm::GenerateEvent(Opened {
                    peer,
                    remote: remote.clone(),
                    kind,
                    stream,
                    dialler,
                })
            }
            _ => ToSwarm::CloseConnection {
                peer_id: peer,
                connection: CloseConnection::One(connection),
            },
        };
        self.events.push_back(event);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Opened, THandlerInEvent<Self>>> {
        // New ones are only added within the swarm's own poll, which comes here afterwards.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum FromHandler {
    Opened(Kind, Stream, bool),
    /// The other end does not want a stream.
    Refused,
}

/// The streams of one connection.
#[derive(Debug)]
pub(crate) struct Handler {
    accepts: Vec<Kind>,
    opens: Vec<Kind>,
    events: VecDeque<FromHandler>,
}

impl Handler {
    const fn new(accepts: Vec<Kind>, opens: Vec<Kind>) -> Self {
        Self {
            accepts,
            opens,
            events: VecDeque::new(),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = FromHandler;
    type InboundProtocol = Kinds;
    type OutboundProtocol = Kinds;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Kinds> {
        SubstreamProtocol::new(Kinds(self.accepts.clone()), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Kinds, (), FromHandler>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        match self.opens.pop() {
            Some(kind) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(Kinds(vec![kind]), ()),
            }),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Kinds, Kinds>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (kind, stream),
                ..
            }) => {
                // Only the first of a kind; another one is dropped, and so reset.
                if let Some(place) = self.accepts.iter().position(|accepted| *accepted == kind) {
                    self.accepts.swap_remove(place);
                    self.events
                        .push_back(FromHandler::Opened(kind, stream, false));
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (kind, stream),
                ..
            }) => self
                .events
                .push_back(FromHandler::Opened(kind, stream, true)),
            ConnectionEvent::DialUpgradeError(_) => self.events.push_back(FromHandler::Refused),
            _ => {}
        }
    }
}

/// The kinds of stream that may be opened; the upgrade tells which one it was.
#[derive(Clone, Debug)]
pub(crate) struct Kinds(Vec<Kind>);

#[derive(Clone, Debug)]
pub(crate) struct Named(Kind, StreamProtocol);

impl AsRef<str> for Named {
    fn as_ref(&self) -> &str {
        self.1.as_ref()
    }
}

impl UpgradeInfo for Kinds {
    type Info = Named;
    type InfoIter = std::vec::IntoIter<Named>;

    fn protocol_info(&self) -> Self::InfoIter {
        let named = self.0.iter().map(|kind| Named(*kind, kind.protocol()));
        named.collect::<Vec<_>>().into_iter()
    }
}

impl InboundUpgrade<Stream> for Kinds {
    type Output = (Kind, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, Named(kind, _): Named) -> Self::Future {
        ready(Ok((kind, stream)))
    }
}

impl OutboundUpgrade<Stream> for Kinds {
    type Output = (Kind, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, Named(kind, _): Named) -> Self::Future {
        ready(Ok((kind, stream)))
    }
}
