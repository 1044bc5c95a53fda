//! What runs on a stream: packets of a hop behind their lengths, or rosters.

use std::io;
use std::time::Duration;

use chappe_link::air::{PacketDecoder, encode_packet};
use chappe_link::{LinkEnd, PacketSink, PacketSource};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::key::MemberKey;
use crate::roster::{MAX_ROSTER_LEN, Roster};

/// How much is read at once.
const READ_LEN: usize = 32 * 1024;
/// Packets are written together until they are so long: what fits into a frame of yamux.
const WRITE_LEN: usize = 16 * 1024;
/// How often the owner tells its members that it is there, even if nobody came or went.
const BEAT: Duration = Duration::from_secs(5);
/// How long a member waits for the owner's next word.
const SILENCE: Duration = Duration::from_secs(20);
/// How long the other end may take to read the last packets of a link.
const LINGER: Duration = Duration::from_millis(500);
/// The first bytes of a roster: its length.
const PREFIX_LEN: usize = 2;

/// Carries the packets of a link until it is closed on either side.
///
/// # Errors
/// What the connection failed with, or what the neighbour sent that is no packet.
pub(crate) async fn packets<S>(stream: S, end: LinkEnd, mtu: usize) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (from, to) = stream.split();
    tokio::select! {
        ended = receive(from, end.sink, mtu) => ended,
        ended = send(end.source, to) => ended,
    }
}

async fn receive<R: AsyncRead + Unpin>(
    mut from: R,
    sink: PacketSink,
    mtu: usize,
) -> io::Result<()> {
    let mut decoder = PacketDecoder::new(mtu);
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

/// Returns a while after the node has closed the link: a connection that is closed takes with it what the other end
/// has not read yet, so the other end closes first.
async fn send<W: AsyncWrite + Unpin>(mut source: PacketSource, mut to: W) -> io::Result<()> {
    while let Some(packet) = source.next().await {
        // What waits goes along: small packets share a frame of yamux, and a segment of TCP.
        let mut bytes = encode_packet(packet.bytes()).map_err(io::Error::other)?;
        let mut leaving = vec![packet];
        while bytes.len() < WRITE_LEN
            && let Some(packet) = source.try_next()
        {
            bytes.extend(encode_packet(packet.bytes()).map_err(io::Error::other)?);
            leaving.push(packet);
        }
        to.write_all(&bytes).await?;
        to.flush().await?;
        drop(leaving);
    }
    to.close().await?;
    sleep(LINGER).await;
    Ok(())
}

/// The owner's end: learns where the member listens, and tells it of the others until one of the two is gone.
///
/// ```text
///  member -> owner, once          owner -> member, at each change and each beat
///  0              32     34       0        2
/// +--------------+------+        +--------+------------------+
/// | key          | port |        | length | Roster::to_bytes |
/// +--------------+------+        +--------+------------------+
/// ```
/// Numbers have 16 bits, big-endian.
///
/// # Errors
/// What the connection failed with.
pub(crate) async fn tell_roster<S>(
    mut stream: S,
    listens: impl AsyncFnOnce(MemberKey, u16),
    mut roster: watch::Receiver<Roster>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut key, mut port) = ([0; 32], [0; 2]);
    timeout(SILENCE, async {
        stream.read_exact(&mut key).await?;
        stream.read_exact(&mut port).await
    })
    .await??;
    let key = MemberKey::new(key);
    listens(key, u16::from_be_bytes(port)).await;
    loop {
        let bytes = roster.borrow_and_update().without(&key).to_bytes();
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        if let Ok(Err(_)) = timeout(BEAT, roster.changed()).await {
            return Ok(());
        }
    }
}

/// A member's end: says where it listens, and hears of the others until the owner falls silent.
///
/// # Errors
/// What the connection failed with, or what the owner sent that is no roster.
pub(crate) async fn hear_roster<S>(
    mut stream: S,
    key: MemberKey,
    port: u16,
    heard: &mpsc::Sender<Roster>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(key.as_bytes()).await?;
    stream.write_all(&port.to_be_bytes()).await?;
    stream.flush().await?;
    let mut bytes = [0; MAX_ROSTER_LEN];
    loop {
        let mut prefix = [0; PREFIX_LEN];
        timeout(SILENCE, stream.read_exact(&mut prefix)).await??;
        let length = usize::from(u16::from_be_bytes(prefix));
        let told = bytes
            .get_mut(..length)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        timeout(SILENCE, stream.read_exact(told)).await??;
        let roster = Roster::parse(told).map_err(io::Error::other)?;
        if heard.send(roster).await.is_err() {
            return Ok(());
        }
    }
}
