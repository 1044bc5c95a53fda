//! Where a node's store is, and how a node is built over it; again, if the store failed.

use chappe_node::{Node, NodeConfig, NodeError, Role};
use chappe_store::{MemoryStore, OpenOptions, SqlStore};
use chappe_wire::{ByteCount, Instant};

use super::store::SharedStore;
use crate::{Home, StartError};

/// What the store's file holds besides envelopes, at most about: messages, files and contacts of the person.
const ROOM_BESIDES: ByteCount = ByteCount::from_mib(256);

/// Where a node's store is.
pub(crate) struct Seat {
    config: NodeConfig,
    place: Place,
}

enum Place {
    Memory(SharedStore),
    Home(Home),
}

impl Seat {
    pub(crate) fn in_memory(config: NodeConfig) -> Self {
        let store = MemoryStore::new(options(&config).max_bytes);
        let place = Place::Memory(SharedStore::new(store));
        Self { config, place }
    }

    /// A node over a store that is at hand.
    #[cfg(test)]
    pub(super) const fn over(store: SharedStore, config: NodeConfig) -> Self {
        let place = Place::Memory(store);
        Self { config, place }
    }

    pub(crate) const fn at(home: Home, config: NodeConfig) -> Self {
        let place = Place::Home(home);
        Self { config, place }
    }

    /// A node over the store as it was last committed.
    pub(crate) fn node(&self, now: Instant) -> Result<Node<SharedStore>, StartError> {
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
        Node::new(now, config, store, seed).map_err(|error| match error {
            NodeError::Store(error) => StartError::Refused(error),
            error => StartError::Node(error),
        })
    }
}

/// How large the store may become.
fn options(config: &NodeConfig) -> OpenOptions {
    let twice = config.capacity.saturating_add(config.capacity);
    OpenOptions {
        max_bytes: twice.saturating_add(ROOM_BESIDES),
    }
}
