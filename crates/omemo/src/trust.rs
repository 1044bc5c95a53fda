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
mod vouching;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString as _};

pub use automatic::Announcement;
pub use message::{KeyOwner, MAX_KEYS_OF_OWNER, MAX_OWNERS, TrustMessage};
pub use uri::TrustUriError;
pub use vouching::{Admitted, MAX_REMEMBERED_REMOVED};

use crate::DeviceId;
use crate::identity::{Fingerprint, IdentityKey};
use crate::record::Sequence;
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
    /// A device of the same account said that it was lost: see [`TrustBook::admit`]. Only a person takes it back.
    Removed,
    /// The account is known, or is our own, and none of its devices has vouched for this one.
    Unvouched,
}

impl Trust {
    /// Whether such a device is written to, and what it says is shown as its account's.
    pub const fn is_believed(self) -> bool {
        matches!(self, Self::FirstUse | Self::Verified)
    }
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
    /// Devices that were removed before they were met, or in whose place is another key. Oldest first, at most
    /// [`MAX_REMEMBERED_REMOVED`].
    removed: VecDeque<(String, IdentityKey)>,
}

struct Known {
    identity: IdentityKey,
    trust: Trust,
    /// Another key that came under this device's name last.
    changed: Option<IdentityKey>,
    /// The device on whose word alone it is believed.
    voucher: Option<IdentityKey>,
    /// The last list that it signed.
    last_list: Option<Sequence>,
}

impl Known {
    const fn new(identity: IdentityKey, trust: Trust) -> Self {
        Self {
            identity,
            trust,
            changed: None,
            voucher: None,
            last_list: None,
        }
    }
}

impl TrustBook {
    /// An empty book of the account with this address.
    pub fn new(own_jid: impl Into<String>) -> Self {
        Self {
            own_jid: own_jid.into(),
            known: BTreeMap::new(),
            postponed: VecDeque::new(),
            removed: VecDeque::new(),
        }
    }

    /// Asks whether this may be a device's key, before a session is started or a message is believed; the answer
    /// counts only if [`Trust::is_believed`].
    ///
    /// The first device of an account is trusted on first use. Others of it are [`Trust::Unvouched`], and so are all
    /// of our own account, until one that is believed [vouches](TrustBook::admit) for them, or a person decides. (On
    /// XMPP the server vouches: whoever believes it says so by [`TrustBook::decide`].) A key that is known under
    /// another id is no more than it is there.
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
        let ours = jid == self.own_jid;
        let trust = if ours || self.devices().any(|device| device.jid == jid) {
            Trust::Unvouched
        } else {
            Trust::FirstUse
        };
        self.add(jid, device, Known::new(identity, trust))?;
        self.apply_postponed();
        Ok(self.trust(jid, &identity.fingerprint()).unwrap_or(trust))
    }

    /// What is known about a key of an account.
    pub fn trust(&self, jid: &str, fingerprint: &Fingerprint) -> Option<Trust> {
        self.find(jid, fingerprint).map(|known| known.trust)
    }

    /// A person decided about a key: it was compared, or is not to be used. Says whether it is known. What
    /// verified devices have told before is applied then; [`TrustBook::announcements`] gives what to tell
    /// others.
    pub fn decide(&mut self, jid: &str, fingerprint: &Fingerprint, trust: Trust) -> bool {
        let decided = self.set(jid, trust, None, |known| {
            known.identity.fingerprint() == *fingerprint
        });
        if decided {
            self.forget_removed(jid, fingerprint);
        }
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
        let old = core::mem::replace(known, Known::new(changed, Trust::FirstUse));
        if old.trust == Trust::Removed {
            self.remember_removed(jid, old.identity);
        }
        self.forget_removed(jid, seen);
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

    /// Takes a device in. A key that is known for the account, or was removed, is what it is there.
    fn add(&mut self, jid: &str, device: DeviceId, mut new: Known) -> Result<(), TrustError> {
        if jid.len() > MAX_JID_LEN {
            return Err(TrustError::Address);
        }
        if self.known.len() >= MAX_KNOWN_DEVICES {
            return Err(TrustError::Full);
        }
        let fingerprint = new.identity.fingerprint();
        if let Some(known) = self.find(jid, &fingerprint) {
            new.trust = known.trust;
            new.voucher = known.voucher;
            new.last_list = known.last_list;
        } else if self.was_removed(jid, &fingerprint) {
            new.trust = Trust::Removed;
            self.forget_removed(jid, &fingerprint);
        }
        self.known.insert((jid.to_string(), device), new);
        Ok(())
    }

    fn find(&self, jid: &str, fingerprint: &Fingerprint) -> Option<&Known> {
        self.known
            .iter()
            .find(|((owner, _), known)| {
                owner == jid && known.identity.fingerprint() == *fingerprint
            })
            .map(|(_, known)| known)
    }

    /// Sets what is known about a key, by the word of a device, or of a person: `None`.
    fn set(
        &mut self,
        jid: &str,
        trust: Trust,
        by: Option<IdentityKey>,
        fits: impl Fn(&Known) -> bool,
    ) -> bool {
        let mut found = false;
        for ((owner, _), known) in &mut self.known {
            if owner == jid && fits(known) {
                // Who confirms what is known takes nobody's place.
                if by.is_none() || known.trust != trust {
                    known.voucher = by;
                }
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
    /// The device was removed from its account: see [`TrustBook::admit`].
    #[error("the device was removed from its account")]
    Removed,
    /// No device that is believed signed the list.
    #[error("the device list was not signed by a device that is believed")]
    Signer,
    /// A later list of the same signer was taken before.
    #[error("the device list is an old one")]
    Old,
    /// The book knows [`MAX_KNOWN_DEVICES`] devices.
    #[error("{MAX_KNOWN_DEVICES} devices are known already")]
    Full,
}
