//! Decryption in two phases: everything is read and verified first, then everything is changed.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::decrypt_error::{DecryptError, Reason};
use crate::device::Device;
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::key_element::{AuthenticatedMessage, KeyElementError, KeyExchange, KeyExchangeHeader};
use crate::payload::{self, Iv, MAX_PAYLOAD_LEN, Opened};
use crate::ratchet::{Change, MAX_JUMP, MAX_PROVEN_JUMP};
use crate::session::{Identities, Session};
use crate::sessions::{Digest, MAX_REMEMBERED, Sessions};
use crate::{PreKeyId, SessionId, stack};

/// A message as it came, and what is known of it beside.
///
/// ```
/// use chappe_omemo::Incoming;
///
/// let (key, payload) = (&[0; 4], &[0; 16]);
/// let incoming = Incoming { payload: Some(payload), ..Incoming::new(false, key) };
/// assert!(!incoming.proven);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Whether `key` is a key exchange (`kex='true'`, or `prekey='true'` in the legacy flavour).
    pub key_exchange: bool,
    /// The bytes of `<key/>`.
    pub key: &'a [u8],
    /// The bytes of `<payload/>`, unless the message is empty.
    pub payload: Option<&'a [u8]>,
    /// The `<iv/>` of the legacy flavour.
    pub iv: Option<Iv>,
    /// Whom the message must be from. Without it the first identity is taken and pinned.
    pub expected: Option<IdentityKey>,
    /// Whether something else has proven already that it is from this pair, such as an envelope whose tag
    /// only the two can make. It may then jump over [`MAX_PROVEN_JUMP`] messages, not only [`MAX_JUMP`].
    pub proven: bool,
}

impl<'a> Incoming<'a> {
    /// An empty message of which nothing else is known.
    pub const fn new(key_exchange: bool, key: &'a [u8]) -> Self {
        Self {
            key_exchange,
            key,
            payload: None,
            iv: None,
            expected: None,
            proven: false,
        }
    }
}

/// A message that was decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The content, or `None` for an empty message.
    pub plaintext: Option<Vec<u8>>,
    /// The key that an empty legacy message carries, for whatever it is meant.
    pub transported: Option<Zeroizing<Vec<u8>>>,
    /// Who sent it, proven. In the legacy flavour its Curve25519 form is; the sign of the other is not.
    pub identity: IdentityKey,
    /// The session that it came in.
    pub session: SessionId,
    /// Whether the message started the session.
    pub new_session: bool,
    /// The one-time prekey that the message used, if it started the session.
    pub spent_prekey: Option<PreKeyId>,
    /// Whether others may have used that prekey too, and it is kept: until the first answer the session is
    /// only as good as the device's secrets are safe. See [`Device::open_to_strangers`].
    pub shared_prekey: bool,
    /// Whether to answer soon, by an empty message if there is nothing to say: until then the other side
    /// repeats its key exchange, or goes on without fresh keys for long. Wait a random while first, so that
    /// nobody can tell from the answer when the message was read.
    pub answer_due: bool,
}

impl Sessions {
    /// Decrypts a message. All or nothing: unless key element, payload and identity are right, neither
    /// `self` nor the device changes. A one-time prekey that is spent leaves the device.
    ///
    /// A forged message costs at most [`MAX_JUMP`] steps of a chain over all sessions, one agreement for
    /// each session, and six if it is a key exchange.
    ///
    /// # Errors
    /// [`DecryptError`], the same for all failures.
    pub fn decrypt(
        &mut self,
        device: &mut Device,
        incoming: &Incoming<'_>,
    ) -> Result<Decrypted, DecryptError> {
        let Incoming { payload, iv, .. } = incoming;
        if payload.is_some_and(|payload| payload.len() > MAX_PAYLOAD_LEN) {
            return Err(Reason::Malformed.into());
        }
        let flavour = device.flavour();
        let parsed = Parsed::of(flavour, incoming).map_err(|_| Reason::Malformed)?;
        let identities = self.admit(device, incoming.expected.as_ref(), &parsed)?;
        stack::wiped(|| {
            let (material, found) = self.open(device, &identities, &parsed)?;
            let opened = payload::open(flavour, &material, *payload, iv.as_ref());
            let opened = opened.ok_or(Reason::Payload)?;
            Ok(self.commit(device, identities, &parsed, found, opened))
        })
    }

    /// Refuses what was read before and what is from somebody else.
    fn admit(
        &self,
        device: &Device,
        expected: Option<&IdentityKey>,
        incoming: &Parsed<'_>,
    ) -> Result<Identities, Reason> {
        if self.remembered.contains(&incoming.digest) {
            return Err(Reason::Duplicate);
        }
        let remote = match &incoming.header {
            Some(header) => header.identity,
            None => *self.identity().ok_or(Reason::NoSession)?,
        };
        let own = device.identity().public();
        let flavour = device.flavour();
        let identities = Identities {
            flavour,
            own,
            remote,
        };
        if expected.is_some_and(|expected| !flavour.is_same(expected, &remote)) {
            return Err(Reason::Identity);
        }
        self.check(&identities).map_err(|()| Reason::Identity)?;
        Ok(identities)
    }

    /// Finds the session and decrypts the key.
    fn open(
        &self,
        device: &Device,
        identities: &Identities,
        incoming: &Parsed<'_>,
    ) -> Result<(Material, Found), Reason> {
        let mut budget = incoming.max_jump;
        let mut open = |session: &Session| session.open(identities, &incoming.message, &mut budget);

        let Some(header) = &incoming.header else {
            let mut refusal = Reason::NoSession;
            for (index, session) in self.sessions.iter().enumerate() {
                match open(session) {
                    Ok((material, change)) => {
                        return Ok((material, Found::Known { index, change }));
                    }
                    Err(Reason::Authentication) if refusal != Reason::NoSession => {}
                    Err(reason) => refusal = reason,
                }
            }
            return Err(refusal);
        };

        let known = self
            .sessions
            .iter()
            .position(|session| session.was_made_by(identities.flavour, header));
        if let Some((index, session)) = known.and_then(|at| Some((at, self.sessions.get(at)?))) {
            let (material, change) = open(session)?;
            return Ok((material, Found::Known { index, change }));
        }
        let session = Session::respond(device, header)?;
        if !device.may_start(header.prekey_id, session.id) {
            return Err(Reason::UnknownPreKey);
        }
        let (material, change) = open(&session)?;
        Ok((material, Found::New { session, change }))
    }

    /// Changes what the message changes. All of it is authentic; nothing can fail from here on.
    fn commit(
        &mut self,
        device: &mut Device,
        identities: Identities,
        incoming: &Parsed<'_>,
        found: Found,
        opened: Opened,
    ) -> Decrypted {
        let mut shared_prekey = false;
        let (place, mut session, change, spent_prekey) = match found {
            Found::Known { index, change } => (index, self.sessions.remove(index), change, None),
            Found::New { session, change } => {
                let spent = session.header.prekey_id;
                shared_prekey = device.spend(spent, session.id);
                (0, session, change, Some(spent))
            }
        };
        let place = if change.is_advance() { 0 } else { place };
        let id = session.id;
        let number = incoming.message.message.number;
        let answer_due = session.commit(incoming.header.is_some(), number, change);
        self.identities = Some(identities);
        self.put(place, session);
        self.remember(incoming.digest);
        self.changed();
        let (plaintext, transported) = match opened {
            Opened::Content(mut bytes) => (Some(core::mem::take(&mut *bytes)), None),
            Opened::Empty => (None, None),
            Opened::Transported(key) => (None, Some(key)),
        };
        Decrypted {
            plaintext,
            transported,
            identity: identities.remote,
            session: id,
            new_session: spent_prekey.is_some(),
            spent_prekey,
            shared_prekey,
            answer_due,
        }
    }

    fn remember(&mut self, digest: Digest) {
        while self.remembered.len() >= MAX_REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(digest);
    }
}

/// A key element, read.
struct Parsed<'a> {
    header: Option<KeyExchangeHeader>,
    message: AuthenticatedMessage<'a>,
    digest: Digest,
    max_jump: u32,
}

impl<'a> Parsed<'a> {
    fn of(flavour: Flavour, incoming: &Incoming<'a>) -> Result<Self, KeyElementError> {
        let (header, message) = if incoming.key_exchange {
            let exchange = KeyExchange::parse(flavour, incoming.key)?;
            (Some(exchange.header), exchange.message)
        } else {
            (None, AuthenticatedMessage::parse(flavour, incoming.key)?)
        };
        let hash = Sha256::new()
            .chain_update(message.tag)
            .chain_update(message.bytes)
            .finalize();
        let mut digest = Digest::default();
        for (to, from) in digest.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(Self {
            header,
            message,
            digest,
            max_jump: if incoming.proven {
                MAX_PROVEN_JUMP
            } else {
                MAX_JUMP
            },
        })
    }
}

/// What the ratchet carried.
type Material = Zeroizing<Vec<u8>>;

/// Where the message belongs and what it changes there.
enum Found {
    Known { index: usize, change: Change },
    New { session: Session, change: Change },
}
