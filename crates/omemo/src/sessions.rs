//! All sessions with one remote device.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use crate::SessionId;
use crate::bundle::VerifiedBundle;
use crate::curve::KeyError;
use crate::device::Device;
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::payload::{ContentError, Iv, Payload};
use crate::ratchet::SendError;
use crate::receive::Incoming;
use crate::session::{EncryptedKey, Identities, Session};
use crate::stack;

/// The most sessions with one device. Beyond it the one that was used the longest ago is dropped.
pub const MAX_SESSIONS: usize = 8;

/// How many messages of one device are remembered to tell duplicates apart.
pub const MAX_REMEMBERED: usize = 64;

/// All that is kept about one remote device: its identity and up to [`MAX_SESSIONS`] sessions.
///
/// Messages are read on any session; the one that was started last or that last received something new
/// sends. So if both sides start at once, nothing is lost. The identity of the first session is pinned:
/// another one is refused for good. Who accepts a new identity does so by taking a new `Sessions`.
///
/// The state must be on disk before what it encrypted leaves, and an older state must never come back:
/// keys would be used twice. Two copies of one state must not be used side by side.
///
/// ```
/// use chappe_omemo::{Device, DeviceId, Sessions};
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
/// let mut north = Device::generate(&mut rng, DeviceId::new(1).ok_or("id")?, 1);
/// let mut south = Device::generate(&mut rng, DeviceId::new(2).ok_or("id")?, 1);
///
/// let mut to_south = Sessions::new();
/// to_south.start(&mut rng, &north, &south.bundle().verify()?)?;
/// let sent = to_south.encrypt(&mut rng, Some(b"fog on the hill"))?;
///
/// let mut to_north = Sessions::new();
/// let read = to_north.decrypt(&mut south, &sent.incoming())?;
/// assert_eq!(read.plaintext.as_deref(), Some(&b"fog on the hill"[..]));
/// assert_eq!(read.identity, north.identity().public());
///
/// let answer = to_north.encrypt(&mut rng, None)?; // an empty message ends the key exchange
/// to_south.decrypt(&mut north, &answer.incoming())?;
/// assert!(!to_south.encrypt(&mut rng, Some(b"now clear"))?.key_exchange);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Sessions {
    pub(crate) identities: Option<Identities>,
    /// The one that sends first, then by last use.
    pub(crate) sessions: Vec<Session>,
    /// The last messages that were decrypted, oldest first.
    pub(crate) remembered: VecDeque<Digest>,
    pub(crate) generation: u64,
}

/// The first bytes of the SHA-256 of a message that was decrypted. Only messages that were authentic are
/// remembered, so few are enough: nobody but the other side itself could look for two of the same.
pub(crate) type Digest = [u8; 8];

/// An encrypted message for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Whether `key` is a key exchange (`kex='true'`, or `prekey='true'` in the legacy flavour).
    pub key_exchange: bool,
    /// The `<key/>` element.
    pub key: Vec<u8>,
    /// The `<payload/>`, unless the message is empty.
    pub payload: Option<Vec<u8>>,
    /// The `<iv/>`, in the legacy flavour.
    pub iv: Option<Iv>,
}

impl Encrypted {
    /// The message as its receiver hands it to [`Sessions::decrypt`].
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            payload: self.payload.as_deref(),
            iv: self.iv,
            ..Incoming::new(self.key_exchange, &self.key)
        }
    }
}

impl Sessions {
    /// Nothing known about the device yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a session, which from now on sends.
    ///
    /// # Errors
    /// [`StartError`]; nothing has changed then.
    pub fn start(
        &mut self,
        rng: &mut impl CryptoRng,
        device: &Device,
        bundle: &VerifiedBundle,
    ) -> Result<SessionId, StartError> {
        if device.flavour() != bundle.flavour {
            return Err(StartError::Flavour);
        }
        let identities = Identities {
            flavour: bundle.flavour,
            own: device.identity().public(),
            remote: bundle.identity,
        };
        self.check(&identities).map_err(|()| StartError::Identity)?;
        let session = stack::wiped(|| Session::initiate(rng, device, bundle))?;
        let id = session.id;
        self.identities = Some(identities);
        self.put(0, session);
        self.changed();
        Ok(id)
    }

    /// Encrypts a content, or an empty message that only carries the ratchet on.
    ///
    /// # Errors
    /// [`EncryptError`]; nothing has changed then.
    pub fn encrypt(
        &mut self,
        rng: &mut impl CryptoRng,
        plaintext: Option<&[u8]>,
    ) -> Result<Encrypted, EncryptError> {
        let flavour = self.flavour().ok_or(EncryptError::NoSession)?;
        let payload = match plaintext {
            Some(plaintext) => Payload::seal(rng, flavour, plaintext)?,
            None => Payload::empty(rng, flavour),
        };
        let EncryptedKey { key_exchange, key } = self.encrypt_key(rng, &payload)?;
        Ok(Encrypted {
            key_exchange,
            key,
            iv: payload.iv().copied(),
            payload: payload.into_ciphertext(),
        })
    }

    /// Encrypts the key to a payload that several devices get.
    ///
    /// # Errors
    /// [`EncryptError`]; nothing has changed then.
    pub fn encrypt_key(
        &mut self,
        rng: &mut impl CryptoRng,
        payload: &Payload,
    ) -> Result<EncryptedKey, EncryptError> {
        let identities = self.identities.ok_or(EncryptError::NoSession)?;
        if payload.flavour() != identities.flavour {
            return Err(EncryptError::Flavour);
        }
        let session = self.sessions.first_mut().ok_or(EncryptError::NoSession)?;
        let encrypted = stack::wiped(|| session.encrypt(rng, &identities, payload.material()))?;
        self.changed();
        Ok(encrypted)
    }

    /// The flavour, known with the first session.
    pub fn flavour(&self) -> Option<Flavour> {
        self.identities
            .as_ref()
            .map(|identities| identities.flavour)
    }

    /// How often this state has changed. Whoever keeps the highest number that was stored elsewhere can tell
    /// an older state that came back.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The session that sends next.
    pub fn sending_session(&self) -> Option<SessionId> {
        self.sessions.first().map(|session| session.id)
    }

    /// The identity of the other side, pinned by the first session.
    pub fn identity(&self) -> Option<&IdentityKey> {
        self.identities
            .as_ref()
            .map(|identities| &identities.remote)
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is no session.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// A secret that both ends of a session share from its start, for keys outside of OMEMO. It does not
    /// change with the ratchet.
    pub fn exporter(&self, session: SessionId) -> Option<&[u8; 32]> {
        self.find(session).map(|session| &**session.exporter)
    }

    /// Whether the other side is known to have the session: without that, each message is a key exchange.
    pub fn is_answered(&self, session: SessionId) -> bool {
        self.find(session).is_some_and(Session::is_answered)
    }

    /// Whether this side started the session.
    pub fn is_initiator(&self, session: SessionId) -> Option<bool> {
        self.find(session).map(Session::is_initiator)
    }

    /// Another identity than the one of the first session is refused, and so is our own.
    pub(crate) fn check(&self, identities: &Identities) -> Result<(), ()> {
        let pinned = self.identities.is_none_or(|pinned| pinned.are(identities));
        let oneself = identities
            .flavour
            .is_same(&identities.own, &identities.remote);
        if pinned && !oneself { Ok(()) } else { Err(()) }
    }

    /// Puts a session in its place; the one at place 0 sends.
    pub(crate) fn put(&mut self, place: usize, session: Session) {
        self.sessions.truncate(MAX_SESSIONS.saturating_sub(1));
        // Nearly always there is one session. Growth on its own would make room for four.
        self.sessions.reserve_exact(1);
        self.sessions
            .insert(place.min(self.sessions.len()), session);
    }

    pub(crate) const fn changed(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    fn find(&self, id: SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }
}

/// Why a session was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The bundle is of another identity than earlier sessions, or of this very device.
    #[error("the bundle is not of the device that is known here")]
    Identity,
    /// The bundle and the device are of different flavours.
    #[error("the bundle is for another flavour of OMEMO")]
    Flavour,
    /// The keys do not agree on a secret.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// There is no session yet: a bundle is needed.
    #[error("there is no session with this device")]
    NoSession,
    /// The session has no message numbers left: start another.
    #[error("the session is used up")]
    Exhausted,
    /// The device is not believed: nobody vouches for it, or it was distrusted or removed.
    #[error("the device is not one that is trusted")]
    Untrusted,
    /// The content was encrypted for another flavour.
    #[error("the content was encrypted for another flavour of OMEMO")]
    Flavour,
    /// The content cannot be encrypted.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The keys do not agree on a secret.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<SendError> for EncryptError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Exhausted => Self::Exhausted,
            SendError::Key(error) => Self::Key(error),
        }
    }
}
