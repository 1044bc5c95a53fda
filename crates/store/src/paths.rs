//! The files that belong to a store.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The log of the store at `store`.
pub(crate) fn log(store: &Path) -> PathBuf {
    with_suffix(store, "-wal")
}

/// The file whose lock keeps a second process out.
pub(crate) fn lock(store: &Path) -> PathBuf {
    with_suffix(store, "-lock")
}

/// The file that tells how far the store has come.
pub(crate) fn witness(store: &Path) -> PathBuf {
    with_suffix(store, "-generation")
}

/// A store in the making.
pub(crate) fn unfinished(store: &Path) -> PathBuf {
    with_suffix(store, "-new")
}

/// `path` with `suffix` at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the names in the folder of `path` durable.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
