//! SQLite's error codes in the words of the store.

use std::io;

use chappe_node::StoreError;
use rusqlite::ErrorCode;

use crate::OpenError;

/// What an error of an open store means.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SchemaChanged) => {
            StoreError::Corrupt
        }
        // SQLCipher reports a page whose tag is wrong with the plain code that SQL mistakes have too. The
        // statements here are constants that the tests have seen work.
        Some(ErrorCode::Unknown) => StoreError::Corrupt,
        Some(_) => StoreError::Io,
        // The rest are values that do not have the type that was written.
        None => StoreError::Corrupt,
    }
}

/// What an error during opening means.
pub(crate) fn open_error(error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            OpenError::Permissions
        }
        _ => match store_error(error) {
            StoreError::Full => OpenError::Full,
            StoreError::Corrupt => OpenError::Corrupt,
            _ => OpenError::Io(io::ErrorKind::Other),
        },
    }
}
