//! The control socket's address, whatever the length of the home's path.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Connects to the node that runs on the home in `dir`.
pub(super) async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let (_folder, path) = short(dir)?;
    UnixStream::connect(path).await
}

/// Listens in `dir`. The caller holds the home's lock, so that a socket that lies there is a dead one.
pub(super) fn listen(dir: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = short(dir)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // The folder is closed to others already; this is the second lock.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A unix socket's address has room for 107 bytes only, so the folder is named by its descriptor.
fn short(dir: &Path) -> io::Result<(File, PathBuf)> {
    let folder = File::open(dir)?;
    let through = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    Ok((folder, chappe::Home::socket_path(&through)))
}
