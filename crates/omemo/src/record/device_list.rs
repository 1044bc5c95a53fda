//! The devices of an account, signed by one of them. OMEMO has no key of an account: a device counts when one
//! that is trusted already vouches for it, and no more once such a one says that it was lost.

use alloc::string::String;
use alloc::vec::Vec;

use super::{RecordError, Sequence, read_jid, sign, verify, write_jid};
use crate::DeviceId;
use crate::device_list::MAX_DEVICES;
use crate::identity::{Identity, IdentityKey, SIGNATURE_LEN};
use crate::state::{Reader, Writer};

/// The most devices that a list may say are gone.
pub const MAX_REMOVED: usize = 512;

/// A list as it travels, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDeviceList(Vec<u8>);

impl SignedDeviceList {
    /// Signs a list of the devices that the signer vouches for, and of those that were lost, stolen or given
    /// away. A device that is in neither is left as it is: lists may come late, or not at all, so silence says
    /// nothing. [`TrustBook::sign_list`](crate::trust::TrustBook::sign_list) has both together.
    ///
    /// ```text
    /// version 1 | sequence 8 | length 2 | jid | signer 32 | #devices 2 | (id 4 | identity 32) ...
    ///           | #removed 2 | identity 32 ... | signature 64
    /// ```
    ///
    /// # Errors
    /// [`RecordError::Form`] for more than [`MAX_DEVICES`] devices, more than [`MAX_REMOVED`] that are gone, or an
    /// impossible address.
    pub fn sign(
        signer: &Identity,
        jid: &str,
        sequence: Sequence,
        devices: &[(DeviceId, IdentityKey)],
        removed: &[IdentityKey],
    ) -> Result<Self, RecordError> {
        if devices.len() > MAX_DEVICES || removed.len() > MAX_REMOVED {
            return Err(RecordError::Form);
        }
        let room = 128 + jid.len() + devices.len() * 36 + removed.len() * 32;
        let mut out = Writer::new(VERSION, room);
        out.long(sequence.0);
        write_jid(&mut out, jid)?;
        out.bytes(signer.public().as_bytes());
        out.count(devices.len());
        for (device, identity) in devices {
            out.number(device.number());
            out.bytes(identity.as_bytes());
        }
        out.count(removed.len());
        for identity in removed {
            out.bytes(identity.as_bytes());
        }
        Ok(Self(sign(signer, CONTEXT, out)))
    }

    /// A list as it came.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The list as it travels.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the list and checks the signature. Whether its signer is to be believed is another question,
    /// which [`TrustBook::admit`](crate::trust::TrustBook::admit) answers.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong.
    pub fn verify(&self) -> Result<VerifiedDeviceList, RecordError> {
        let (unsigned, _) = self
            .0
            .split_last_chunk::<SIGNATURE_LEN>()
            .ok_or(RecordError::Form)?;
        let mut from = Reader::new(VERSION, unsigned)?;
        let sequence = Sequence(from.long()?);
        let jid = read_jid(&mut from)?;
        let signer = IdentityKey::from_bytes(*from.array()?)?;
        verify(&signer, CONTEXT, &self.0)?;
        let mut devices = Vec::new();
        for _ in 0..from.count(MAX_DEVICES)? {
            let device = DeviceId::new(from.number()?).ok_or(RecordError::Form)?;
            devices.push((device, IdentityKey::from_bytes(*from.array()?)?));
        }
        let mut removed = Vec::new();
        for _ in 0..from.count(MAX_REMOVED)? {
            removed.push(IdentityKey::from_bytes(*from.array()?)?);
        }
        from.end()?;
        Ok(VerifiedDeviceList {
            jid,
            sequence,
            signer,
            devices,
            removed,
        })
    }
}

/// A list that its signer has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDeviceList {
    jid: String,
    sequence: Sequence,
    signer: IdentityKey,
    devices: Vec<(DeviceId, IdentityKey)>,
    removed: Vec<IdentityKey>,
}

impl VerifiedDeviceList {
    /// The account.
    pub fn jid(&self) -> &str {
        &self.jid
    }

    /// Its place among the lists of its signer. Each device counts its own: one that was stolen could else take
    /// the highest number for itself.
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Who signed it.
    pub const fn signer(&self) -> &IdentityKey {
        &self.signer
    }

    /// The devices that the signer vouches for.
    pub fn devices(&self) -> &[(DeviceId, IdentityKey)] {
        &self.devices
    }

    /// The devices of which the signer says that they are gone.
    pub fn removed(&self) -> &[IdentityKey] {
        &self.removed
    }
}

const VERSION: u8 = 2;
const CONTEXT: &[u8] = b"Chappe device list\0";
