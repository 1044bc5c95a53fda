//! The store's key, and who hands it over.

use core::fmt;
use std::io;

use zeroize::Zeroizing;

/// The key of a store: 32 random bytes. Wiped when dropped, never printed.
pub struct StoreKey(Zeroizing<[u8; Self::LEN]>);

impl StoreKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A new key from the operating system's generator. Waits until that has been seeded; there is no other source.
    ///
    /// # Errors
    /// [`KeyError::Random`] if the operating system has no generator.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        random(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The key with these bytes.
    pub const fn new(bytes: Zeroizing<[u8; Self::LEN]>) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(secret)")
    }
}

/// Hands over the key of a store: from a file, a passphrase, or an operating system's key store.
///
/// ```
/// use chappe_store::{KeyError, KeyProvider, StoreKey};
/// use zeroize::Zeroizing;
///
/// /// A key that the embedding program keeps.
/// struct Embedded([u8; 32]);
///
/// impl KeyProvider for Embedded {
///     fn load(&self) -> Result<Option<StoreKey>, KeyError> {
///         Ok(Some(StoreKey::new(Zeroizing::new(self.0))))
///     }
///
///     fn create(&self) -> Result<StoreKey, KeyError> {
///         Err(KeyError::Exists)
///     }
/// }
/// ```
pub trait KeyProvider {
    /// The key that was made earlier; `None` if there was no first start yet.
    ///
    /// # Errors
    /// [`KeyError`]; nothing was changed.
    fn load(&self) -> Result<Option<StoreKey>, KeyError>;

    /// Makes a new key and keeps it, so that [`KeyProvider::load`] finds it from now on.
    ///
    /// # Errors
    /// [`KeyError::Exists`] if there is one: it is never replaced. Other errors leave none behind.
    fn create(&self) -> Result<StoreKey, KeyError>;

    /// True if nothing of the store may touch the disk.
    fn memory_only(&self) -> bool {
        false
    }
}

/// No key at rest: the store lives in memory and ends with the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryOnly;

impl KeyProvider for MemoryOnly {
    fn load(&self) -> Result<Option<StoreKey>, KeyError> {
        Ok(None)
    }

    fn create(&self) -> Result<StoreKey, KeyError> {
        StoreKey::generate()
    }

    fn memory_only(&self) -> bool {
        true
    }
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is a key already.
    #[error("there is a key already: it is kept, and no new one was made")]
    Exists,
    /// Others than the owner may read or change the key file.
    #[error("other users of this machine can read or change the key file: run chmod 600 on it")]
    Exposed,
    /// The key file is not what was written to it.
    #[error("the key file is damaged: put back a copy of it")]
    Damaged,
    /// The key file was written by a later version.
    #[error("the key file is of a later version: use that version of the program")]
    TooNew,
    /// The passphrase is another one.
    #[error("the passphrase is wrong: try again")]
    WrongPassphrase,
    /// The passphrase is empty.
    #[error("the passphrase is empty: choose one")]
    EmptyPassphrase,
    /// The cost of the passphrase is outside what Argon2 takes or what this program allows.
    #[error("the cost of the passphrase is out of range: choose a smaller one")]
    Cost,
    /// There is not enough memory to turn the passphrase into a key.
    #[error("there is not enough memory for the passphrase: end other programs and try again")]
    OutOfMemory,
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers: no key was made")]
    Random,
    /// The operating system refused the key file.
    #[error("the key file cannot be read or written ({0}): check the folder and its permissions")]
    Io(io::ErrorKind),
}

impl From<io::Error> for KeyError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists,
            kind => Self::Io(kind),
        }
    }
}

/// Fills `bytes` from the operating system's seeded generator.
///
/// # Errors
/// [`KeyError::Random`].
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes).map_err(|_| KeyError::Random)
}
