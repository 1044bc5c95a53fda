//! The control socket of a running node.

use std::io;
use std::path::Path;
use std::sync::Arc;

use chappe::{Chappe, MAX_FILE_LEN};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::answer::carry_out;
use super::protocol::{Answer, EventView, MAX_REQUEST_LINE, Request, Response};
use super::troubles::Troubles;

/// Connections at once.
const MAX_CONNECTIONS: usize = 32;

/// The listening socket.
pub(crate) struct Server {
    listener: UnixListener,
    node: Chappe,
    troubles: Troubles,
}

impl Server {
    /// Listens in the home `dir`, which this process has locked.
    pub(crate) fn bind(dir: &Path, node: Chappe, troubles: Troubles) -> io::Result<Self> {
        let listener = super::socket::listen(dir)?;
        Ok(Self {
            listener,
            node,
            troubles,
        })
    }

    /// Serves for ever.
    pub(crate) async fn serve(self) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let node = self.node.clone();
                    let troubles = self.troubles.clone();
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &node, &troubles).await {
                            tracing::debug!(%error, "control connection ended");
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "control socket");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn converse(stream: UnixStream, node: &Chappe, troubles: &Troubles) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let limit = MAX_REQUEST_LINE as u64;
        if (&mut reader)
            .take(limit)
            .read_until(b'\n', &mut line)
            .await?
            == 0
        {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            return refuse(&mut writer, "The request is too long.").await;
        }
        let request = match serde_json::from_slice(&line) {
            Ok(request) => request,
            Err(error) => {
                let sentence = format!("The request is not understood: {error}.");
                return refuse(&mut writer, &sentence).await;
            }
        };
        if matches!(request, Request::Troubles) {
            let answer = Answer::Troubles(troubles.list());
            write_line(&mut writer, &Response::Ok(answer)).await?;
            continue;
        }
        if matches!(request, Request::Follow) {
            return follow(reader, writer, node).await;
        }
        let mut attached = Vec::new();
        if let Request::SendFile { size, .. } = &request {
            if *size > MAX_FILE_LEN {
                return refuse(
                    &mut writer,
                    "The file is larger than 32 MiB; send a smaller one.",
                )
                .await;
            }
            (&mut reader)
                .take(*size as u64)
                .read_to_end(&mut attached)
                .await?;
            if attached.len() != *size {
                return Ok(());
            }
        }
        match carry_out(node, request, attached).await {
            Ok((answer, data)) => {
                write_line(&mut writer, &Response::Ok(answer)).await?;
                writer.write_all(&data).await?;
            }
            Err(sentence) => write_line(&mut writer, &Response::Error(sentence)).await?,
        }
    }
}

/// Streams events until the client goes away or the node stops.
async fn follow(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    node: &Chappe,
) -> io::Result<()> {
    let mut events = node.events();
    write_line(&mut writer, &Response::Ok(Answer::Following)).await?;
    let mut nothing = [0];
    loop {
        tokio::select! {
            update = events.next() => match update {
                Some(update) => write_line(&mut writer, &EventView::from(update)).await?,
                None => return Ok(()),
            },
            _ = reader.read(&mut nothing) => return Ok(()),
        }
    }
}

async fn refuse(writer: &mut (impl AsyncWrite + Unpin), sentence: &str) -> io::Result<()> {
    write_line(writer, &Response::Error(sentence.to_owned())).await
}

async fn write_line(
    writer: &mut (impl AsyncWrite + Unpin),
    value: &impl serde::Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line).await
}
