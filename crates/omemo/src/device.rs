//! Our own device: its identity and the secret halves of its prekeys.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::{Bundle, PreKey};
use crate::curve::KeyPair;
use crate::flavour::Flavour;
use crate::identity::{Identity, SIGNATURE_LEN};
use crate::stack;
use crate::state::{Reader, StateError, Writer};
use crate::{DeviceId, PreKeyId, SessionId, SignedPreKeyId};

/// The most one-time prekeys that a device holds, published and reserved together.
pub const MAX_PREKEYS: usize = 4_096;

/// Signed prekeys that are kept beside the current one, for bundles that are still under way. With a rotation
/// a week a bundle is good for nine weeks; nothing else lives in the mesh for more than 30 days.
pub const MAX_OLD_SIGNED_PREKEYS: usize = 9;

/// How many sessions on prekeys that others may have used too are remembered, so that none is accepted
/// twice. Beyond it no more are accepted until the next rotation.
pub const MAX_SHARED_STARTS: usize = 4_096;

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
    /// Whether a published prekey may be used more than once: see [`Device::open_to_strangers`].
    shared: bool,
    /// How often the signed prekey was rotated.
    period: u32,
    /// Sessions that were started on prekeys that are still here, and when.
    shared_starts: BTreeMap<SessionId, u32>,
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
    state: PreKeyState,
}

/// Where a prekey is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PreKeyState {
    /// In [`Device::bundle`].
    Published,
    /// In one invite, and in no bundle.
    Reserved,
    /// Used, but it may be used again by others who have an old copy of the bundle, until it is as many
    /// rotations old as signed prekeys are kept.
    Used { since: u32 },
    /// In [`Device::bundle`] when there is no other.
    LastResort,
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
            shared: false,
            period: 0,
            shared_starts: BTreeMap::new(),
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

    /// The public keys, with all published one-time prekeys, or the one of last resort if there are none.
    pub fn bundle(&self) -> Bundle {
        let signed = &self.signed_prekeys.current;
        Bundle {
            flavour: self.flavour,
            identity: *self.identity.public().associated(self.flavour),
            signed_prekey_id: signed.id,
            signed_prekey: *signed.pair.public().as_bytes(),
            signature: signed.signature,
            prekeys: self.public_prekeys(if self.published() > 0 {
                PreKeyState::Published
            } else {
                PreKeyState::LastResort
            }),
        }
    }

    /// Makes the device one that anybody may write to, who has a public record of it. Nobody hands out its
    /// prekeys one by one there, so several people use the same: a used one is kept for as many rotations as
    /// signed prekeys, and starts further sessions, each once. A prekey of last resort is made too, for when
    /// all others are gone. `false` ends it, and drops what was kept for it.
    ///
    /// What it costs: until such a prekey is dropped, whoever takes the device can read the first messages
    /// that were sent with it, up to the first answer. So answer soon.
    ///
    /// # Errors
    /// [`PreKeysExhausted`] if the device holds [`MAX_PREKEYS`] already.
    pub fn open_to_strangers(
        &mut self,
        rng: &mut impl CryptoRng,
        open: bool,
    ) -> Result<(), PreKeysExhausted> {
        let has_last_resort = self
            .prekeys
            .values()
            .any(|prekey| prekey.state == PreKeyState::LastResort);
        if open && !has_last_resort {
            self.add_prekey(rng, PreKeyState::LastResort)?;
        }
        if !open {
            self.prekeys.retain(|_, prekey| {
                matches!(prekey.state, PreKeyState::Published | PreKeyState::Reserved)
            });
            self.shared_starts.clear();
        }
        self.shared = open;
        Ok(())
    }

    /// Whether [`Device::open_to_strangers`] was said.
    pub const fn is_open_to_strangers(&self) -> bool {
        self.shared
    }

    /// Makes a prekey that is in no other bundle, for one invite: see [`Bundle::with_prekey`].
    ///
    /// # Errors
    /// [`PreKeysExhausted`] if the device holds [`MAX_PREKEYS`] already.
    pub fn reserve_prekey(&mut self, rng: &mut impl CryptoRng) -> Result<PreKey, PreKeysExhausted> {
        self.add_prekey(rng, PreKeyState::Reserved)
    }

    /// Drops a prekey, published or reserved: for an invite that is withdrawn. Says whether it was there.
    pub fn drop_prekey(&mut self, id: PreKeyId) -> bool {
        self.prekeys.remove(&id).is_some()
    }

    /// Fills up to `prekeys` published prekeys and says how many were made.
    pub fn refill(&mut self, rng: &mut impl CryptoRng, prekeys: u16) -> usize {
        let missing = usize::from(prekeys).saturating_sub(self.published());
        (0..missing)
            .take_while(|_| self.add_prekey(rng, PreKeyState::Published).is_ok())
            .count()
    }

    /// How many published prekeys there are. XEP-0384 wants 25 at least in a public bundle.
    pub fn published(&self) -> usize {
        self.prekeys
            .values()
            .filter(|prekey| prekey.state == PreKeyState::Published)
            .count()
    }

    /// Makes a new signed prekey and a new prekey of last resort; due weekly. [`MAX_OLD_SIGNED_PREKEYS`] old
    /// ones stay usable. Used prekeys of as long ago are dropped.
    pub fn rotate_signed_prekey(&mut self, rng: &mut impl CryptoRng) {
        let id = self.signed_prekeys.current.id.next();
        let new = SignedPreKey::generate(rng, self.flavour, &self.identity, id);
        let old = core::mem::replace(&mut self.signed_prekeys.current, new);
        self.signed_prekeys.old.insert(0, old);
        self.keep_old_signed_prekeys(MAX_OLD_SIGNED_PREKEYS);
        self.age_prekeys(rng);
    }

    /// Drops old signed prekeys but the `keep` newest of them. Bundles with the others become unusable.
    pub fn keep_old_signed_prekeys(&mut self, keep: usize) {
        self.signed_prekeys.old.truncate(keep);
    }

    /// The secret state, wiped on drop. [`Device::from_bytes`] reads it. Numbers are big-endian.
    ///
    /// ```text
    /// device:  version 1 | flavour 1 | id 4 | seed 32 | next prekey 4
    ///          | #old 2 | (id 4 | secret 32 | public 32 | signature 64) ...      the current one first
    ///          | #prekeys 2 | (id 4 | state 1 | since 4 | secret 32 | public 32) ...
    ///          | shared 1 | period 4 | #starts 2 | (session 16 | since 4) ...
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let SignedPreKeys { current, old } = &self.signed_prekeys;
        let room = 64
            + 132 * (1 + MAX_OLD_SIGNED_PREKEYS)
            + 73 * self.prekeys.len()
            + 20 * self.shared_starts.len();
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
            let (state, since) = match prekey.state {
                PreKeyState::Reserved => (0, 0),
                PreKeyState::Published => (1, 0),
                PreKeyState::LastResort => (2, 0),
                PreKeyState::Used { since } => (3, since),
            };
            out.byte(state);
            out.number(since);
            out.pair(&prekey.pair);
        }
        out.flag(self.shared);
        out.number(self.period);
        out.count(self.shared_starts.len());
        for (session, since) in &self.shared_starts {
            out.bytes(session.as_bytes());
            out.number(*since);
        }
        out.finish()
    }

    /// Reads what [`Device::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        stack::wiped(|| Self::read(bytes))
    }

    fn read(bytes: &[u8]) -> Result<Self, StateError> {
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
            let state = match (from.byte()?, from.number()?) {
                (0, 0) => PreKeyState::Reserved,
                (1, 0) => PreKeyState::Published,
                (2, 0) => PreKeyState::LastResort,
                (3, since) => PreKeyState::Used { since },
                _ => return Err(StateError::Field),
            };
            let pair = from.pair()?;
            if prekeys
                .last_key_value()
                .is_some_and(|(last, _)| *last >= id)
            {
                return Err(StateError::Field);
            }
            prekeys.insert(id, OneTimePreKey { pair, state });
        }
        let shared = from.flag()?;
        let period = from.number()?;
        let mut shared_starts = BTreeMap::new();
        for _ in 0..from.count(MAX_SHARED_STARTS)? {
            let session = SessionId::from_bytes(*from.array()?);
            if shared_starts
                .last_key_value()
                .is_some_and(|(last, _)| *last >= session)
            {
                return Err(StateError::Field);
            }
            shared_starts.insert(session, from.number()?);
        }
        from.end()?;
        Ok(Self {
            flavour,
            id,
            identity,
            signed_prekeys: SignedPreKeys { current, old },
            prekeys,
            next_prekey,
            shared,
            period,
            shared_starts,
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
        state: PreKeyState,
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
        self.prekeys.insert(id, OneTimePreKey { pair, state });
        Ok(prekey)
    }

    fn public_prekeys(&self, state: PreKeyState) -> Vec<PreKey> {
        self.prekeys
            .iter()
            .filter(|(_, prekey)| prekey.state == state)
            .map(|(id, prekey)| public(*id, &prekey.pair))
            .collect()
    }

    /// Whether a session may start on this prekey: not if it was started before, nor if there is no room to
    /// remember that it was.
    pub(crate) fn may_start(&self, id: PreKeyId, session: SessionId) -> bool {
        let kept = self
            .prekeys
            .get(&id)
            .is_some_and(|prekey| self.is_kept(prekey.state));
        let room = self.shared_starts.len() < MAX_SHARED_STARTS;
        !kept || (room && !self.shared_starts.contains_key(&session))
    }

    /// A session started on this prekey. Says whether others may have used the prekey too.
    pub(crate) fn spend(&mut self, id: PreKeyId, session: SessionId) -> bool {
        let state = self.prekeys.get(&id).map(|prekey| prekey.state);
        if !state.is_some_and(|state| self.is_kept(state)) {
            self.prekeys.remove(&id);
            return false;
        }
        self.shared_starts.insert(session, self.period);
        if let Some(prekey) = self.prekeys.get_mut(&id)
            && prekey.state == PreKeyState::Published
        {
            prekey.state = PreKeyState::Used { since: self.period };
        }
        true
    }

    /// Whether a prekey is kept when it was used.
    const fn is_kept(&self, state: PreKeyState) -> bool {
        match state {
            PreKeyState::Reserved => false,
            PreKeyState::Published => self.shared,
            PreKeyState::Used { .. } | PreKeyState::LastResort => true,
        }
    }

    fn age_prekeys(&mut self, rng: &mut impl CryptoRng) {
        self.period = self.period.saturating_add(1);
        let (period, window) = (self.period, MAX_OLD_SIGNED_PREKEYS as u32);
        let is_young = |since: u32| period.saturating_sub(since) <= window;
        self.shared_starts.retain(|_, since| is_young(*since));
        self.prekeys.retain(|_, prekey| match prekey.state {
            PreKeyState::Used { since } => is_young(since),
            _ => true,
        });
        for prekey in self.prekeys.values_mut() {
            if prekey.state == PreKeyState::LastResort {
                prekey.state = PreKeyState::Used { since: period };
            }
        }
        if self.shared {
            // Without room there is none; then there are thousands of others.
            let _ = self.add_prekey(rng, PreKeyState::LastResort);
        }
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
