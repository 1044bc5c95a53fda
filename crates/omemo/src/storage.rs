//! Where sessions are kept, and how an old copy of them that came back is noticed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::DeviceId;
use crate::sessions::Sessions;
use crate::state::StateError;

/// The device that sessions are held with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Its account.
    pub jid: String,
    /// The device.
    pub device: DeviceId,
}

/// A place for sessions. What one message changes is saved in one transaction with what it said.
///
/// `chappe-store` has one over an encrypted file. Where there are transactions, [`Storage::save`] writes into the
/// open one, and [`Storage::raise_generation`] waits for its commit.
pub trait Storage {
    /// Why the storage failed.
    type Error;

    /// The state that was saved last.
    ///
    /// # Errors
    /// Whatever the storage fails of.
    fn load(&self, address: &Address) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Saves a state. It must be durable before what it encrypted leaves the device, and before what it
    /// decrypted is shown.
    ///
    /// # Errors
    /// Whatever the storage fails of.
    fn save(&mut self, address: &Address, state: &[u8]) -> Result<(), Self::Error>;

    /// The highest [`Sessions::generation`] that was ever saved, from a place that a restored backup does not
    /// reach: another file, a secure element. Where there is none, 0, and nothing is noticed.
    ///
    /// # Errors
    /// Whatever the storage fails of.
    fn highest_generation(&self, address: &Address) -> Result<u64, Self::Error>;

    /// Raises it, once the state that was saved is durable: never before, or a crash looks like an old copy.
    ///
    /// # Errors
    /// Whatever the storage fails of.
    fn raise_generation(&mut self, address: &Address, to: u64) -> Result<(), Self::Error>;
}

/// Sessions as they came from a storage.
#[must_use = "a state that was rolled back is to be shown"]
pub enum Restored {
    /// They are the last ones.
    Current(Sessions),
    /// An old copy came back. Its keys were used already, so its sessions are gone; the pinned identity is
    /// kept. Start a new session, and show it.
    RolledBack(Sessions),
}

impl Sessions {
    /// Loads the sessions with a device; new ones if there are none.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn load<S: Storage>(
        storage: &S,
        address: &Address,
    ) -> Result<Restored, StorageError<S::Error>> {
        let highest = storage
            .highest_generation(address)
            .map_err(StorageError::Storage)?;
        let mut sessions = match storage.load(address).map_err(StorageError::Storage)? {
            Some(state) => Self::from_bytes(&state).map_err(StorageError::State)?,
            None => Self::new(),
        };
        if sessions.generation >= highest {
            return Ok(Restored::Current(sessions));
        }
        sessions.abandon();
        sessions.generation = highest;
        Ok(Restored::RolledBack(sessions))
    }

    /// Gives up all sessions and keeps the pinned identity: for a state of which newer ones have been. Its keys
    /// were used already, and what it would encrypt could be read with what was encrypted before. A new session
    /// must be started.
    pub fn abandon(&mut self) {
        self.sessions.clear();
        self.changed();
    }

    /// Saves the sessions, and then their generation.
    ///
    /// # Errors
    /// [`StorageError::Storage`]; nothing that they encrypted since may be sent then.
    pub fn save<S: Storage>(
        &self,
        storage: &mut S,
        address: &Address,
    ) -> Result<(), StorageError<S::Error>> {
        storage
            .save(address, &self.to_bytes())
            .and_then(|()| storage.raise_generation(address, self.generation))
            .map_err(StorageError::Storage)
    }
}

/// Why sessions could not be loaded or saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError<E> {
    /// The bytes are no state.
    #[error(transparent)]
    State(StateError),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(E),
}
