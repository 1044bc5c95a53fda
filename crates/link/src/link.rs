//! A link: what it is called, how much it carries, and its two ends.

use std::borrow::Cow;
use std::fmt;

use crate::incoming::{self, LinkReceiver, PacketSink};
use crate::outgoing::{self, LinkSender, PacketSource};

/// The smallest MTU of a link: what Bluetooth LE 4.0 carries in one notification (ATT_MTU 23 less 3).
pub const MIN_MTU: usize = 20;
/// The largest MTU of a link.
pub const MAX_MTU: usize = 65_535;
/// The most packets that may be outstanding on one link, in each direction.
pub const MAX_QUEUE: usize = 1_024;

/// Makes a link: the node's end, and the end that its transport keeps.
///
/// The MTU is moved into [`MIN_MTU`]..=[`MAX_MTU`], the queue into 1..=[`MAX_QUEUE`]. In each direction at most
/// `queue` packets of at most `mtu` bytes are held.
///
/// ```
/// use chappe_link::{Bearer, LinkInfo, link};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut node, mut radio) = link(LinkInfo {
///     bearer: Bearer::new("wire"),
///     mtu: 185,
///     initiator: true,
///     reliable: true,
///     label: "the neighbour".into(),
///     queue: 4,
/// });
/// let mut drains = node.outgoing.drains();
///
/// node.outgoing.try_send(vec![1, 2, 3]).unwrap();
/// let packet = radio.source.next().await.unwrap();
/// assert_eq!(packet.bytes(), [1, 2, 3]);
/// drop(packet); // it has left the machine
/// assert_eq!(drains.next().await, Some(1));
///
/// radio.sink.deliver(vec![4]).await.unwrap();
/// assert_eq!(node.incoming.recv().await, Some(vec![4]));
/// drop(radio); // the link is down
/// assert_eq!(node.incoming.recv().await, None);
/// # });
/// ```
pub fn link(mut info: LinkInfo) -> (LinkUp, LinkEnd) {
    info.mtu = info.mtu.clamp(MIN_MTU, MAX_MTU);
    info.queue = info.queue.clamp(1, MAX_QUEUE);
    let (outgoing, source) = outgoing::channel(&info);
    let (sink, incoming) = incoming::channel(&info);
    let up = LinkUp {
        info,
        outgoing,
        incoming,
    };
    (up, LinkEnd { source, sink })
}

/// A link as it comes up: the node's end.
///
/// It is down once [`LinkReceiver::recv`] returns `None`. Dropping both halves closes it: packets that the
/// sender took before still leave, if the neighbour takes them.
#[derive(Debug)]
pub struct LinkUp {
    /// What the link is.
    pub info: LinkInfo,
    /// Packets to the neighbour.
    pub outgoing: LinkSender,
    /// Packets from the neighbour.
    pub incoming: LinkReceiver,
}

/// The end of a link that its transport keeps. Dropping it takes the link down.
#[derive(Debug)]
pub struct LinkEnd {
    /// Packets that the node sends.
    pub source: PacketSource,
    /// Where packets for the node go.
    pub sink: PacketSink,
}

/// What is known of a link when it comes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// What carries it.
    pub bearer: Bearer,
    /// The longest packet, in bytes: [`MIN_MTU`] to [`MAX_MTU`].
    pub mtu: usize,
    /// True on the side that opened the link; exactly one side did.
    pub initiator: bool,
    /// True if the link delivers what the node hands to it, in order, or goes down: the other end, if it is late with an
    /// acknowledgement, is then asked before anything is sent again. A link that says so and loses something now and then,
    /// because a queue on the way is full, costs a timeout and a round trip where the loss is not followed by others. A radio that loses packets
    /// as a matter of course says false. It is about this direction only.
    pub reliable: bool,
    /// What the transport calls the neighbour. For people; kept in memory only.
    pub label: String,
    /// How many packets the sender may have outstanding: 1 to [`MAX_QUEUE`].
    pub queue: usize,
}

/// The name of what carries a link, for people and for metrics: `air`, for example.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bearer(Cow<'static, str>);

impl Bearer {
    /// The bearer of this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
