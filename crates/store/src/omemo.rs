//! OMEMO sessions in a store, for a messenger with devices and addresses of its own. The node has its own way.

use chappe_node::{Store, StoreError, Table};
use chappe_omemo::{Address, Sessions, Storage};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Sessions by the address of the device that they are held with, beside whatever else the store holds.
///
/// What one message changes and what it said become durable together: [`Sessions::save`] and what is put into
/// [`OmemoStorage::store`] belong to one transaction, which [`OmemoStorage::commit`] ends. Only then may a message
/// be sent or shown.
///
/// Where the store tells that it is an older copy ([`Store::lost_commits`]), all sessions in it are void from then on:
/// [`Sessions::load`] gives [`Restored::RolledBack`](chappe_omemo::Restored::RolledBack) for each of them until a new
/// one was saved. The same store cannot be a node's.
///
/// ```
/// use chappe_node::{Store as _, Table};
/// use chappe_omemo::{Address, DeviceId, Restored, Sessions};
/// use chappe_store::{MemoryStore, OmemoStorage};
///
/// let mut storage = OmemoStorage::new(MemoryStore::default())?;
/// let south = Address { jid: "south@example.org".into(), device: DeviceId::new(7).ok_or("id")? };
/// let sessions = match Sessions::load(&storage, &south)? {
///     Restored::Current(sessions) => sessions,
///     Restored::RolledBack(sessions) => sessions, // show it, and start a new session
/// };
/// // ... decrypt a message with them ...
/// sessions.save(&mut storage, &south)?;
/// storage.store().put(Table::Inbox, b"1", b"fog on the hill")?;
/// storage.commit()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OmemoStorage<S> {
    store: S,
    /// How often the store was an older copy of itself. States of before are void.
    epoch: u64,
}

impl<S: Store> OmemoStorage<S> {
    /// Sessions in `store`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(mut store: S) -> Result<Self, StoreError> {
        let mut epoch = match store.get(Table::Meta, EPOCH_KEY)? {
            Some(bytes) => bytes.try_into().map_err(|_| StoreError::Corrupt)?,
            None => [0; EPOCH_LEN],
        };
        if store.lost_commits()? > 0 {
            epoch = u64::from_be_bytes(epoch).saturating_add(1).to_be_bytes();
            // This commit makes the store forget that it is an older copy.
            store.put(Table::Meta, EPOCH_KEY, &epoch)?;
            store.commit()?;
        }
        Ok(Self {
            store,
            epoch: u64::from_be_bytes(epoch),
        })
    }

    /// The store, for what belongs into the same transaction: what a message said, the device's own state.
    pub const fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Makes all that was saved since the last time durable, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError`]: none of it is, and the sessions must be loaded again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.store.commit()
    }

    /// Drops all that was saved since the last commit. The sessions must be loaded again.
    pub fn rollback(&mut self) {
        self.store.rollback();
    }

    /// Gives the store back. What was not committed is dropped.
    pub fn into_store(mut self) -> S {
        self.store.rollback();
        self.store
    }

    /// The state of an address, and the epoch that it was saved in.
    fn find(&self, address: &Address) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let Some(mut value) = self.store.get(Table::Sessions, &key(address))? else {
            return Ok(None);
        };
        let Some(epoch) = value.last_chunk().copied().map(u64::from_be_bytes) else {
            return Err(StoreError::Corrupt);
        };
        value.truncate(value.len().saturating_sub(EPOCH_LEN));
        Ok(Some((epoch, value)))
    }
}

impl<S: Store> Storage for OmemoStorage<S> {
    type Error = StoreError;

    fn load(&self, address: &Address) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.find(address)?.map(|(_, state)| state))
    }

    fn save(&mut self, address: &Address, state: &[u8]) -> Result<(), StoreError> {
        let mut value = Zeroizing::new(Vec::with_capacity(state.len() + EPOCH_LEN));
        value.extend_from_slice(state);
        value.extend_from_slice(&self.epoch.to_be_bytes());
        self.store.put(Table::Sessions, &key(address), &value)
    }

    /// The store counts its commits outside of itself, so that the state of this epoch is the last one.
    fn highest_generation(&self, address: &Address) -> Result<u64, StoreError> {
        let Some((epoch, state)) = self.find(address)? else {
            return Ok(0);
        };
        let state = Zeroizing::new(state);
        let sessions = Sessions::from_bytes(&state).map_err(|_| StoreError::Corrupt)?;
        let void = epoch < self.epoch;
        Ok(sessions.generation().saturating_add(void.into()))
    }

    fn raise_generation(&mut self, _: &Address, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Key of the epoch, a number of 8 bytes.
const EPOCH_KEY: &[u8] = b"omemo epoch";
const EPOCH_LEN: usize = size_of::<u64>();

/// The key of an address: addresses are longer than keys may be.
fn key(address: &Address) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"chappe omemo address 1");
    hash.update(address.device.number().to_be_bytes());
    hash.update(address.jid.as_bytes());
    hash.finalize().into()
}
