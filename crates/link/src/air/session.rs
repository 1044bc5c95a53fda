//! One link of the air while it is up: packets between a stream socket and a node.

use std::io;

use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};

use crate::fault::{Faults, LinkGone, Outlet, pump};
use crate::{Bearer, LinkEnd, LinkInfo, MAX_QUEUE, PacketSink, TransportEvent, link};

use super::dial::{Greeted, send_hello};
use super::hello::AirHello;
use super::packet::{PacketDecoder, encode_packet};
use super::settings::Conditions;

/// How much is read at once.
const READ_LEN: usize = 16 * 1024;
/// How much may wait for a link without a limit to its rate.
const QUEUE_LEN: usize = 64 * 1024;
/// How long what waits takes to leave, where the rate is limited. Long enough that the sender can refill the
/// queue while it empties, short enough that what is urgent leaves soon.
const QUEUE_MILLIS: u64 = 50;

/// What a session is set up with.
pub(super) struct Setup {
    pub(super) ours: AirHello,
    pub(super) conditions: Conditions,
    pub(super) faults: watch::Receiver<Faults>,
    pub(super) rng: ChaCha8Rng,
    pub(super) events: mpsc::Sender<TransportEvent>,
}

/// Runs a link until it is closed on either side. Dropped, it takes the link down at once.
pub(super) async fn run(mut greeted: Greeted, setup: Setup) {
    let initiator = greeted.ours.is_some();
    if !initiator && send_hello(&mut greeted.stream, &setup.ours).await.is_none() {
        return;
    }
    let mtu = setup.ours.mtu.min(greeted.hello.mtu).bytes();
    let (up, LinkEnd { source, sink }) = link(LinkInfo {
        bearer: Bearer::new("air"),
        mtu,
        initiator,
        reliable: false,
        label: greeted.hello.name.to_string(),
        queue: queue(&setup.conditions, mtu),
    });
    if setup.events.send(TransportEvent::LinkUp(up)).await.is_err() {
        return;
    }
    let mut decoder = greeted.decoder;
    decoder.set_limit(mtu);
    let (from, to) = greeted.stream.into_split();
    tokio::select! {
        ended = receive(from, decoder, sink) => {
            if let Err(error) = ended {
                tracing::debug!(peer = %greeted.hello.name, %error, "a link of the air broke");
            }
        }
        // Ends when the node has closed the link and its last packet was written.
        () = pump(source, Socket { to }, setup.faults, setup.rng) => {}
    }
}

/// Returns when the other end has closed the link, or has sent what is no packet.
async fn receive(
    mut from: OwnedReadHalf,
    mut decoder: PacketDecoder,
    sink: PacketSink,
) -> io::Result<()> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        while let Some(packet) = decoder.next_packet().map_err(io::Error::other)? {
            // A node that has dropped its receiver may still send; what arrives is thrown away then.
            let _ = sink.deliver(packet).await;
        }
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        decoder.push(buffer.get(..length).unwrap_or_default());
    }
}

struct Socket {
    to: OwnedWriteHalf,
}

impl Outlet for Socket {
    async fn put(&mut self, packet: Vec<u8>) -> Result<(), LinkGone> {
        let bytes = encode_packet(&packet).map_err(|_| LinkGone)?;
        self.to.write_all(&bytes).await.map_err(|_| LinkGone)
    }

    /// Never returns: the reading side notices.
    async fn gone(&self) {
        std::future::pending().await
    }
}

fn queue(conditions: &Conditions, mtu: usize) -> usize {
    let bytes = conditions.faults.rate.limit().map_or(QUEUE_LEN, |rate| {
        let bytes = rate.get().saturating_mul(QUEUE_MILLIS) / 1_000;
        usize::try_from(bytes).unwrap_or(QUEUE_LEN).min(QUEUE_LEN)
    });
    (bytes / mtu.max(1)).clamp(2, MAX_QUEUE)
}
