//! Our own device: its identity and the secret halves of its prekeys.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::{Bundle, PreKey};
use crate::curve::KeyPair;
use crate::flavour::Flavour;
use crate::identity::{Identity, SIGNATURE_LEN};
use crate::state::{Reader, StateError, Writer};
use crate::{DeviceId, PreKeyId, SignedPreKeyId};

/// The most one-time prekeys that a device holds, published and reserved together.
pub const MAX_PREKEYS: usize = 4_096;

/// Signed prekeys that are kept beside the current one, for bundles that are still under way.
pub const MAX_OLD_SIGNED_PREKEYS: usize = 9;

/// Our own device. Its bytes are secret, and must be stored again after each change.
///
/// ```
/// use chappe_omemo::{Device, DeviceId};
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
/// let id = DeviceId::new(1111).ok_or("no such device id")?;
/// let mut device = Device::generate(&mut rng, id, 100);
/// let public = device.bundle();
/// let invite = device.bundle().with_prekey(device.reserve_prekey(&mut rng)?);
/// assert_eq!((public.prekeys.len(), invite.prekeys.len()), (100, 1));
///
/// let restored = Device::from_bytes(&device.to_bytes())?;
/// assert_eq!(restored.bundle(), public);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Device {
    flavour: Flavour,
    id: DeviceId,
    identity: Identity,
    signed_prekeys: SignedPreKeys,
    prekeys: BTreeMap<PreKeyId, OneTimePreKey>,
    next_prekey: PreKeyId,
}

struct SignedPreKeys {
    current: SignedPreKey,
    /// Newest first, at most [`MAX_OLD_SIGNED_PREKEYS`].
    old: Vec<SignedPreKey>,
}

struct SignedPreKey {
    id: SignedPreKeyId,
    pair: KeyPair,
    signature: [u8; SIGNATURE_LEN],
}

struct OneTimePreKey {
    pair: KeyPair,
    /// Whether it is in [`Device::bundle`]. Reserved prekeys are in no bundle.
    published: bool,
}

impl Device {
    /// Makes a device of [`Flavour::Omemo2`] with a new identity and `prekeys` one-time prekeys, at most
    /// [`MAX_PREKEYS`].
    pub fn generate(rng: &mut impl CryptoRng, id: DeviceId, prekeys: u16) -> Self {
        let identity = Identity::generate(rng);
        Self::with_identity(rng, Flavour::Omemo2, identity, id, prekeys)
    }

    /// Makes a device with an identity that is there already: so one device has keys for each flavour under
    /// one identity and one id.
    pub fn with_identity(
        rng: &mut impl CryptoRng,
        flavour: Flavour,
        identity: Identity,
        id: DeviceId,
        prekeys: u16,
    ) -> Self {
        let current = SignedPreKey::generate(rng, flavour, &identity, SignedPreKeyId::FIRST);
        let mut device = Self {
            flavour,
            id,
            identity,
            signed_prekeys: SignedPreKeys {
                current,
                old: Vec::new(),
            },
            prekeys: BTreeMap::new(),
            next_prekey: PreKeyId::FIRST,
        };
        device.refill(rng, prekeys);
        device
    }

    /// Which flavour the device's keys are for.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The device's id.
    pub const fn id(&self) -> DeviceId {
        self.id
    }

    /// The device's identity.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The public keys, with all published one-time prekeys.
    pub fn bundle(&self) -> Bundle {
        let signed = &self.signed_prekeys.current;
        Bundle {
            flavour: self.flavour,
            identity: *self.identity.public().associated(self.flavour),
            signed_prekey_id: signed.id,
            signed_prekey: *signed.pair.public().as_bytes(),
            signature: signed.signature,
            prekeys: self
                .prekeys
                .iter()
                .filter(|(_, prekey)| prekey.published)
                .map(|(id, prekey)| public(*id, &prekey.pair))
                .collect(),
        }
    }

    /// Makes a prekey that is in no other bundle, for one invite: see [`Bundle::with_prekey`].
    ///
    /// # Errors
    /// [`PreKeysExhausted`] if the device holds [`MAX_PREKEYS`] already.
    pub fn reserve_prekey(&mut self, rng: &mut impl CryptoRng) -> Result<PreKey, PreKeysExhausted> {
        self.add_prekey(rng, false)
    }

    /// Drops a prekey, published or reserved: for an invite that is withdrawn. Says whether it was there.
    pub fn drop_prekey(&mut self, id: PreKeyId) -> bool {
        self.prekeys.remove(&id).is_some()
    }

    /// Fills up to `prekeys` published prekeys and says how many were made.
    pub fn refill(&mut self, rng: &mut impl CryptoRng, prekeys: u16) -> usize {
        let missing = usize::from(prekeys).saturating_sub(self.published());
        (0..missing)
            .take_while(|_| self.add_prekey(rng, true).is_ok())
            .count()
    }

    /// How many published prekeys there are. XEP-0384 wants 25 at least in a public bundle.
    pub fn published(&self) -> usize {
        self.prekeys
            .values()
            .filter(|prekey| prekey.published)
            .count()
    }

    /// Makes a new signed prekey; due weekly to monthly. [`MAX_OLD_SIGNED_PREKEYS`] old ones stay usable.
    pub fn rotate_signed_prekey(&mut self, rng: &mut impl CryptoRng) {
        let id = self.signed_prekeys.current.id.next();
        let new = SignedPreKey::generate(rng, self.flavour, &self.identity, id);
        let old = core::mem::replace(&mut self.signed_prekeys.current, new);
        self.signed_prekeys.old.insert(0, old);
        self.keep_old_signed_prekeys(MAX_OLD_SIGNED_PREKEYS);
    }

    /// Drops old signed prekeys but the `keep` newest of them. Bundles with the others become unusable.
    pub fn keep_old_signed_prekeys(&mut self, keep: usize) {
        self.signed_prekeys.old.truncate(keep);
    }

    /// The secret state, wiped on drop. [`Device::from_bytes`] reads it.
    ///
    /// ```text
    /// +---------+---------+----+------+-------------+--------+--------------------+---+------------------------+
    /// | version | flavour | id | seed | next prekey | #old   | signed prekeys     | # | prekeys                |
    /// | 1       | 1       | 4  | 32   | 4           | 2      | (4 + 32 + 32 + 64) | 2 | (4 + 1 + 32 + 32) each |
    /// +---------+---------+----+------+-------------+--------+--------------------+---+------------------------+
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let SignedPreKeys { current, old } = &self.signed_prekeys;
        let room = 64 + 132 * (1 + MAX_OLD_SIGNED_PREKEYS) + 69 * self.prekeys.len();
        let mut out = Writer::new(STATE_VERSION, room);
        out.byte(self.flavour.number());
        out.number(self.id.number());
        out.bytes(self.identity.seed());
        out.number(self.next_prekey.number());
        out.count(old.len());
        for signed in core::iter::once(current).chain(old) {
            out.number(signed.id.number());
            out.pair(&signed.pair);
            out.bytes(&signed.signature);
        }
        out.count(self.prekeys.len());
        for (id, prekey) in &self.prekeys {
            out.number(id.number());
            out.flag(prekey.published);
            out.pair(&prekey.pair);
        }
        out.finish()
    }

    /// Reads what [`Device::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(STATE_VERSION, bytes)?;
        let flavour = Flavour::from_number(from.byte()?).ok_or(StateError::Field)?;
        let id = DeviceId::new(from.number()?).ok_or(StateError::Field)?;
        let identity = Identity::from_seed(&*from.secret()?);
        let next_prekey = PreKeyId::new(from.number()?).ok_or(StateError::Field)?;
        let olds = from.count(MAX_OLD_SIGNED_PREKEYS)?;
        let current = SignedPreKey::read(&mut from)?;
        let old = (0..olds)
            .map(|_| SignedPreKey::read(&mut from))
            .collect::<Result<_, _>>()?;
        let mut prekeys = BTreeMap::new();
        for _ in 0..from.count(MAX_PREKEYS)? {
            let id = PreKeyId::new(from.number()?).ok_or(StateError::Field)?;
            let published = from.flag()?;
            let pair = from.pair()?;
            if prekeys
                .last_key_value()
                .is_some_and(|(last, _)| *last >= id)
            {
                return Err(StateError::Field);
            }
            prekeys.insert(id, OneTimePreKey { pair, published });
        }
        from.end()?;
        Ok(Self {
            flavour,
            id,
            identity,
            signed_prekeys: SignedPreKeys { current, old },
            prekeys,
            next_prekey,
        })
    }

    pub(crate) fn prekey(&self, id: PreKeyId) -> Option<&KeyPair> {
        self.prekeys.get(&id).map(|prekey| &prekey.pair)
    }

    pub(crate) fn signed_prekey(&self, id: SignedPreKeyId) -> Option<&KeyPair> {
        let SignedPreKeys { current, old } = &self.signed_prekeys;
        core::iter::once(current)
            .chain(old)
            .find(|signed| signed.id == id)
            .map(|signed| &signed.pair)
    }

    fn add_prekey(
        &mut self,
        rng: &mut impl CryptoRng,
        published: bool,
    ) -> Result<PreKey, PreKeysExhausted> {
        if self.prekeys.len() >= MAX_PREKEYS {
            return Err(PreKeysExhausted);
        }
        let mut id = self.next_prekey;
        while self.prekeys.contains_key(&id) {
            id = id.next();
        }
        self.next_prekey = id.next();
        let pair = KeyPair::generate(rng);
        let prekey = public(id, &pair);
        self.prekeys.insert(id, OneTimePreKey { pair, published });
        Ok(prekey)
    }
}

impl SignedPreKey {
    fn generate(
        rng: &mut impl CryptoRng,
        flavour: Flavour,
        identity: &Identity,
        id: SignedPreKeyId,
    ) -> Self {
        let pair = KeyPair::generate(rng);
        let signature = identity.sign_prekey(flavour, &pair.public());
        Self {
            id,
            pair,
            signature,
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            id: SignedPreKeyId::new(from.number()?).ok_or(StateError::Field)?,
            pair: from.pair()?,
            signature: *from.array()?,
        })
    }
}

const fn public(id: PreKeyId, pair: &KeyPair) -> PreKey {
    PreKey {
        id,
        key: *pair.public().as_bytes(),
    }
}

/// The device holds [`MAX_PREKEYS`] one-time prekeys: withdraw invites or wait until some are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {MAX_PREKEYS} prekeys already")]
pub struct PreKeysExhausted;

const STATE_VERSION: u8 = 2;
