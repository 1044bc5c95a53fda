//! From a channel to a link that both ends have greeted each other on.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use crate::packets::Packets;
use crate::{Greeting, Token};

/// A channel, and who is at its ends.
pub(crate) struct Greeted<P> {
    pub(crate) channel: P,
    pub(crate) token: Token,
    pub(crate) own: Token,
}

/// Greets whom this node connected to, and waits for the answer.
///
/// # Errors
/// Why there was none. The channel is closed.
pub(crate) async fn greet<P: Packets>(
    channel: P,
    own: Token,
    token: Token,
    limit: Duration,
) -> Result<Greeted<P>, String> {
    let greeting = Greeting {
        from: own,
        to: token,
    };
    let greeted = async {
        channel.send(&greeting.encode()).await?;
        read(&channel).await
    };
    let answer = answered(limit, greeted).await?;
    if answer.to != own {
        return Err("the neighbour greets somebody else".to_owned());
    }
    Ok(Greeted {
        channel,
        token: answer.from,
        own,
    })
}

/// The greeting that comes first on a channel.
///
/// # Errors
/// When something else comes, or the other end closes.
pub(crate) async fn read(channel: &impl Packets) -> io::Result<Greeting> {
    let packet = channel.recv().await?;
    let packet = packet.ok_or(io::ErrorKind::ConnectionReset)?;
    Greeting::decode(&packet).map_err(io::Error::other)
}

/// Waits for a part of greeting, but not for ever.
///
/// # Errors
/// Why it did not happen.
pub(crate) async fn answered<T>(
    limit: Duration,
    exchange: impl Future<Output = io::Result<T>>,
) -> Result<T, String> {
    match timeout(limit, exchange).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("the greeting failed: {error}")),
        Err(_) => Err("there was no greeting".to_owned()),
    }
}
