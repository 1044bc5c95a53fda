//! Which keys are believed to be whose: trust on first use and shown as such, decisions of people, and
//! decisions that their other devices pass on (XEP-0450 0.4.0).
//!
//! ```
//! use chappe_omemo::trust::{Trust, TrustBook, TrustError};
//! use chappe_omemo::{DeviceId, Identity};
//!
//! let (phone, other) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
//! let device = DeviceId::new(1).ok_or("id")?;
//! let mut book = TrustBook::new("me@example.org");
//!
//! // The first key of a device is taken, and shown as not compared by anyone.
//! assert_eq!(book.meet("south@example.org", device, phone.public()), Ok(Trust::FirstUse));
//! book.decide("south@example.org", &phone.fingerprint(), Trust::Verified);
//! assert_eq!(book.meet("south@example.org", device, phone.public()), Ok(Trust::Verified));
//!
//! // Another key for the same device is refused, until a person has looked at it.
//! let refused = book.meet("south@example.org", device, other.public());
//! assert!(matches!(refused, Err(TrustError::Changed { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod automatic;
pub(crate) mod message;
mod state;
mod uri;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use automatic::Announcement;
pub use message::{KeyOwner, MAX_KEYS_OF_OWNER, MAX_OWNERS, TrustMessage};
pub use uri::TrustUriError;

use crate::DeviceId;
use crate::identity::{Fingerprint, IdentityKey};
use crate::record::{Sequence, VerifiedDeviceList};
use crate::sce::MAX_JID_LEN;
use automatic::Postponed;

/// The most devices that a book knows.
pub const MAX_KNOWN_DEVICES: usize = 4_096;

/// How much is known about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is the first that was seen of its device. Nobody has compared it: whoever carried it could have
    /// put their own in its place.
    FirstUse,
    /// A person compared it, or a device that was verified itself has told so.
    Verified,
    /// A person, or such a device, said that it must not be used.
    Distrusted,
}

/// The keys of all devices that were met.
///
/// Nothing in it heals by itself: a device whose key changed stays refused until
/// [`TrustBook::accept_changed`] is called, because a person said so.
pub struct TrustBook {
    own_jid: String,
    known: BTreeMap<(String, DeviceId), Known>,
    /// Oldest first, at most [`automatic::MAX_POSTPONED`].
    postponed: VecDeque<Postponed>,
    /// The last device list of each account.
    lists: BTreeMap<String, Sequence>,
}

struct Known {
    identity: IdentityKey,
    trust: Trust,
    /// Another key that came under this device's name last.
    changed: Option<IdentityKey>,
}

impl TrustBook {
    /// An empty book of the account with this address.
    pub fn new(own_jid: impl Into<String>) -> Self {
        Self {
            own_jid: own_jid.into(),
            known: BTreeMap::new(),
            postponed: VecDeque::new(),
            lists: BTreeMap::new(),
        }
    }

    /// Asks whether this may be a device's key, before a session is started or a message is believed.
    ///
    /// # Errors
    /// [`TrustError::Changed`] if another key is known for the device: from then on it is among
    /// [`TrustBook::changed`], to be shown. [`TrustError::Full`] at [`MAX_KNOWN_DEVICES`];
    /// [`TrustError::Address`].
    pub fn meet(
        &mut self,
        jid: &str,
        device: DeviceId,
        identity: IdentityKey,
    ) -> Result<Trust, TrustError> {
        if let Some(known) = self.known.get_mut(&(jid.to_string(), device)) {
            if known.identity == identity {
                return Ok(known.trust);
            }
            known.changed = Some(identity);
            return Err(TrustError::Changed {
                known: known.identity.fingerprint(),
                seen: identity.fingerprint(),
            });
        }
        self.add(jid, device, identity, Trust::FirstUse)?;
        self.apply_postponed();
        Ok(self
            .trust(jid, &identity.fingerprint())
            .unwrap_or(Trust::FirstUse))
    }

    /// Takes a device list that a device of the same account has signed. Devices that are new in it are as
    /// trusted as the signer is; of those that are known already nothing changes. Says how many are new.
    ///
    /// # Errors
    /// [`TrustError::Signer`] unless the signer is known for the account and not distrusted;
    /// [`TrustError::Old`] unless the list is a later one; [`TrustError::Changed`] if it names another key for
    /// a known device, then nothing else of it counts; [`TrustError::Full`].
    pub fn admit(&mut self, list: &VerifiedDeviceList) -> Result<usize, TrustError> {
        let jid = list.jid();
        let signer = self.trust(jid, &list.signer().fingerprint());
        let trust = signer
            .filter(|trust| *trust != Trust::Distrusted)
            .ok_or(TrustError::Signer)?;
        if self
            .lists
            .get(jid)
            .is_some_and(|last| *last >= list.sequence())
        {
            return Err(TrustError::Old);
        }
        let mut fresh = Vec::new();
        for (device, identity) in list.devices() {
            match self.known.get_mut(&(jid.to_string(), *device)) {
                Some(known) if known.identity == *identity => {}
                Some(known) => {
                    known.changed = Some(*identity);
                    return Err(TrustError::Changed {
                        known: known.identity.fingerprint(),
                        seen: identity.fingerprint(),
                    });
                }
                None => fresh.push((*device, *identity)),
            }
        }
        if self.known.len() + fresh.len() > MAX_KNOWN_DEVICES {
            return Err(TrustError::Full);
        }
        for (device, identity) in &fresh {
            self.add(jid, *device, *identity, trust)?;
        }
        self.lists.insert(jid.to_string(), list.sequence());
        self.apply_postponed();
        Ok(fresh.len())
    }

    /// What is known about a key of an account.
    pub fn trust(&self, jid: &str, fingerprint: &Fingerprint) -> Option<Trust> {
        self.devices()
            .find(|device| device.jid == jid && device.identity.fingerprint() == *fingerprint)
            .map(|device| device.trust)
    }

    /// A person decided about a key: it was compared, or is not to be used. Says whether it is known. What
    /// verified devices have told before is applied then; [`TrustBook::announcements`] gives what to tell
    /// others.
    pub fn decide(&mut self, jid: &str, fingerprint: &Fingerprint, trust: Trust) -> bool {
        let decided = self.set(jid, trust, |known| {
            known.identity.fingerprint() == *fingerprint
        });
        self.apply_postponed();
        decided
    }

    /// The devices that came with another key than the known one, to be shown with both fingerprints.
    pub fn changed(&self) -> impl Iterator<Item = (&str, DeviceId, Fingerprint, Fingerprint)> {
        self.known.iter().filter_map(|((jid, device), known)| {
            let seen = known.changed?.fingerprint();
            Some((&**jid, *device, known.identity.fingerprint(), seen))
        })
    }

    /// A person accepts the other key of a device, which begins anew at [`Trust::FirstUse`]. The sessions
    /// with the old one must be dropped. `None`: this key never came.
    pub fn accept_changed(
        &mut self,
        jid: &str,
        device: DeviceId,
        seen: &Fingerprint,
    ) -> Option<IdentityKey> {
        let known = self.known.get_mut(&(jid.to_string(), device))?;
        let changed = known
            .changed
            .filter(|changed| changed.fingerprint() == *seen)?;
        *known = Known {
            identity: changed,
            trust: Trust::FirstUse,
            changed: None,
        };
        Some(changed)
    }

    /// All devices, for showing them and for lists.
    pub fn devices(&self) -> impl Iterator<Item = KnownDevice<'_>> {
        self.known.iter().map(|((jid, device), known)| KnownDevice {
            jid,
            device: *device,
            identity: &known.identity,
            trust: known.trust,
        })
    }

    fn add(
        &mut self,
        jid: &str,
        device: DeviceId,
        identity: IdentityKey,
        trust: Trust,
    ) -> Result<(), TrustError> {
        if jid.len() > MAX_JID_LEN {
            return Err(TrustError::Address);
        }
        if self.known.len() >= MAX_KNOWN_DEVICES {
            return Err(TrustError::Full);
        }
        let known = Known {
            identity,
            trust,
            changed: None,
        };
        self.known.insert((jid.to_string(), device), known);
        Ok(())
    }

    fn set(&mut self, jid: &str, trust: Trust, fits: impl Fn(&Known) -> bool) -> bool {
        let mut found = false;
        for ((owner, _), known) in &mut self.known {
            if owner == jid && fits(known) {
                known.trust = trust;
                found = true;
            }
        }
        found
    }
}

/// A device in a [`TrustBook`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDevice<'a> {
    /// The account that it is of.
    pub jid: &'a str,
    /// Its id.
    pub device: DeviceId,
    /// Its key.
    pub identity: &'a IdentityKey,
    /// How much is known about the key.
    pub trust: Trust,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Another key is known for this device. Show both fingerprints to a person.
    #[error("the device has another key than before: {seen} in place of {known}")]
    Changed {
        /// The key that is known.
        known: Fingerprint,
        /// The one that came.
        seen: Fingerprint,
    },
    /// No address is so long.
    #[error("the address is longer than {MAX_JID_LEN} bytes")]
    Address,
    /// No device that is trusted signed the list.
    #[error("the device list was not signed by a device that is known")]
    Signer,
    /// A later list was taken before.
    #[error("the device list is an old one")]
    Old,
    /// The book knows [`MAX_KNOWN_DEVICES`] devices.
    #[error("{MAX_KNOWN_DEVICES} devices are known already")]
    Full,
}
