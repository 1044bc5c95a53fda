//! One writer: a lock that lives as long as the store is open.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::{OpenError, paths, private_file};

/// The lock of a store. It ends with the process, however that ends.
///
/// It is a file of its own because the locks that SQLite takes on the store's file are lost when any part of
/// the same process opens and closes that file, as a backup does.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Takes the lock of the store at `store`.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process, or another part of this one, has it.
    pub(crate) fn take(store: &Path) -> Result<Self, OpenError> {
        let path = paths::lock(store);
        let file = match private_file::create_empty(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                File::options().write(true).open(&path)?
            }
            created => created?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
