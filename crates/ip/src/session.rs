//! A station at work: one task that owns libp2p's swarm, and one task for each stream.

use std::collections::BTreeMap;
use std::net::SocketAddrV6;
use std::time::Duration;

use chappe_link::{Bearer, LinkInfo, StartError, StopSignal, TransportEvent, link};
use futures::StreamExt as _;
use libp2p::connection_limits::ConnectionLimits;
use libp2p::core::Transport as _;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::upgrade::Version;
use libp2p::identity::PeerId;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{NetworkBehaviour, Stream, Swarm, SwarmEvent};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::carry;
use crate::dials::Dials;
use crate::key::MemberKey;
use crate::roster::{MAX_MEMBERS, Member, Roster};
use crate::station::{MTU, Rendezvous, Role, Station};
use crate::streams::{Kind, Opened, Streams};
use crate::tcp::{BoundTcp, multiaddr, socket_address};

/// How long a connection may take until it is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(8);
/// How long a connection may be without a stream.
const IDLE: Duration = Duration::from_secs(8);
/// How long links may take to send what their nodes have left, when the station stops.
const LINGER: Duration = Duration::from_millis(800);
/// How often it looks whom to dial.
const TICK: Duration = Duration::from_millis(250);
/// Connections that are being made, at most, in each direction.
const MAX_PENDING: u32 = MAX_MEMBERS as u32;
/// Streams of one connection, at most: two are used.
const MAX_STREAMS: usize = 4;
/// Packets of one link that may be outstanding.
const QUEUE: usize = 8;
/// Words of members and owners that wait for the session.
const NEWS: usize = 16;

pub(crate) struct Session {
    swarm: Swarm<Behaviour>,
    events: mpsc::Sender<TransportEvent>,
    me: PeerId,
    here: Rendezvous,
    owner: Option<PeerId>,
    interface: String,
    bearer: Bearer,
    dials: Dials,
    links: BTreeMap<PeerId, AbortHandle>,
    tasks: JoinSet<PeerId>,
    /// What the owner tells its members.
    roster: watch::Sender<Roster>,
    members: BTreeMap<PeerId, Member>,
    reports: mpsc::Sender<Report>,
    reported: mpsc::Receiver<Report>,
}

/// What the task of a stream tells.
enum Report {
    /// At the owner: a member listens there.
    Listens(PeerId, Member),
    /// At a member: who else is there.
    Others(Roster),
}

#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
struct Behaviour {
    limits: libp2p::connection_limits::Behaviour,
    streams: Streams,
}

impl Session {
    pub(crate) fn new(
        station: Station,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<Self, StartError> {
        let here = station.rendezvous();
        let pair = station.key.pair();
        let me = pair.public().to_peer_id();
        let owner = match station.role {
            Role::Owner => None,
            Role::Member(owner) => Some((peer_of(&owner.key)?, owner)),
        };
        let bearer = station.bearer;
        let interface = station.sockets.interface_name().to_owned();
        let noise = libp2p::noise::Config::new(pair).map_err(|error| {
            StartError::Unavailable(format!("the group's key cannot be used: {error}"))
        })?;
        let mut yamux = libp2p::yamux::Config::default();
        yamux.set_max_num_streams(MAX_STREAMS);
        let upgraded = BoundTcp::new(station.sockets, station.listener)
            .upgrade(Version::V1Lazy)
            .authenticate(noise)
            .multiplex(yamux)
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        let behaviour = Behaviour {
            limits: libp2p::connection_limits::Behaviour::new(limits()),
            streams: Streams::new(owner.map(|(peer, _)| peer)),
        };
        let config =
            libp2p::swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
        let transport = TransportTimeout::new(upgraded, HANDSHAKE).boxed();
        let mut swarm = Swarm::new(transport, behaviour, me, config);
        let listens = SocketAddrV6::new(here.address, here.port, 0, 0);
        swarm
            .listen_on(multiaddr(&interface, listens))
            .map_err(|error| StartError::Unavailable(format!("libp2p does not listen: {error}")))?;
        let mut dials = Dials::default();
        if let Some((peer, owner)) = owner {
            let address = SocketAddrV6::new(owner.address, owner.port, 0, 0);
            dials.add(Instant::now(), peer, address);
        }
        let (reports, reported) = mpsc::channel(NEWS);
        Ok(Self {
            swarm,
            events,
            me,
            here,
            owner: owner.map(|(peer, _)| peer),
            interface,
            bearer,
            dials,
            links: BTreeMap::new(),
            tasks: JoinSet::new(),
            roster: watch::Sender::new(Roster::default()),
            members: BTreeMap::new(),
            reports,
            reported,
        })
    }

    /// Takes part in the group until it is told to stop, or nobody listens any more.
    pub(crate) async fn run(mut self, mut stop: StopSignal) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.events.clone();
        loop {
            tokio::select! {
                () = stop.signalled() => break,
                () = events.closed() => break,
                event = self.swarm.select_next_some() => self.swarm_event(event).await,
                Some(report) = self.reported.recv() => self.report(report),
                Some(ended) = self.tasks.join_next() => {
                    // A task that was aborted or has panicked does not say whose it was; its stream is closed.
                    if let Ok(peer) = ended {
                        self.stream_ended(peer);
                    }
                }
                _ = tick.tick() => self.dial(),
            }
        }
        self.close().await;
    }

    /// Lets links send what their nodes have left, and closes their connections.
    async fn close(mut self) {
        let _ = timeout(LINGER, self.say_goodbye()).await;
        self.tasks.shutdown().await;
    }

    async fn say_goodbye(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        loop {
            // Streams move only while the swarm is polled, and a connection that is closed sends all it has.
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    if let SwarmEvent::ConnectionClosed { peer_id, .. } = event {
                        links.remove(&peer_id);
                    }
                }
                Some(ended) = self.tasks.join_next() => {
                    if let Ok(peer) = ended {
                        self.stream_ended(peer);
                    }
                }
            }
            if links.is_empty() {
                return;
            }
        }
    }

    async fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Streams(opened)) => self.opened(opened).await,
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                self.dials.connected(now, &peer_id);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.dials.disconnected(now, &peer_id);
                self.forget(&peer_id);
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, interface = self.interface, "a connection cannot be accepted");
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                tracing::debug!(%error, interface = self.interface, "a member cannot be reached");
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::debug!(%error, interface = self.interface, "somebody gave up");
            }
            _ => {}
        }
    }

    async fn opened(&mut self, opened: Opened) {
        match opened.kind {
            Kind::Hop => self.open_link(opened).await,
            Kind::Roster => self.open_roster(opened),
        }
    }

    async fn open_link(&mut self, opened: Opened) {
        let Opened {
            peer,
            stream,
            dialler,
            ..
        } = opened;
        let (up, end) = link(LinkInfo {
            bearer: self.bearer.clone(),
            mtu: MTU,
            initiator: dialler,
            // TCP repairs what is lost, and ends if it cannot.
            reliable: true,
            label: label(&peer),
            queue: QUEUE,
        });
        let told = self.events.send(TransportEvent::LinkUp(up)).await;
        if told.is_err() {
            return;
        }
        let task = self.tasks.spawn(async move {
            if let Err(error) = carry::packets(stream, end, MTU).await {
                tracing::debug!(%error, "a link of the group broke");
            }
            peer
        });
        if let Some(before) = self.links.insert(peer, task) {
            before.abort();
        }
    }

    fn open_roster(&mut self, opened: Opened) {
        let (peer, reports) = (opened.peer, self.reports.clone());
        if opened.dialler {
            let (key, port) = (self.here.key, self.here.port);
            self.tasks.spawn(async move {
                hear(opened.stream, key, port, reports).await;
                peer
            });
        } else {
            let Some(from) = socket_address(&opened.remote) else {
                return;
            };
            let roster = self.roster.subscribe();
            self.tasks.spawn(async move {
                tell(opened.stream, peer, from, roster, reports).await;
                peer
            });
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Listens(peer, member) => {
                let room = self.members.len() < MAX_MEMBERS || self.members.contains_key(&peer);
                if room && self.swarm.is_connected(&peer) {
                    self.members.insert(peer, member);
                    self.tell_members();
                }
            }
            Report::Others(roster) => {
                let others = roster.members().iter().filter_map(|member| {
                    let peer = member.key.peer()?;
                    // Of two members, the one whose name sorts first dials.
                    (self.me < peer).then(|| (peer, member.socket_address()))
                });
                let others = others.collect();
                self.dials.want(Instant::now(), self.owner, &others);
                self.dial();
            }
        }
    }

    fn tell_members(&self) {
        let roster = Roster::new(self.members.values().copied());
        self.roster.send_if_modified(|told| {
            let changed = *told != roster;
            *told = roster;
            changed
        });
    }

    fn dial(&mut self) {
        for (peer, address) in self.dials.due(Instant::now()) {
            let address = multiaddr(&self.interface, address);
            let options = DialOpts::peer_id(peer).addresses(vec![address]).build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%error, "a member is not dialled");
            }
        }
    }

    /// A connection whose link or roster has ended is made anew: libp2p closes it, and whoever dialled it dials.
    fn stream_ended(&mut self, peer: PeerId) {
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    fn forget(&mut self, peer: &PeerId) {
        // Its task ends by itself, once the node has taken what arrived before.
        self.links.remove(peer);
        if self.members.remove(peer).is_some() {
            self.tell_members();
        }
    }
}

async fn hear(stream: Stream, key: MemberKey, port: u16, reports: mpsc::Sender<Report>) {
    let (heard, mut rosters) = mpsc::channel(1);
    let pass_on = async {
        while let Some(roster) = rosters.recv().await {
            if reports.send(Report::Others(roster)).await.is_err() {
                return;
            }
        }
    };
    let listen = async {
        if let Err(error) = carry::hear_roster(stream, key, port, &heard).await {
            tracing::debug!(%error, "the owner of the group is not heard any more");
        }
    };
    tokio::select! {
        () = pass_on => {}
        () = listen => {}
    }
}

async fn tell(
    stream: Stream,
    peer: PeerId,
    from: SocketAddrV6,
    roster: watch::Receiver<Roster>,
    reports: mpsc::Sender<Report>,
) {
    let listens = async |key: MemberKey, port| {
        // Nobody can put another one's key on the roster.
        if key.peer() == Some(peer) {
            let address = *from.ip();
            let member = Member { key, address, port };
            let _ = reports.send(Report::Listens(peer, member)).await;
        }
    };
    if let Err(error) = carry::tell_roster(stream, listens, roster).await {
        tracing::debug!(%error, "a member is not heard any more");
    }
}

fn limits() -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING))
        .with_max_pending_outgoing(Some(MAX_PENDING))
        .with_max_established_incoming(Some(MAX_MEMBERS as u32))
        .with_max_established(Some(2 * MAX_MEMBERS as u32))
        .with_max_established_per_peer(Some(1))
}

fn peer_of(key: &MemberKey) -> Result<PeerId, StartError> {
    key.peer()
        .ok_or_else(|| StartError::Setting("the owner's key is no Ed25519 key".to_owned()))
}

/// The end of the peer's name: enough for people, within one group.
fn label(peer: &PeerId) -> String {
    let name = peer.to_base58();
    name.chars().skip(name.len().saturating_sub(8)).collect()
}
