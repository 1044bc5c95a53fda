//! Why a store does not open, in one sentence for the person who has to do something about it.

use std::io;

use crate::KeyError;

/// Why a store did not open. Nothing was changed on the disk, except by a creation or migration that failed
/// half-way and is undone at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The key does not fit the store.
    #[error("the key does not open this store: use the key that the store was made with")]
    WrongKey,
    /// There is a store, but its key is gone.
    #[error("the store is here but its key is missing: put the key back, or move the store away")]
    KeyMissing,
    /// The store contradicts itself or its authentication tags.
    #[error("the store is damaged: move it aside and start with an empty one, or put back a copy")]
    Corrupt,
    /// Something that is not a file is where the store should be.
    #[error("the store's path is not a file: choose another path")]
    NotAFile,
    /// Another process has the store open.
    #[error("the store is in use by another process: stop that one first")]
    InUse,
    /// The store was written by a later version.
    #[error(
        "the store has schema {found} but this version knows {known} at most: \
         use the later version of the program"
    )]
    TooNew {
        /// The schema of the store.
        found: u32,
        /// The latest schema known here.
        known: u32,
    },
    /// The disk is full, or the store is longer than the bound given.
    #[error("there is no room for the store: free space on the disk or allow the store more")]
    Full,
    /// The operating system does not let this user read and write the store.
    #[error("this user may not read and write the store: check the owner and mode of its folder")]
    Permissions,
    /// The bound on the store's size is out of range.
    #[error("the bound on the store's size is out of range: choose 32 MiB to 1 TiB")]
    Bound,
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operating system refused something else.
    #[error("the store cannot be opened ({0}): check the disk and the path")]
    Io(io::ErrorKind),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permissions
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::IsADirectory => Self::NotAFile,
            kind => Self::Io(kind),
        }
    }
}
