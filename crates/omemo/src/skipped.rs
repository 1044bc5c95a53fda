//! Keys of messages that were jumped over and may still come.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::chain::MessageKey;
use crate::curve::PublicKey;

/// The most keys of skipped messages that a session keeps. The oldest go first.
pub const MAX_SKIPPED_KEYS: usize = 2_000;

/// Keys of skipped messages, oldest first. Only the boxes move, so no copies of keys are left behind.
#[derive(Default)]
pub(crate) struct SkippedKeys(VecDeque<Box<SkippedKey>>);

pub(crate) struct SkippedKey {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) number: u32,
    pub(crate) key: MessageKey,
}

impl SkippedKeys {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SkippedKey> {
        self.0.iter().map(|skipped| &**skipped)
    }

    pub(crate) fn find(&self, ratchet_key: &PublicKey, number: u32) -> Option<&MessageKey> {
        self.iter()
            .find(|skipped| skipped.number == number && skipped.ratchet_key == *ratchet_key)
            .map(|skipped| &skipped.key)
    }

    pub(crate) fn remove(&mut self, ratchet_key: &PublicKey, number: u32) {
        self.0
            .retain(|skipped| skipped.number != number || skipped.ratchet_key != *ratchet_key);
    }

    pub(crate) fn push(&mut self, skipped: SkippedKey) {
        while self.0.len() >= MAX_SKIPPED_KEYS {
            self.0.pop_front();
        }
        self.0.push_back(Box::new(skipped));
    }
}
