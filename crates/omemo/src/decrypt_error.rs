//! The one error of decryption.

use core::fmt;

/// A message could not be decrypted. Nothing has changed by it.
///
/// All failures look the same to whoever sees this error's text. Nothing may be answered to the other side
/// because of it, and no new session may be started by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecryptError(Reason);

impl DecryptError {
    /// Whether the very same message was decrypted before. Such a message may be dropped silently.
    pub fn is_duplicate(&self) -> bool {
        self.0 == Reason::Duplicate
    }

    /// What went wrong, for tests and counters on this device only. Never tell the other side.
    pub const fn reason(&self) -> Reason {
        self.0
    }
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message cannot be decrypted")
    }
}

impl core::error::Error for DecryptError {}

impl From<Reason> for DecryptError {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// What was wrong with a message that could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes are not a key element, or too many.
    Malformed,
    /// These bytes were decrypted before.
    Duplicate,
    /// The key of a message with this number was spent, dropped or never kept.
    Spent,
    /// There is no session with this device.
    NoSession,
    /// The one-time prekey is unknown or spent.
    UnknownPreKey,
    /// The signed prekey is unknown or too old.
    UnknownSignedPreKey,
    /// The identity is not the expected one, not the one of earlier sessions, or our own.
    Identity,
    /// A key of the key exchange has a torsion part, or an agreement is zero.
    Key,
    /// The message jumps over more than [`MAX_JUMP`](crate::MAX_JUMP) others.
    Jump,
    /// The tag is not right.
    Authentication,
    /// The payload does not belong to the key.
    Payload,
}
