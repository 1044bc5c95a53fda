//! One symmetric chain of the Double Ratchet: keys that follow from each other by HMAC, one a message.

use crate::cipher::CipherKeys;
use crate::flavour::{CHAIN_MESSAGE, CHAIN_NEXT, Flavour};
use crate::kdf::{Secret, hmac, hmac_two};

/// The state of a chain before one of its messages.
#[derive(Clone)]
pub(crate) struct Chain {
    key: Secret,
    next: u32,
}

impl Chain {
    /// A chain before its first message.
    pub(crate) const fn new(key: Secret) -> Self {
        Self::at(key, 0)
    }

    /// A chain before message `next`.
    pub(crate) const fn at(key: Secret, next: u32) -> Self {
        Self { key, next }
    }

    /// The number of the next message: how many there were.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The chain after the next message, or `None` after 2^32 - 1 messages.
    pub(crate) fn after(&self) -> Option<Self> {
        Some(Self {
            next: self.next.checked_add(1)?,
            key: hmac(&self.key, &[&[CHAIN_NEXT]]),
        })
    }

    /// The key of the next message, and the chain after it: cheaper than one by one.
    pub(crate) fn step(&self) -> Option<(MessageKey, Self)> {
        let next = self.next.checked_add(1)?;
        let (message, key) = hmac_two(&self.key, &[CHAIN_MESSAGE], &[CHAIN_NEXT]);
        Some((MessageKey(message), Self { key, next }))
    }

    /// The chain before message `number`, if that is not behind and costs at most `budget` steps, which are
    /// taken from the budget.
    pub(crate) fn forward_to(&self, number: u32, budget: &mut u32) -> Option<Self> {
        let steps = number.checked_sub(self.next)?;
        *budget = budget.checked_sub(steps)?;
        let mut chain = self.clone();
        for _ in 0..steps {
            chain = chain.after()?;
        }
        Some(chain)
    }
}

/// The key of one message.
pub(crate) struct MessageKey(Secret);

impl MessageKey {
    pub(crate) const fn new(key: Secret) -> Self {
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn cipher(&self, flavour: Flavour) -> CipherKeys {
        CipherKeys::derive(&self.0, flavour.info_message())
    }
}
