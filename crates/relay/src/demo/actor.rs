//! One process of the play.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::stage::Heard;
use crate::control::client::Connection;
use crate::control::protocol::{
    Answer, CarriedView, IncomingView, OutgoingView, Request, StatusView,
};
use crate::failure::{Failure, io};

/// How long a process may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running node of the play.
pub(crate) struct Actor {
    /// Who it is; also its name in the air.
    pub(crate) name: &'static str,
    /// Its home.
    pub(crate) home: PathBuf,
    child: Child,
    process: u32,
    connection: Connection,
}

impl Actor {
    /// Starts a node on the home `folder/name` in the air `folder/air`. What happens to it goes to `heard`.
    pub(crate) async fn start(
        folder: &Path,
        name: &'static str,
        capture: Option<&Path>,
        heard: mpsc::Sender<Heard>,
    ) -> Result<Self, Failure> {
        let home = folder.join(name);
        let program = std::env::current_exe().map_err(io("This program cannot find itself"))?;
        let log =
            File::create(folder.join(format!("{name}.log"))).map_err(io("No log can be made"))?;
        let mut radio = std::ffi::OsString::from("air:");
        radio.push(folder.join("air"));
        let mut command = Command::new(program);
        command
            .arg("--home")
            .arg(&home)
            .args(["-v", "run", "--radio"])
            .arg(radio);
        if let Some(capture) = capture {
            command.arg("--relay").arg("--capture").arg(capture);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // If the demo is interrupted, its processes end with it.
            .kill_on_drop(true)
            .spawn()
            .map_err(io(format!("The process of {name} cannot be started")))?;
        let process = child.id().unwrap_or_default();
        let connection = connect(&home, name, &mut child).await?;
        let mut events = connect(&home, name, &mut child).await?;
        events.follow().await?;
        tokio::spawn(async move {
            while let Ok(Some(event)) = events.event().await {
                if heard.send(Heard { who: name, event }).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            name,
            home,
            child,
            process,
            connection,
        })
    }

    /// The id of the process.
    pub(crate) const fn process(&self) -> u32 {
        self.process
    }

    /// Sends something; answers with its number.
    pub(crate) async fn send(&mut self, request: Request, file: &[u8]) -> Result<u64, Failure> {
        match self.connection.ask(&request, file).await?.0 {
            Answer::Accepted(id) => Ok(id),
            _ => Err(self.odd()),
        }
    }

    /// What it sent.
    pub(crate) async fn outbox(&mut self) -> Result<Vec<OutgoingView>, Failure> {
        match self.connection.ask(&Request::Outbox, &[]).await?.0 {
            Answer::Outbox(sent) => Ok(sent),
            _ => Err(self.odd()),
        }
    }

    /// What arrived.
    pub(crate) async fn inbox(&mut self) -> Result<Vec<IncomingView>, Failure> {
        match self
            .connection
            .ask(&Request::Inbox { after: None }, &[])
            .await?
            .0
        {
            Answer::Inbox(arrived) => Ok(arrived),
            _ => Err(self.odd()),
        }
    }

    /// The content of a file that arrived.
    pub(crate) async fn file(&mut self, message: u64) -> Result<Vec<u8>, Failure> {
        Ok(self
            .connection
            .ask(&Request::File { message }, &[])
            .await?
            .1)
    }

    /// Counters and gauges.
    pub(crate) async fn status(&mut self) -> Result<StatusView, Failure> {
        match self.connection.ask(&Request::Status, &[]).await?.0 {
            Answer::Status(status) => Ok(*status),
            _ => Err(self.odd()),
        }
    }

    /// What it carries.
    pub(crate) async fn carried(&mut self) -> Result<Vec<CarriedView>, Failure> {
        match self.connection.ask(&Request::Carried, &[]).await?.0 {
            Answer::Carried(envelopes) => Ok(envelopes),
            _ => Err(self.odd()),
        }
    }

    /// Stops the process as a service manager would; it has to end well.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let name = self.name;
        let process = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            // Should it be gone already, waiting for it tells.
            let _ = kill_process(process, Signal::TERM);
        }
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| Failure::new(format!("{name} did not stop; see its log (--keep DIR).")))?
            .map_err(io(format!("{name} cannot be waited for")))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "{name} ended with {status}; see its log (--keep DIR)."
            )))
        }
    }

    fn odd(&self) -> Failure {
        Failure::new(format!("{} gave an answer that does not fit.", self.name))
    }
}

async fn connect(home: &Path, name: &str, child: &mut Child) -> Result<Connection, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        if home.is_dir()
            && let Some(connection) = Connection::open(home).await?
        {
            return Ok(connection);
        }
        if let Ok(Some(status)) = child.try_wait() {
            let sentence = format!("{name} ended at once ({status}); see its log (--keep DIR).");
            return Err(Failure::new(sentence));
        }
        if Instant::now() > end {
            return Err(Failure::new(format!(
                "{name} did not start in time; see its log."
            )));
        }
        sleep(Duration::from_millis(20)).await;
    }
}
