//! Automatic trust management (XEP-0450 0.4.0): a person compares one key, and the devices tell each other.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{KeyOwner, KnownDevice, Trust, TrustBook, TrustMessage};
use crate::DeviceId;
use crate::flavour::Flavour;
use crate::identity::{Fingerprint, IdentityKey};

/// How many decisions wait for their sender to be verified or for their key to be seen. The oldest go first.
pub(super) const MAX_POSTPONED: usize = 1_024;

/// A trust message and the verified devices that it is for. It goes out encrypted, to no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Who gets it.
    pub to: Vec<(String, DeviceId)>,
    /// What is told.
    pub message: TrustMessage,
}

/// What a device said about a key that cannot be applied yet.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Postponed {
    pub(super) speaker: Speaker,
    pub(super) owner: String,
    pub(super) flavour: Flavour,
    pub(super) key: [u8; 32],
    pub(super) trust: Trust,
}

/// Who said something about a key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Speaker {
    Device {
        jid: String,
        identity: IdentityKey,
    },
    /// The one who holds this device.
    Person,
}

impl TrustBook {
    /// Takes what a person scanned from the other device's screen: see [`TrustMessage::from_uri`]. It is a decision of
    /// theirs about each of the keys; for keys that were not met yet it waits until they are. Says how many keys
    /// changed trust.
    pub fn scan(&mut self, code: &TrustMessage) -> usize {
        for owner in &code.owners {
            self.hear(&Speaker::Person, code.flavour, owner);
        }
        self.apply_postponed()
    }

    /// Takes a trust message that came encrypted from a device. A verified device is believed about keys of
    /// its own account, and about all keys if it is one of ours. What others say is kept until they are
    /// verified, and what is said of unknown keys until they are seen. Says how many keys changed trust.
    pub fn receive(
        &mut self,
        sender_jid: &str,
        sender: &IdentityKey,
        message: &TrustMessage,
    ) -> usize {
        for owner in &message.owners {
            if owner.jid != sender_jid && sender_jid != self.own_jid {
                continue;
            }
            let speaker = Speaker::Device {
                jid: sender_jid.to_string(),
                identity: *sender,
            };
            self.hear(&speaker, message.flavour, owner);
        }
        self.apply_postponed()
    }

    /// What to tell whom after a person decided about a key: of a contact, our own other devices; of a
    /// device of ours, our own others and all contacts. A device that was verified is told in turn which of
    /// our own and, if it is ours, which of all keys are verified.
    pub fn announcements(
        &self,
        flavour: Flavour,
        jid: &str,
        fingerprint: &Fingerprint,
    ) -> Vec<Announcement> {
        let is_subject = |device: &KnownDevice<'_>| {
            device.jid == jid && device.identity.fingerprint() == *fingerprint
        };
        let Some(subject) = self.devices().find(is_subject) else {
            return Vec::new();
        };
        let ours = jid == self.own_jid;
        let others =
            self.verified(|device| !is_subject(device) && (ours || device.jid == self.own_jid));
        let mut announcements = Vec::new();
        if !matches!(subject.trust, Trust::FirstUse | Trust::Unvouched) {
            announcements.push(Announcement {
                to: others.iter().map(address).collect(),
                message: message(flavour, &[subject]),
            });
        }
        if subject.trust == Trust::Verified {
            announcements.push(Announcement {
                to: [address(&subject)].into(),
                message: message(flavour, &others),
            });
        }
        announcements.retain(|announcement| {
            !announcement.to.is_empty() && !announcement.message.owners.is_empty()
        });
        announcements
    }

    /// Applies what can be applied, again and again, since it may verify further senders.
    pub(super) fn apply_postponed(&mut self) -> usize {
        let mut changed = 0;
        while let Some(next) = self.postponed.iter().position(|next| self.is_ripe(next)) {
            let Some(next) = self.postponed.remove(next) else {
                break;
            };
            // What a person or a device has distrusted or removed, only a person trusts again.
            let by = match next.speaker {
                Speaker::Device { identity, .. } => Some(identity),
                Speaker::Person => None,
            };
            let applied = self.set(&next.owner, next.trust, by, |known| {
                let stands = !matches!(known.trust, Trust::Distrusted | Trust::Removed);
                (by.is_none() || stands) && known.identity.associated(next.flavour) == &next.key
            });
            changed += usize::from(applied);
        }
        changed
    }

    fn is_ripe(&self, postponed: &Postponed) -> bool {
        let is_believed = match &postponed.speaker {
            Speaker::Device { jid, identity } => {
                self.trust(jid, &identity.fingerprint()) == Some(Trust::Verified)
            }
            Speaker::Person => true,
        };
        is_believed
            && self.devices().any(|device| {
                device.jid == postponed.owner
                    && device.identity.associated(postponed.flavour) == &postponed.key
            })
    }

    /// Keeps all that is said about an account's keys.
    fn hear(&mut self, speaker: &Speaker, flavour: Flavour, owner: &KeyOwner) {
        let trusted = owner.trusted.iter().map(|key| (key, Trust::Verified));
        let distrusted = owner.distrusted.iter().map(|key| (key, Trust::Distrusted));
        for (key, trust) in trusted.chain(distrusted) {
            self.postpone(Postponed {
                speaker: speaker.clone(),
                owner: owner.jid.clone(),
                flavour,
                key: *key,
                trust,
            });
        }
    }

    /// A later word of the same speaker about the same key replaces the earlier one.
    fn postpone(&mut self, postponed: Postponed) {
        self.postponed.retain(|earlier| {
            earlier.speaker != postponed.speaker
                || earlier.owner != postponed.owner
                || earlier.key != postponed.key
        });
        while self.postponed.len() >= MAX_POSTPONED {
            self.postponed.pop_front();
        }
        self.postponed.push_back(postponed);
    }

    fn verified(&self, fits: impl Fn(&KnownDevice<'_>) -> bool) -> Vec<KnownDevice<'_>> {
        self.devices()
            .filter(|device| device.trust == Trust::Verified && fits(device))
            .collect()
    }
}

fn address(device: &KnownDevice<'_>) -> (String, DeviceId) {
    (device.jid.to_string(), device.device)
}

fn message(flavour: Flavour, devices: &[KnownDevice<'_>]) -> TrustMessage {
    let mut owners: BTreeMap<&str, KeyOwner> = BTreeMap::new();
    for device in devices {
        let owner = owners.entry(device.jid).or_insert_with(|| KeyOwner {
            jid: device.jid.to_string(),
            trusted: Vec::new(),
            distrusted: Vec::new(),
        });
        let key = *device.identity.associated(flavour);
        match device.trust {
            Trust::Verified => owner.trusted.push(key),
            Trust::Distrusted | Trust::Removed => owner.distrusted.push(key),
            Trust::FirstUse | Trust::Unvouched => {}
        }
    }
    TrustMessage {
        flavour,
        owners: owners.into_values().collect(),
    }
}
