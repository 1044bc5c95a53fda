//! Moving a damaged store aside, so that an empty one can take its place and nothing is overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::lock::StoreLock;
use crate::{OpenError, paths};

/// How many damaged stores may lie beside one path.
const MAX_DAMAGED: u32 = 100;

/// Moves the store at `path` and its log to `path.damaged-N` with the first `N` that is free, and returns that path.
///
/// # Errors
/// [`OpenError::InUse`] while the store is open; [`OpenError::Io`] with `NotFound` if there is nothing to move;
/// [`OpenError::Full`] with a hundred damaged stores there.
pub fn quarantine(path: &Path) -> Result<PathBuf, OpenError> {
    let _lock = StoreLock::take(path)?;
    let target = (1..=MAX_DAMAGED)
        .map(|number| paths::with_suffix(path, &format!(".damaged-{number}")))
        .find(|target| !exists(target) && !exists(&paths::log(target)))
        .ok_or(OpenError::Full)?;
    // The main file first: a main file without its log would open, as an older store.
    let main = rename_if_there(path, &target)?;
    let log = rename_if_there(&paths::log(path), &paths::log(&target))?;
    if !main && !log {
        return Err(OpenError::Io(io::ErrorKind::NotFound));
    }
    paths::sync_folder(path)?;
    Ok(target)
}

/// True if anything has this name.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Renames `from`; false if it is not there.
fn rename_if_there(from: &Path, to: &Path) -> Result<bool, OpenError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}
