//! The record of a device that anybody may write to: an opt-in, for a help desk and the like.

use alloc::string::String;
use alloc::vec::Vec;

use super::{RecordError, Sequence, read_jid, sign, verify, write_jid};
use crate::bundle::{Bundle, PreKey, VerifiedBundle};
use crate::device::Device;
use crate::flavour::Flavour;
use crate::identity::{IdentityKey, SIGNATURE_LEN};
use crate::state::{Reader, Writer};
use crate::{DeviceId, PreKeyId, SignedPreKeyId};

/// The fewest prekeys in a record: so many XEP-0384 wants in a bundle.
pub const MIN_REACHABLE_PREKEYS: usize = 25;
/// The most prekeys in a record, which strangers carry.
pub const MAX_REACHABLE_PREKEYS: usize = 100;

/// A record as it travels, not verified.
///
/// ```
/// use chappe_omemo::record::{ReachableRecord, Sequence};
/// use chappe_omemo::{Device, DeviceId};
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
/// let mut desk = Device::generate(&mut rng, DeviceId::new(1).ok_or("id")?, 50);
/// desk.open_to_strangers(&mut rng, true)?;
/// let week = 7 * 24 * 60;
/// let record = ReachableRecord::sign(&desk, "desk@example.org", Sequence(1), week)?;
///
/// let read = ReachableRecord::from_bytes(record.as_bytes().to_vec()).verify()?;
/// assert_eq!((read.jid(), read.sequence()), ("desk@example.org", Sequence(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachableRecord(Vec<u8>);

impl ReachableRecord {
    /// Signs the device's keys, as its bundle has them. `lifetime` is in minutes: a record is dropped when
    /// it has been carried for so long.
    ///
    /// ```text
    /// version 1 | sequence 8 | lifetime 4 | device 4 | length 2 | jid | identity 32
    ///   | signed prekey id 4 | key 32 | signature 64 | #prekeys 2 | (id 4 | key 32) ... | signature 64
    /// ```
    ///
    /// # Errors
    /// [`RecordError::Form`] unless the device is open to strangers, speaks [`Flavour::Omemo2`], and has
    /// [`MIN_REACHABLE_PREKEYS`] prekeys.
    pub fn sign(
        device: &Device,
        jid: &str,
        sequence: Sequence,
        lifetime: u32,
    ) -> Result<Self, RecordError> {
        let mut bundle = device.bundle();
        bundle.prekeys.truncate(MAX_REACHABLE_PREKEYS);
        let fit = device.is_open_to_strangers() && device.flavour() == Flavour::Omemo2;
        if !fit || bundle.prekeys.len() < MIN_REACHABLE_PREKEYS {
            return Err(RecordError::Form);
        }
        let room = 256 + jid.len() + bundle.prekeys.len() * 36;
        let mut out = Writer::new(VERSION, room);
        out.long(sequence.0);
        out.number(lifetime);
        out.number(device.id().number());
        write_jid(&mut out, jid)?;
        out.bytes(&bundle.identity);
        out.number(bundle.signed_prekey_id.number());
        out.bytes(&bundle.signed_prekey);
        out.bytes(&bundle.signature);
        out.count(bundle.prekeys.len());
        for prekey in &bundle.prekeys {
            out.number(prekey.id.number());
            out.bytes(&prekey.key);
        }
        Ok(Self(sign(device.identity(), CONTEXT, out)))
    }

    /// A record as it came.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The record as it travels. It is handed on as it came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the record and checks every key and both signatures.
    ///
    /// It proves that the holder of the identity says so, not that the address is theirs: a stranger's key is
    /// trust on first use.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong.
    pub fn verify(&self) -> Result<VerifiedReachable, RecordError> {
        let (unsigned, _) = self
            .0
            .split_last_chunk::<SIGNATURE_LEN>()
            .ok_or(RecordError::Form)?;
        let mut from = Reader::new(VERSION, unsigned)?;
        let sequence = Sequence(from.long()?);
        let lifetime = from.number()?;
        let device = DeviceId::new(from.number()?).ok_or(RecordError::Form)?;
        let jid = read_jid(&mut from)?;
        let identity = *from.array()?;
        verify(&IdentityKey::from_bytes(identity)?, CONTEXT, &self.0)?;
        let signed_prekey_id = SignedPreKeyId::new(from.number()?).ok_or(RecordError::Form)?;
        let mut bundle = Bundle {
            flavour: Flavour::Omemo2,
            identity,
            signed_prekey_id,
            signed_prekey: *from.array()?,
            signature: *from.array()?,
            prekeys: Vec::new(),
        };
        let count = from.count(MAX_REACHABLE_PREKEYS)?;
        if count < MIN_REACHABLE_PREKEYS {
            return Err(RecordError::Form);
        }
        for _ in 0..count {
            bundle.prekeys.push(PreKey {
                id: PreKeyId::new(from.number()?).ok_or(RecordError::Form)?,
                key: *from.array()?,
            });
        }
        from.end()?;
        Ok(VerifiedReachable {
            jid,
            device,
            sequence,
            lifetime,
            bundle: bundle.verify()?,
        })
    }
}

/// A record whose signatures and keys were checked.
#[derive(Clone, Debug)]
pub struct VerifiedReachable {
    jid: String,
    device: DeviceId,
    sequence: Sequence,
    lifetime: u32,
    bundle: VerifiedBundle,
}

impl VerifiedReachable {
    /// The address that the device says is its own.
    pub fn jid(&self) -> &str {
        &self.jid
    }

    /// The device's id.
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// Its place among the device's records.
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// For how many minutes it is carried.
    pub const fn lifetime_minutes(&self) -> u32 {
        self.lifetime
    }

    /// What a session is started from.
    pub const fn bundle(&self) -> &VerifiedBundle {
        &self.bundle
    }

    /// Whether this is a later record of the same device: then the other one can be dropped.
    pub fn supersedes(&self, other: &Self) -> bool {
        self.bundle.identity() == other.bundle.identity()
            && self.device == other.device
            && self.sequence > other.sequence
    }
}

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"Chappe reachable record\0";
