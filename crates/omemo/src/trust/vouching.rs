//! Devices vouch for others of their account, and say which were lost. This replaces the server's device list.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Known, Trust, TrustBook, TrustError};
use crate::identity::{Fingerprint, IdentityKey};
use crate::record::{MAX_REMOVED, RecordError, Sequence, SignedDeviceList, VerifiedDeviceList};
use crate::{Device, DeviceId};

/// How many removed devices that were never met are remembered. Beyond it the oldest goes of the account that has the
/// most, so that no account makes room at the expense of others.
pub const MAX_REMEMBERED_REMOVED: usize = 1_024;

/// What a device list changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "devices that were removed or refused are to be shown"]
pub struct Admitted {
    /// Devices that are believed from now on.
    pub added: Vec<DeviceId>,
    /// Devices that are not written to any more, among them such as were never met.
    pub removed: Vec<IdentityKey>,
    /// Devices, of other accounts too if the list is our own, that nobody vouches for any more: only one that was
    /// removed had.
    pub doubted: Vec<(String, DeviceId)>,
    /// Devices that the signer wanted to remove and that stay: a person has compared them, but not the signer.
    pub kept: Vec<DeviceId>,
    /// Devices that the signer named in vain, and why: they have another key, were removed, or find no room.
    pub refused: Vec<(DeviceId, TrustError)>,
}

impl TrustBook {
    /// Takes a device list that a device of the same account has signed.
    ///
    /// Devices that are new in it, or that nobody had vouched for, are from now on as trusted as the signer is; of
    /// others that are known nothing changes. Devices that it says are gone are [`Trust::Removed`], whether they were
    /// met before or not, and with them what stood on their word alone and is not in this list. They stay so under
    /// whatever id and in whatever list they come again, until a person [decides](TrustBook::decide) otherwise.
    ///
    /// The order in which lists of several devices come makes no difference to what is removed. Who has a stolen
    /// device can remove the others with it before they remove it, except those that a person compared if the stolen
    /// one was not. Then it is for people to compare again.
    ///
    /// # Errors
    /// [`TrustError::Signer`] unless the signer is known for the account and [believed](Trust::is_believed);
    /// [`TrustError::Old`] unless the list is a later one than its last. Nothing has changed then.
    pub fn admit(&mut self, list: &VerifiedDeviceList) -> Result<Admitted, TrustError> {
        let (jid, signer) = (list.jid(), list.signer().fingerprint());
        let known = self
            .find(jid, &signer)
            .filter(|known| known.trust.is_believed())
            .ok_or(TrustError::Signer)?;
        if known.last_list.is_some_and(|last| last >= list.sequence()) {
            return Err(TrustError::Old);
        }
        let trust = known.trust;
        for known in self.entries(jid, &signer) {
            known.last_list = Some(list.sequence());
        }
        let mut admitted = Admitted::default();
        for identity in list.removed() {
            self.remove(jid, identity, trust, &mut admitted);
        }
        let doubted = self.doubt(list);
        for (device, identity) in list.devices() {
            let was_new = !doubted
                .iter()
                .any(|(owner, id)| owner == jid && id == device);
            match self.vouch(list, trust, *device, *identity) {
                Ok(true) if was_new => admitted.added.push(*device),
                Ok(_) => {}
                Err(error) => admitted.refused.push((*device, error)),
            }
        }
        let is_doubted = |device: &(String, DeviceId)| {
            let known = self.known.get(device);
            known.is_some_and(|known| known.trust == Trust::Unvouched)
        };
        admitted.doubted = doubted.into_iter().filter(is_doubted).collect();
        self.apply_postponed();
        Ok(admitted)
    }

    /// Signs a list of our own account: this device, those of our others that were compared, and those that were
    /// removed: of more than [`MAX_REMOVED`] the ones that were met, then the oldest, so that who has a stolen device
    /// cannot keep it off the list by naming many. A device that was lost is removed by [`TrustBook::decide`] with [`Trust::Removed`]; then each contact
    /// gets the new list, and so do our other devices.
    ///
    /// # Errors
    /// [`RecordError::Form`] for more devices than fit.
    pub fn sign_list(
        &self,
        signer: &Device,
        sequence: Sequence,
    ) -> Result<SignedDeviceList, RecordError> {
        let signing = signer.identity().public();
        let is_other = |identity: &IdentityKey| identity.fingerprint() != signing.fingerprint();
        let others = self
            .devices()
            .filter(|device| device.jid == self.own_jid && is_other(device.identity));
        let (mut devices, mut removed) = (Vec::from([(signer.id(), signing)]), Vec::new());
        for other in others {
            match other.trust {
                Trust::Verified => devices.push((other.device, *other.identity)),
                Trust::Removed => removed.push(*other.identity),
                Trust::Distrusted | Trust::FirstUse | Trust::Unvouched => {}
            }
        }
        let unmet = self.removed.iter();
        let unmet = unmet.filter(|(owner, identity)| *owner == self.own_jid && is_other(identity));
        removed.extend(unmet.map(|(_, identity)| *identity));
        removed.truncate(MAX_REMOVED);
        SignedDeviceList::sign(
            signer.identity(),
            &self.own_jid,
            sequence,
            &devices,
            &removed,
        )
    }

    /// Removes a device by the word of one with this trust.
    fn remove(&mut self, jid: &str, identity: &IdentityKey, by: Trust, admitted: &mut Admitted) {
        let fingerprint = identity.fingerprint();
        let Some(known) = self.find(jid, &fingerprint) else {
            if !self.was_removed(jid, &fingerprint) {
                self.remember_removed(jid, *identity);
                admitted.removed.push(*identity);
            }
            return;
        };
        match known.trust {
            Trust::Distrusted | Trust::Removed => {}
            Trust::Verified if by != Trust::Verified => {
                let kept = self.known.iter().filter(|((owner, _), known)| {
                    owner == jid && known.identity.fingerprint() == fingerprint
                });
                admitted.kept.extend(kept.map(|((_, device), _)| *device));
            }
            Trust::FirstUse | Trust::Unvouched | Trust::Verified => {
                for known in self.entries(jid, &fingerprint) {
                    known.trust = Trust::Removed;
                    known.voucher = None;
                }
                admitted.removed.push(*identity);
            }
        }
    }

    /// Takes back the word of devices that a list removes, and of those that stood on it. The signer itself stands
    /// on its own from now on, or nobody could remove the device that brought it.
    fn doubt(&mut self, list: &VerifiedDeviceList) -> Vec<(String, DeviceId)> {
        let (jid, signer) = (list.jid(), list.signer().fingerprint());
        // Our own devices vouch for those of others, too.
        let ours = jid == self.own_jid;
        let mut gone: Vec<Fingerprint> = list
            .removed()
            .iter()
            .map(IdentityKey::fingerprint)
            .filter(|fingerprint| !self.trust(jid, fingerprint).is_some_and(Trust::is_believed))
            .collect();
        let mut doubted = Vec::new();
        while let Some(voucher) = gone.pop() {
            for ((owner, device), known) in &mut self.known {
                let stands = known.voucher.map(|by| by.fingerprint()) == Some(voucher);
                if !stands || !(ours || owner == jid) {
                    continue;
                }
                known.voucher = None;
                if known.identity.fingerprint() != signer && known.trust.is_believed() {
                    known.trust = Trust::Unvouched;
                    doubted.push((owner.clone(), *device));
                    gone.push(known.identity.fingerprint());
                }
            }
        }
        doubted
    }

    /// Believes a device that the list names. Says whether it was not believed before.
    fn vouch(
        &mut self,
        list: &VerifiedDeviceList,
        trust: Trust,
        device: DeviceId,
        identity: IdentityKey,
    ) -> Result<bool, TrustError> {
        let (jid, fingerprint) = (list.jid(), identity.fingerprint());
        let is_removed = self.trust(jid, &fingerprint) == Some(Trust::Removed);
        if is_removed || self.was_removed(jid, &fingerprint) {
            return Err(TrustError::Removed);
        }
        match self.known.get_mut(&(jid.to_string(), device)) {
            Some(known) if known.identity != identity => {
                known.changed = Some(identity);
                return Err(TrustError::Changed {
                    known: known.identity.fingerprint(),
                    seen: fingerprint,
                });
            }
            Some(_) => {}
            None => self.add(jid, device, Known::new(identity, Trust::Unvouched))?,
        }
        let mut believed = false;
        for known in self.entries(jid, &fingerprint) {
            if known.trust == Trust::Unvouched {
                known.trust = trust;
                known.voucher = Some(*list.signer());
                believed = true;
            }
        }
        Ok(believed)
    }

    /// What is known under any id of this key.
    fn entries(
        &mut self,
        jid: &str,
        fingerprint: &Fingerprint,
    ) -> impl Iterator<Item = &mut Known> {
        self.known
            .iter_mut()
            .filter(move |((owner, _), known)| {
                owner == jid && known.identity.fingerprint() == *fingerprint
            })
            .map(|(_, known)| known)
    }

    pub(super) fn was_removed(&self, jid: &str, fingerprint: &Fingerprint) -> bool {
        self.removed
            .iter()
            .any(|(owner, identity)| owner == jid && identity.fingerprint() == *fingerprint)
    }

    pub(super) fn remember_removed(&mut self, jid: &str, identity: IdentityKey) {
        self.removed.push_back((jid.to_string(), identity));
        while self.removed.len() > MAX_REMEMBERED_REMOVED {
            let mut counts = BTreeMap::<&str, usize>::new();
            for (owner, _) in &self.removed {
                let count = counts.entry(owner).or_default();
                *count = count.saturating_add(1);
            }
            let most = counts.into_iter().max_by_key(|(_, count)| *count);
            let oldest =
                most.and_then(|(most, _)| self.removed.iter().position(|(owner, _)| owner == most));
            self.removed.remove(oldest.unwrap_or_default());
        }
    }

    pub(super) fn forget_removed(&mut self, jid: &str, fingerprint: &Fingerprint) {
        self.removed
            .retain(|(owner, identity)| owner != jid || identity.fingerprint() != *fingerprint);
    }
}
