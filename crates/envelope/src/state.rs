//! Why stored state was refused.

/// Why bytes are not the state of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Cut off, too long, or contradicting itself.
    #[error("the state of a chain is malformed")]
    Malformed,
    /// Written by a later version.
    #[error("the state of a chain has the unknown version {0}")]
    UnknownVersion(u8),
}

impl StateError {
    pub(crate) fn check_version(found: Option<u8>, known: u8) -> Result<(), Self> {
        match found {
            None => Err(Self::Malformed),
            Some(version) if version == known => Ok(()),
            Some(version) => Err(Self::UnknownVersion(version)),
        }
    }
}
