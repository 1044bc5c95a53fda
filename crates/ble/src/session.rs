//! One link while it is up: packets between a channel and the node.

use std::io;

use chappe_link::{Bearer, LinkEnd, LinkInfo, PacketSink, PacketSource, TransportEvent, link};
use tokio::sync::mpsc;

use crate::packets::Packets;
use crate::{LinkKey, Side, Token};

/// Bytes of the node's packets that may wait for the radio.
const QUEUE_LEN: usize = 16 * 1024;

/// What a session tells the station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    pub(crate) key: LinkKey,
    pub(crate) bytes: usize,
}

/// Runs a link until either side closes it.
pub(crate) async fn run(
    channel: &impl Packets,
    key: LinkKey,
    token: Token,
    side: Side,
    events: mpsc::Sender<TransportEvent>,
    carried: mpsc::Sender<Carried>,
) -> io::Result<()> {
    let mtu = channel.mtu();
    let (up, LinkEnd { mut source, sink }) = link(LinkInfo {
        bearer: Bearer::new(channel.bearer()),
        mtu,
        initiator: side == Side::Dialled,
        reliable: channel.reliable(),
        label: token.to_string(),
        queue: (QUEUE_LEN / mtu.max(1)).clamp(4, 64),
    });
    if events.send(TransportEvent::LinkUp(up)).await.is_err() {
        return Ok(());
    }
    let count = |bytes| {
        // Only a hint: when the station is busy it is left out.
        let _ = carried.try_send(Carried { key, bytes });
    };
    tokio::select! {
        ended = receive(channel, &sink, &count) => ended,
        ended = send(channel, &mut source, &count) => ended,
    }
}

/// Returns when the other end has closed the channel, or the node has no use for packets any more.
async fn receive(
    channel: &impl Packets,
    sink: &PacketSink,
    count: &impl Fn(usize),
) -> io::Result<()> {
    loop {
        let packet = tokio::select! {
            packet = channel.recv() => packet?,
            () = sink.closed() => return Ok(()),
        };
        let Some(packet) = packet else { return Ok(()) };
        count(packet.len());
        // Too long or empty ones were not agreed upon; the hop does without.
        let _ = sink.deliver(packet).await;
    }
}

/// Returns when the node has closed the link and its last packet was handed to the radio.
async fn send(
    channel: &impl Packets,
    source: &mut PacketSource,
    count: &impl Fn(usize),
) -> io::Result<()> {
    while let Some(packet) = source.next().await {
        channel.send(packet.bytes()).await?;
        count(packet.bytes().len());
    }
    Ok(())
}
