//! Small files that only their owner may read, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{KeyError, hex, key, paths};

/// Reads `path`; `None` if it is not there.
///
/// # Errors
/// [`KeyError::Exposed`] if others than the owner may read or change it, [`KeyError::Damaged`] if it is longer
/// than `limit`.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if is_exposed(&file.metadata()?) {
        return Err(KeyError::Exposed);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(KeyError::Damaged);
    }
    Ok(Some(bytes))
}

/// Makes `path` with these contents.
///
/// # Errors
/// [`KeyError::Exists`] if something is there; it is left as it was.
pub(crate) fn create(path: &Path, contents: &[u8]) -> Result<(), KeyError> {
    // A link is made only where nothing is, and names a file that is whole: no reader sees half a key.
    write(path, contents, |fresh| {
        fs::hard_link(fresh, path)?;
        fs::remove_file(fresh)
    })
}

/// Puts these contents in the place of `path`. After a crash it is the old or the new file, whole.
///
/// # Errors
/// [`KeyError::Io`]; the old file is there.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), KeyError> {
    write(path, contents, |fresh| fs::rename(fresh, path))
}

/// Makes an empty file that only the owner may read, where nothing is.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn create_empty(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file beside `path` and puts it there with `place`.
fn write(
    path: &Path,
    contents: &[u8],
    place: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), KeyError> {
    let fresh = beside(path)?;
    let written = create_empty(&fresh).and_then(|mut file| {
        file.write_all(contents)?;
        file.sync_all()?;
        place(&fresh)?;
        paths::sync_folder(path)
    });
    if written.is_err() {
        // Whatever stopped the writing is reported; a file that stays behind holds a key that nothing uses.
        let _ = fs::remove_file(&fresh);
    }
    Ok(written?)
}

/// A name beside `path` that nobody else uses.
fn beside(path: &Path) -> Result<PathBuf, KeyError> {
    let mut random = [0; 8];
    key::random(&mut random)?;
    Ok(paths::with_suffix(
        path,
        &format!(".{}", hex::encode(&random).as_str()),
    ))
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    // Elsewhere the folder of the user protects the file.
    false
}
