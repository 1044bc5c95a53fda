//! Requests of the commands: to the node that runs on the home, or else to one that is started for the
//! moment, without radios.

use std::io;
use std::path::Path;

use chappe::{Builder, Chappe, Home, HomeError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::answer::carry_out;
use super::protocol::{Answer, EventView, Request, Response};
use crate::cli::Place;
use crate::failure::{Failure, io, start_failure};
use crate::passphrase;

/// A way to a node.
pub(crate) enum Session {
    /// The node that runs on the home.
    Daemon(Connection),
    /// A node for the moment.
    Direct(Chappe),
}

impl Session {
    /// Finds the node of the home.
    pub(crate) async fn open(place: &Place) -> Result<Self, Failure> {
        let dir = place.dir()?;
        if let Some(connection) = Connection::open(&dir).await? {
            return Ok(Self::Daemon(connection));
        }
        let home = match open_home(place) {
            Ok(home) => home,
            // A node that is just starting or stopping has the lock, but no socket: one more look.
            Err(OpenHome::InUse(failure)) => {
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                match Connection::open(&dir).await? {
                    Some(connection) => return Ok(Self::Daemon(connection)),
                    None => open_home(place).map_err(|_| failure)?,
                }
            }
            Err(OpenHome::Failed(failure)) => return Err(failure),
        };
        let started = Builder::at(home).start().await;
        let (node, _events) = started.map_err(|error| start_failure(error, &dir))?;
        Ok(Self::Direct(node))
    }

    /// Asks, and takes the answer.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Answer, Failure> {
        Ok(self.ask_with(request, Vec::new()).await?.0)
    }

    /// Asks with a file, and takes the answer and its file.
    pub(crate) async fn ask_with(
        &mut self,
        request: Request,
        attached: Vec<u8>,
    ) -> Result<(Answer, Vec<u8>), Failure> {
        match self {
            Self::Daemon(connection) => connection.ask(&request, &attached).await,
            Self::Direct(node) => carry_out(node, request, attached)
                .await
                .map_err(Failure::new),
        }
    }

    /// Ends the session; a node for the moment is closed.
    pub(crate) async fn close(self) {
        if let Self::Direct(node) = self {
            node.close().await;
        }
    }
}

/// A connection to a running node.
pub(crate) struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Connection {
    /// Connects to the node that runs on the home in `dir`; `None` if none does.
    pub(crate) async fn open(dir: &Path) -> Result<Option<Self>, Failure> {
        match super::socket::connect(dir).await {
            Ok(stream) => Ok(Some(Self::new(stream))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(io(format!(
                "The node in {} cannot be reached",
                dir.display()
            ))(error)),
        }
    }

    /// Asks, and takes the answer and its file.
    pub(crate) async fn ask(
        &mut self,
        request: &Request,
        attached: &[u8],
    ) -> Result<(Answer, Vec<u8>), Failure> {
        let mut line = serde_json::to_vec(request).map_err(|error| gone(error.into()))?;
        line.push(b'\n');
        self.writer.write_all(&line).await.map_err(gone)?;
        // A node that refuses a file may stop reading it; its answer tells why.
        let _ = self.writer.write_all(attached).await;
        let response: Response = self.read_line().await?.ok_or_else(|| gone(no_answer()))?;
        let answer = match response {
            Response::Ok(answer) => answer,
            Response::Error(sentence) => return Err(Failure::new(sentence)),
        };
        let mut data = Vec::new();
        if let Answer::File { size } = &answer {
            let mut limited = (&mut self.reader).take(*size as u64);
            limited.read_to_end(&mut data).await.map_err(gone)?;
            if data.len() != *size {
                return Err(gone(no_answer()));
            }
        }
        Ok((answer, data))
    }

    /// Asks for the events from now on.
    pub(crate) async fn follow(&mut self) -> Result<(), Failure> {
        self.ask(&Request::Follow, &[]).await.map(|_| ())
    }

    /// The next event; `None` once the node has stopped.
    pub(crate) async fn event(&mut self) -> Result<Option<EventView>, Failure> {
        self.read_line().await
    }

    fn new(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: BufReader::new(reader),
            writer,
        }
    }

    async fn read_line<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, Failure> {
        let mut line = Vec::new();
        self.reader
            .read_until(b'\n', &mut line)
            .await
            .map_err(gone)?;
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&line)
            .map(Some)
            .map_err(|_| Failure::new("The running node is of another version; restart it."))
    }
}

enum OpenHome {
    InUse(Failure),
    Failed(Failure),
}

fn open_home(place: &Place) -> Result<Home, OpenHome> {
    let dir = place.dir().map_err(OpenHome::Failed)?;
    let passphrase = passphrase::for_home(&dir, place).map_err(OpenHome::Failed)?;
    Home::open(&dir, passphrase).map_err(|error| {
        if matches!(error, HomeError::InUse(_)) {
            OpenHome::InUse(error.into())
        } else {
            OpenHome::Failed(error.into())
        }
    })
}

fn gone(error: io::Error) -> Failure {
    io("The node stopped before it answered")(error)
}

fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "no answer")
}
