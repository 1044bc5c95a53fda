//! Where a node's store is, and how a node is built over it; again, if the store failed.

use chappe_node::{NodeConfig, Role};
use chappe_store::{MemoryStore, OpenOptions, SqlStore};
use chappe_wire::{ByteCount, Instant};

use super::recorded::RecordedNode;
use super::store::SharedStore;
use crate::{Home, Recording, StartError};

/// What the store's file holds besides envelopes, at most about: messages, files and contacts of the person.
const ROOM_BESIDES: ByteCount = ByteCount::from_mib(256);

/// Where a node's store is.
pub(crate) struct Seat {
    config: NodeConfig,
    place: Place,
    recording: Option<Recording>,
}

enum Place {
    Memory(SharedStore),
    Home(Home),
}

impl Seat {
    pub(crate) fn in_memory(config: NodeConfig) -> Self {
        let store = MemoryStore::new(options(&config).max_bytes);
        Self::new(config, Place::Memory(SharedStore::new(store)))
    }

    /// A node over a store that is at hand.
    #[cfg(test)]
    pub(super) const fn over(store: SharedStore, config: NodeConfig) -> Self {
        Self::new(config, Place::Memory(store))
    }

    pub(crate) const fn at(home: Home, config: NodeConfig) -> Self {
        Self::new(config, Place::Home(home))
    }

    const fn new(config: NodeConfig, place: Place) -> Self {
        Self {
            config,
            place,
            recording: None,
        }
    }

    /// What goes into the node and comes out is recorded.
    pub(crate) fn record(&mut self, recording: Option<Recording>) {
        self.recording = recording;
    }

    /// A node over the store as it was last committed.
    pub(crate) fn node(&self, now: Instant) -> Result<RecordedNode, StartError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| StartError::Random)?;
        let mut config = self.config.clone();
        let store = match &self.place {
            Place::Memory(store) => store.clone(),
            Place::Home(home) => {
                if let Role::Person(profile) = &mut config.role {
                    profile.identity = Some(*home.identity().seed());
                }
                let path = Home::store_path(home.dir());
                SharedStore::new(SqlStore::open(&path, home.key(), options(&config))?)
            }
        };
        RecordedNode::new(now, config, store, seed, self.recording.clone())
    }
}

/// How large the store may become.
fn options(config: &NodeConfig) -> OpenOptions {
    let twice = config.capacity.saturating_add(config.capacity);
    OpenOptions {
        max_bytes: twice.saturating_add(ROOM_BESIDES),
    }
}
