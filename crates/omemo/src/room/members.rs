//! Who has our sender key, so that it is rotated when one of them leaves.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{RoomError, SenderKey};
use crate::DeviceId;

/// The most devices in a room.
pub const MAX_MEMBER_DEVICES: usize = 1_024;

/// Our sender key in a room, and the devices that have it.
pub struct Members {
    key: SenderKey,
    handed: BTreeSet<(String, DeviceId)>,
}

impl Members {
    /// A room in which nobody has our key yet.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        Self {
            key: SenderKey::generate(rng),
            handed: BTreeSet::new(),
        }
    }

    /// Puts back what was stored: the key, and who has it.
    pub fn restore(key: SenderKey, handed: impl IntoIterator<Item = (String, DeviceId)>) -> Self {
        Self {
            key,
            handed: handed.into_iter().take(MAX_MEMBER_DEVICES).collect(),
        }
    }

    /// The devices that have the key, for storing them beside it.
    pub fn handed(&self) -> impl Iterator<Item = &(String, DeviceId)> {
        self.handed.iter()
    }

    /// Says who is in the room now, before something is sealed for it. If a device that has our key is not
    /// among them, a new key is drawn. Gives the devices that lack the key: send them
    /// [`SenderKey::to_distribution`] and call [`Members::handed_to`]; the others cannot read.
    ///
    /// # Errors
    /// [`RoomError::Full`] for more than [`MAX_MEMBER_DEVICES`].
    pub fn update(
        &mut self,
        rng: &mut impl CryptoRng,
        present: &BTreeSet<(String, DeviceId)>,
    ) -> Result<Vec<(String, DeviceId)>, RoomError> {
        if present.len() > MAX_MEMBER_DEVICES {
            return Err(RoomError::Full);
        }
        if !self.handed.is_subset(present) {
            self.key = SenderKey::generate(rng);
            self.handed.clear();
        }
        Ok(present.difference(&self.handed).cloned().collect())
    }

    /// A device was given the key, or will be before any message.
    pub fn handed_to(&mut self, jid: impl Into<String>, device: DeviceId) {
        if self.handed.len() < MAX_MEMBER_DEVICES {
            self.handed.insert((jid.into(), device));
        }
    }

    /// A device has lost the key, or never got it: it is among those that lack it. The key stays.
    pub fn lost_by(&mut self, jid: &str, device: DeviceId) {
        self.handed
            .retain(|(other, number)| (other.as_str(), *number) != (jid, device));
    }

    /// The key to seal with.
    pub const fn key(&mut self) -> &mut SenderKey {
        &mut self.key
    }
}
