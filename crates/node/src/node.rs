//! The node itself.

use chappe_wire::Instant;
use zeroize::Zeroizing;

use crate::{Input, NodeConfig, Output, Store, StoreError};

/// A whole node.
///
/// # The calling contract
///
/// 1. Hand in one input, or a few milliseconds' worth of them, with [`Node::handle_input`].
/// 2. Call [`Node::poll_output`] until it answers [`Output::Timeout`], and do what the others say. The first
///    call commits what the inputs changed; nothing is told to anyone before that.
/// 3. Wait for an input, or for the moment in `Output::Timeout`: then hand in [`Input::Timeout`]. Spurious
///    timeouts are harmless.
///
/// Where the store refuses, [`Output::StoreFailed`] comes instead of everything that was to be said: take the
/// store back with [`Node::into_store`], and build a new node from it. All links have to be closed then, and
/// every command that was not answered has failed.
pub struct Node<S> {
    store: S,
}

impl<S: Store> Node<S> {
    /// A node over `store`: as the store left it, or new, if the store is empty. `seed` is 32 fresh random
    /// bytes; all randomness of this run comes from it.
    ///
    /// # Errors
    /// [`NodeError`]; the store is unchanged.
    pub fn new(
        _now: Instant,
        _config: NodeConfig,
        store: S,
        _seed: [u8; 32],
    ) -> Result<Self, NodeError> {
        Ok(Self { store })
    }

    /// Takes one input.
    pub fn handle_input(&mut self, _now: Instant, _input: Input<'_>) {}

    /// What is to be done next, see the calling contract.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// The seed of this node's identity, to be kept apart from the store; `None` on a relay.
    pub fn identity_seed(&self) -> Option<Zeroizing<[u8; 32]>> {
        None
    }

    /// Gives the store back, without what was not committed.
    pub fn into_store(mut self) -> S {
        self.store.rollback();
        self.store
    }
}

/// Why a node cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds something that this version does not understand.
    #[error("the store holds a record that this version cannot read")]
    Record,
    /// The store belongs to a relay, or to a person, and the configuration says otherwise.
    #[error("this store was made for the other role (relay or person)")]
    WrongRole,
}
