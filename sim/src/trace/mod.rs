//! Files of contacts and messages.

mod one;
mod source;

use std::path::Path;

use crate::event::{ContactTrace, MessageEvent, TraceError};

/// Reads contacts: The ONE's event lines `time CONN a b up|down [interface]`, plain or gzipped.
///
/// # Errors
/// [`TraceError`]: nothing is skipped.
pub fn read_contacts(path: &Path) -> Result<ContactTrace, TraceError> {
    one::contacts(path)
}

/// Reads messages: The ONE's event lines `time C id from to size [response]`, plain or gzipped.
///
/// # Errors
/// [`TraceError`]: nothing is skipped.
pub fn read_messages(path: &Path) -> Result<Vec<MessageEvent>, TraceError> {
    one::messages(path)
}
