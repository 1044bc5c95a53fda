//! The folder that is the air: sockets, and the lock for those who make and remove them.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use crate::StartError;

use super::MAX_LINKS;
use super::name::NodeName;
use super::range_file::{RangeError, read_file};

/// The longest path of a socket that all systems take (Linux: 107 bytes, macOS: 103).
const MAX_SOCKET_PATH_LEN: usize = 103;
/// How long to wait for others who make or remove a socket: they need less than a millisecond.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for a socket that neither takes nor refuses a connection. It is alive then.
const PROBE_PATIENCE: Duration = Duration::from_millis(500);
/// The most names that are read from a folder: four times as many as a node has links.
const MAX_NAMES: usize = 4 * MAX_LINKS;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Kept open for [`Folder::socket`].
    handle: File,
}

impl Folder {
    /// Opens the folder. If it does not exist it is made, for its owner alone.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make(path)?;
        let path = path.canonicalize()?;
        let handle = File::open(&path)?;
        Ok(Self { path, handle })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Binds the socket of a name that no running node has.
    pub(super) async fn bind(&self, name: &NodeName) -> Result<UnixListener, StartError> {
        let failed = |source| StartError::Io {
            what: format!(
                "the socket of {name} cannot be made in {}",
                self.path.display()
            ),
            source,
        };
        let _lock = self.lock().await.map_err(failed)?;
        match self.probe(name).await {
            Probe::Alive => {
                let what = format!("the name {name} in the air {}", self.path.display());
                return Err(StartError::InUse { what });
            }
            Probe::Dead => fs::remove_file(self.path.join(file_name(name))).map_err(failed)?,
            Probe::Missing => {}
        }
        UnixListener::bind(self.socket(name)).map_err(failed)
    }

    /// Connects to the socket of a name.
    pub(super) async fn connect(&self, name: &NodeName) -> io::Result<UnixStream> {
        UnixStream::connect(self.socket(name)).await
    }

    /// Removes the socket of a node that is gone without having done so.
    pub(super) async fn bury(&self, name: &NodeName) -> io::Result<()> {
        let _lock = self.lock().await?;
        match self.probe(name).await {
            Probe::Dead => fs::remove_file(self.path.join(file_name(name))),
            Probe::Alive | Probe::Missing => Ok(()),
        }
    }

    /// Removes the socket of a node that stops.
    pub(super) async fn unbind(&self, name: &NodeName, listener: UnixListener) -> io::Result<()> {
        let _lock = self.lock().await?;
        drop(listener);
        // Without its listener the socket is dead, unless another node has put its own in its place.
        match self.probe(name).await {
            Probe::Dead => fs::remove_file(self.path.join(file_name(name))),
            Probe::Alive | Probe::Missing => Ok(()),
        }
    }

    /// Looks who is there, and what is said about range.
    pub(super) fn look(&self) -> Look {
        Look {
            range: read_file(&self.path),
            names: names(&self.path),
        }
    }

    /// Where the socket of a name is. Paths of sockets are short (108 bytes with the zero), paths of folders
    /// need not be; Linux leads to an open folder by a short path.
    fn socket(&self, name: &NodeName) -> PathBuf {
        let path = self.path.join(file_name(name));
        if path.as_os_str().len() <= MAX_SOCKET_PATH_LEN || !cfg!(target_os = "linux") {
            return path;
        }
        let handle = std::os::fd::AsRawFd::as_raw_fd(&self.handle);
        PathBuf::from(format!("/proc/self/fd/{handle}/{}", file_name(name)))
    }

    async fn probe(&self, name: &NodeName) -> Probe {
        match timeout(PROBE_PATIENCE, self.connect(name)).await {
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Probe::Dead,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Probe::Missing,
            // A full queue of connections, or a system that refuses: better too careful than two of a name.
            Ok(Ok(_) | Err(_)) | Err(_) => Probe::Alive,
        }
    }

    /// Sockets are made and removed under this lock, so that nobody removes one that was made just now. The
    /// system drops it with the process.
    async fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.path.join(".lock"))?;
        let locked = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)).await,
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        };
        match timeout(LOCK_PATIENCE, locked).await {
            Ok(done) => done.map(|()| file),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "another program holds its .lock",
            )),
        }
    }
}

/// What is seen in the folder.
pub(super) struct Look {
    pub(super) range: Result<Option<String>, RangeError>,
    pub(super) names: io::Result<BTreeSet<NodeName>>,
}

/// Whether a socket has a node behind it.
enum Probe {
    Alive,
    Dead,
    Missing,
}

/// Makes a folder, and those above it, for their owner alone, unless it exists.
pub(super) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The names that have a socket in a folder.
pub(super) fn names(folder: &Path) -> io::Result<BTreeSet<NodeName>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".sock"));
        if let Some(Ok(name)) = name.map(NodeName::new) {
            names.insert(name);
        }
        if names.len() >= MAX_NAMES {
            break;
        }
    }
    Ok(names)
}

fn file_name(name: &NodeName) -> String {
    format!("{name}.sock")
}
