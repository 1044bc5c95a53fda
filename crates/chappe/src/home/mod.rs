//! The folder in which a node lives.
//!
//! ```text
//! <home>/              0700
//!   key                0600  the store's key (a key file), or
//!   passphrase         0600  the store's key, wrapped under a passphrase (Argon2id)
//!   identity           0600  who lives here, sealed with the store's key
//!   store.db (-wal)    0600  everything else, encrypted (SQLCipher)
//!   store.db-generation 0600 how many commits there were: tells an older copy of the store
//!   lock               0600  held by the process that uses the home
//!   control.sock       0600  where a running node listens (made by the `chappe` program)
//! ```
//!
//! The identity lies apart from the store, so that a damaged store can be moved aside without losing the
//! person: [`Home::move_store_aside`] starts a new one with the same identity.

mod identity;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chappe_store::{KeyError, KeyFile, KeyProvider, OpenError, Passphrase, StoreKey};
use zeroize::Zeroizing;

pub(crate) use identity::Identity;

const KEY: &str = "key";
const PASSPHRASE: &str = "passphrase";
const IDENTITY: &str = "identity";
const STORE: &str = "store.db";
const LOCK: &str = "lock";
const SOCKET: &str = "control.sock";

/// Who a person is, as contacts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name that contacts see first.
    pub name: String,
    /// The bare JID; `None` makes one from the identity key.
    pub jid: Option<String>,
}

impl Profile {
    /// A person of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            jid: None,
        }
    }
}

/// How the key of a home's store is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMode {
    /// In a file that only its owner can read: a node starts by itself.
    KeyFile,
    /// Wrapped under a passphrase that is needed at each start.
    Passphrase,
}

/// A home that this process has unlocked and locked for others.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    key: StoreKey,
    identity: Identity,
    _lock: File,
}

impl Home {
    /// Makes a home and its keys: a person's with a `profile`, else a relay's. With a passphrase the key is
    /// wrapped under it, else it lies in a file that only its owner can read.
    ///
    /// # Errors
    /// [`HomeError`]; [`HomeError::Exists`] if there is one already: it is left as it is.
    pub fn create(
        dir: &Path,
        profile: Option<Profile>,
        passphrase: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Self, HomeError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| HomeError::io(dir, &error))?;
        let lock = lock(dir)?;
        if Self::exists(dir) {
            return Err(HomeError::Exists(dir.to_owned()));
        }
        let key = unlock(dir, passphrase, true)?;
        let identity = Identity::generate(profile).map_err(|()| HomeError::Random)?;
        let path = dir.join(IDENTITY);
        identity.write(&path, &key)?;
        Ok(Self {
            dir: dir.to_owned(),
            key,
            identity,
            _lock: lock,
        })
    }

    /// Opens a home. The passphrase is needed if [`Home::key_mode`] says so. Takes a fraction of a second then.
    ///
    /// # Errors
    /// [`HomeError`]
    pub fn open(dir: &Path, passphrase: Option<Zeroizing<Vec<u8>>>) -> Result<Self, HomeError> {
        let mode = Self::key_mode(dir)?;
        check_owner_only(dir)?;
        let lock = lock(dir)?;
        let passphrase = match mode {
            KeyMode::KeyFile => None,
            KeyMode::Passphrase => Some(passphrase.ok_or(HomeError::PassphraseNeeded)?),
        };
        let key = unlock(dir, passphrase, false)?;
        let identity = Identity::read(&dir.join(IDENTITY), &key)?;
        Ok(Self {
            dir: dir.to_owned(),
            key,
            identity,
            _lock: lock,
        })
    }

    /// Whether there is a home in this folder.
    pub fn exists(dir: &Path) -> bool {
        dir.join(IDENTITY).exists()
    }

    /// How the key of the home in this folder is kept.
    ///
    /// # Errors
    /// [`HomeError::Missing`] if there is no home.
    pub fn key_mode(dir: &Path) -> Result<KeyMode, HomeError> {
        if !Self::exists(dir) {
            return Err(HomeError::Missing(dir.to_owned()));
        }
        Ok(if dir.join(PASSPHRASE).exists() {
            KeyMode::Passphrase
        } else {
            KeyMode::KeyFile
        })
    }

    /// Where a running node of the home in this folder listens.
    pub fn socket_path(dir: &Path) -> PathBuf {
        dir.join(SOCKET)
    }

    /// Where the store of the home in this folder lies.
    pub fn store_path(dir: &Path) -> PathBuf {
        dir.join(STORE)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether a relay lives here, and no person.
    pub fn is_relay(&self) -> bool {
        self.identity.profile().is_none()
    }

    /// Moves a damaged store aside, so that the next start makes a new one with the same identity. Contacts,
    /// messages and sessions of the old one are not in the new one. Answers with its new name.
    ///
    /// # Errors
    /// [`HomeError`]
    pub fn move_store_aside(&self) -> Result<PathBuf, HomeError> {
        let path = Self::store_path(&self.dir);
        chappe_store::quarantine(&path).map_err(HomeError::Store)
    }

    /// The seed of the identity key, to be kept where the person keeps what must not be lost.
    pub fn identity_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.identity.seed())
    }

    pub(crate) const fn key(&self) -> &StoreKey {
        &self.key
    }

    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// Why a home cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// There is none.
    #[error("There is no node in {0:?}; make one with `chappe --home {0:?} init --name NAME`.")]
    Missing(PathBuf),
    /// There is one already.
    #[error("There is a node in {0:?} already; it was left as it is.")]
    Exists(PathBuf),
    /// Another process uses it.
    #[error("Another process uses {0:?}; stop it, or use another --home.")]
    InUse(PathBuf),
    /// Others can read it.
    #[error("Others on this machine can read {0:?}; run `chmod go-rwx {0:?}`.")]
    Permissions(PathBuf),
    /// It is locked with a passphrase, and none was given.
    #[error(
        "This home is locked with a passphrase; give it at the prompt or with --passphrase-fd."
    )]
    PassphraseNeeded,
    /// The passphrase is wrong.
    #[error("The passphrase is wrong; try again.")]
    WrongPassphrase,
    /// The key is gone.
    #[error(
        "The key {0:?} is missing; put back a copy of it, without it the store cannot be read."
    )]
    KeyMissing(PathBuf),
    /// The key cannot be used.
    #[error("The key {path:?} cannot be used: {error}.")]
    Key {
        /// The key's file.
        path: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// The identity is damaged, or belongs to another key.
    #[error(
        "{0:?} is damaged or belongs to another key; restore it together with the key from a copy."
    )]
    Identity(PathBuf),
    /// The name or the JID is too long.
    #[error("A name has at most 64 bytes and a JID at most 128; choose a shorter one.")]
    Profile,
    /// The store refused.
    #[error("The store: {0}.")]
    Store(OpenError),
    /// The operating system refused.
    #[error("{path:?} cannot be used: {reason}.")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: io::ErrorKind,
    },
    /// The system has no random numbers.
    #[error("The system gives no random numbers; keys cannot be made.")]
    Random,
}

impl HomeError {
    fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            reason: error.kind(),
        }
    }
}

fn lock(dir: &Path) -> Result<File, HomeError> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| HomeError::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HomeError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(HomeError::io(&path, &error)),
    }
}

/// The store's key. It is made only where nothing depends on an older one yet.
fn unlock(
    dir: &Path,
    passphrase: Option<Zeroizing<Vec<u8>>>,
    new: bool,
) -> Result<StoreKey, HomeError> {
    let (path, provider): (_, Box<dyn KeyProvider>) = match passphrase {
        Some(passphrase) => {
            let path = dir.join(PASSPHRASE);
            (path.clone(), Box::new(Passphrase::new(path, passphrase)))
        }
        None => {
            let path = dir.join(KEY);
            (path.clone(), Box::new(KeyFile::new(path)))
        }
    };
    let key = match provider.load() {
        Ok(None) if new => provider.create(),
        Ok(Some(key)) => Ok(key),
        Ok(None) => return Err(HomeError::KeyMissing(path)),
        Err(error) => Err(error),
    };
    key.map_err(|error| match error {
        KeyError::WrongPassphrase => HomeError::WrongPassphrase,
        error => HomeError::Key { path, error },
    })
}

fn check_owner_only(dir: &Path) -> Result<(), HomeError> {
    let metadata = fs::metadata(dir).map_err(|error| HomeError::io(dir, &error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(HomeError::Permissions(dir.to_owned()));
    }
    Ok(())
}
