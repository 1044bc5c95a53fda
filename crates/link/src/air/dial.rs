//! Greetings: how two nodes of the air open a link, before it is one.
//!
//! The node whose name sorts first connects and says who it is. The other checks that they hear each other and
//! have no link, and answers in the same way, or closes.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::folder::Folder;
use super::hello::{AirHello, MAX_HELLO_LEN};
use super::name::NodeName;
use super::packet::{PacketDecoder, encode_packet};

/// How long a greeting may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stream whose other end has said who it is.
pub(super) struct Greeted {
    pub(super) stream: UnixStream,
    pub(super) hello: AirHello,
    /// What arrived behind the hello.
    pub(super) decoder: PacketDecoder,
    /// Our hello: sent before, or still to be sent as the answer.
    pub(super) ours: Option<AirHello>,
}

/// Connects to `peer`. `None` if it does not answer, or does not want a link now. What a dead node left behind
/// is removed.
pub(super) async fn dial(folder: &Folder, peer: &NodeName, ours: AirHello) -> Option<Greeted> {
    let greeting = async {
        let mut stream = match folder.connect(peer).await {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                if let Err(error) = folder.bury(peer).await {
                    tracing::debug!(%peer, %error, "the socket of a dead node stays");
                }
                return None;
            }
            Err(_) => return None,
        };
        send_hello(&mut stream, &ours).await?;
        let (hello, decoder) = read_hello(&mut stream).await?;
        let expected = hello.name == *peer;
        expected.then_some(Greeted {
            stream,
            hello,
            decoder,
            ours: Some(ours),
        })
    };
    timeout(PATIENCE, greeting).await.ok().flatten()
}

/// Waits for the hello of someone who has connected.
pub(super) async fn listen(mut stream: UnixStream) -> Option<Greeted> {
    let greeting = async {
        let (hello, decoder) = read_hello(&mut stream).await?;
        Some(Greeted {
            stream,
            hello,
            decoder,
            ours: None,
        })
    };
    timeout(PATIENCE, greeting).await.ok().flatten()
}

/// Sends our hello. `None` if the other end is gone.
pub(super) async fn send_hello(stream: &mut UnixStream, ours: &AirHello) -> Option<()> {
    let bytes = encode_packet(&ours.encode()).ok()?;
    stream.write_all(&bytes).await.ok()
}

async fn read_hello(stream: &mut UnixStream) -> Option<(AirHello, PacketDecoder)> {
    let mut decoder = PacketDecoder::new(MAX_HELLO_LEN);
    let mut buffer = [0; 256];
    loop {
        if let Some(packet) = decoder.next_packet().ok()? {
            return Some((AirHello::decode(&packet)?, decoder));
        }
        let length = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|length| *length > 0)?;
        decoder.push(buffer.get(..length)?);
    }
}
