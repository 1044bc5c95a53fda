//! Decryption in two phases: everything is read and verified first, then everything is changed.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::decrypt_error::{DecryptError, Reason};
use crate::device::Device;
use crate::identity::IdentityKey;
use crate::key_element::{AuthenticatedMessage, KeyExchange, KeyExchangeHeader};
use crate::payload::{self, MAX_PAYLOAD_LEN};
use crate::ratchet::{Change, MAX_JUMP};
use crate::session::{Identities, Session};
use crate::sessions::{Digest, MAX_REMEMBERED, Sessions};
use crate::{PreKeyId, SessionId};

/// A message that was decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The content, or `None` for an empty message.
    pub plaintext: Option<Vec<u8>>,
    /// Who sent it, proven.
    pub identity: IdentityKey,
    /// The session that it came in.
    pub session: SessionId,
    /// Whether the message started the session.
    pub new_session: bool,
    /// The one-time prekey that the message spent, if it started the session: it is gone from the device.
    pub spent_prekey: Option<PreKeyId>,
    /// Whether to answer soon, by an empty message if there is nothing to say: until then the other side
    /// repeats its key exchange, or goes on without fresh keys for long.
    pub answer_due: bool,
}

impl Sessions {
    /// Decrypts a message. All or nothing: unless key element, payload and identity are right, neither
    /// `self` nor the device changes.
    ///
    /// `expected_identity` is whom the message must be from; without it the first identity is taken and
    /// pinned. `key_exchange` says what `key` is; `payload` is `None` for an empty message. A one-time
    /// prekey that is spent leaves the device.
    ///
    /// A forged message costs at most [`MAX_JUMP`] steps of a chain over all sessions, one agreement for
    /// each session, and six if it is a key exchange.
    ///
    /// # Errors
    /// [`DecryptError`], the same for all failures.
    pub fn decrypt(
        &mut self,
        device: &mut Device,
        expected_identity: Option<&IdentityKey>,
        key_exchange: bool,
        key: &[u8],
        payload: Option<&[u8]>,
    ) -> Result<Decrypted, DecryptError> {
        if payload.is_some_and(|payload| payload.len() > MAX_PAYLOAD_LEN) {
            return Err(Reason::Malformed.into());
        }
        let incoming = Incoming::parse(key_exchange, key).map_err(|_| Reason::Malformed)?;
        let identities = self.admit(device, expected_identity, &incoming)?;
        let (material, opened) = self.open(device, &identities, &incoming)?;
        let plaintext = payload::open(&material, payload).ok_or(Reason::Payload)?;
        Ok(self.commit(device, identities, &incoming, opened, plaintext))
    }

    /// Refuses what was read before and what is from somebody else.
    fn admit(
        &self,
        device: &Device,
        expected: Option<&IdentityKey>,
        incoming: &Incoming<'_>,
    ) -> Result<Identities, Reason> {
        if self.remembered.contains(&incoming.digest) {
            return Err(Reason::Duplicate);
        }
        let remote = match &incoming.header {
            Some(header) => header.identity,
            None => *self.identity().ok_or(Reason::NoSession)?,
        };
        let own = device.identity().public();
        let identities = Identities { own, remote };
        if expected.is_some_and(|expected| *expected != remote) {
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
        incoming: &Incoming<'_>,
    ) -> Result<(Material, Opened), Reason> {
        let mut budget = MAX_JUMP;
        let mut open = |session: &Session| session.open(identities, &incoming.message, &mut budget);

        let Some(header) = &incoming.header else {
            let mut refusal = Reason::NoSession;
            for (index, session) in self.sessions.iter().enumerate() {
                match open(session) {
                    Ok((material, change)) => {
                        return Ok((material, Opened::Known { index, change }));
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
            .position(|session| session.was_made_by(header));
        if let Some((index, session)) = known.and_then(|at| Some((at, self.sessions.get(at)?))) {
            let (material, change) = open(session)?;
            return Ok((material, Opened::Known { index, change }));
        }
        let session = Session::respond(device, header)?;
        let (material, change) = open(&session)?;
        Ok((material, Opened::New { session, change }))
    }

    /// Changes what the message changes. All of it is authentic; nothing can fail from here on.
    fn commit(
        &mut self,
        device: &mut Device,
        identities: Identities,
        incoming: &Incoming<'_>,
        opened: Opened,
        plaintext: Option<Zeroizing<Vec<u8>>>,
    ) -> Decrypted {
        let (place, mut session, change, spent_prekey) = match opened {
            Opened::Known { index, change } => (index, self.sessions.remove(index), change, None),
            Opened::New { session, change } => {
                let spent = session.header.prekey_id;
                device.drop_prekey(spent);
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
        Decrypted {
            plaintext: plaintext.map(|mut bytes| core::mem::take(&mut *bytes)),
            identity: identities.remote,
            session: id,
            new_session: spent_prekey.is_some(),
            spent_prekey,
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
struct Incoming<'a> {
    header: Option<KeyExchangeHeader>,
    message: AuthenticatedMessage<'a>,
    digest: Digest,
}

impl<'a> Incoming<'a> {
    fn parse(key_exchange: bool, key: &'a [u8]) -> Result<Self, crate::KeyElementError> {
        let (header, message) = if key_exchange {
            let exchange = KeyExchange::parse(key)?;
            (Some(exchange.header), exchange.message)
        } else {
            (None, AuthenticatedMessage::parse(key)?)
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
        })
    }
}

/// What the ratchet carried.
type Material = Zeroizing<Vec<u8>>;

/// Where the message belongs and what it changes there.
enum Opened {
    Known { index: usize, change: Change },
    New { session: Session, change: Change },
}
