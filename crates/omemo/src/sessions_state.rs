//! The stored form of [`Sessions`].

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::chain::{Chain, MessageKey};
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::key_element::KeyExchangeHeader;
use crate::ratchet::{MAX_RECEIVING_CHAINS, Ratchet, ReceivingChain};
use crate::session::{Identities, Role, Session};
use crate::sessions::{Digest, MAX_REMEMBERED, MAX_SESSIONS, Sessions};
use crate::skipped::{MAX_SKIPPED_KEYS, SkippedKey, SkippedKeys};
use crate::stack;
use crate::state::{Reader, StateError, Writer};
use crate::{DeviceId, PreKeyId, SessionId, SignedPreKeyId};

impl Sessions {
    /// The secret state, wiped on drop. [`Sessions::from_bytes`] reads it. Numbers are big-endian.
    ///
    /// ```text
    /// state:   version 1 | flavour 1 | [own 32 | remote 32] | generation 8 | #sessions 2 | session ... | #digests 2 | 8 ...
    /// session: id 16 | role 1 | prekey 4 | signed prekey 4 | ephemeral 32 | device 4 | exporter 32
    ///          | ratchet
    /// ratchet: root 32 | own secret 32 | own public 32 | sends 1 | [key 32 | next 4] | previous length 4
    ///          | #chains 2 | (ratchet key 32 | key 32 | next 4) ...
    ///          | #skipped 2 | (ratchet key 32 | number 4 | key 32) ...
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let skipped: usize = self
            .sessions
            .iter()
            .map(|session| session.ratchet.skipped.len())
            .sum();
        let fixed = 300 + MAX_RECEIVING_CHAINS * 68;
        let room =
            128 + MAX_REMEMBERED * size_of::<Digest>() + self.sessions.len() * fixed + skipped * 68;
        let mut out = Writer::new(STATE_VERSION, room);
        let flavour = self.flavour().map_or(NO_FLAVOUR, Flavour::number);
        out.byte(flavour);
        if let Some(identities) = &self.identities {
            out.bytes(identities.own.as_bytes());
            out.bytes(identities.remote.as_bytes());
        }
        out.long(self.generation);
        out.count(self.sessions.len());
        for session in &self.sessions {
            write_session(&mut out, session);
        }
        out.count(self.remembered.len());
        for digest in &self.remembered {
            out.bytes(digest);
        }
        out.finish()
    }

    /// Reads what [`Sessions::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        stack::wiped(|| Self::read(bytes))
    }

    fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(STATE_VERSION, bytes)?;
        let identities = match from.byte()? {
            NO_FLAVOUR => None,
            number => Some(Identities {
                flavour: Flavour::from_number(number).ok_or(StateError::Field)?,
                own: IdentityKey::from_bytes(*from.array()?)?,
                remote: IdentityKey::from_bytes(*from.array()?)?,
            }),
        };
        let generation = from.long()?;
        let count = from.count(MAX_SESSIONS)?;
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            sessions.push(read_session(
                &mut from,
                identities.ok_or(StateError::Field)?,
            )?);
        }
        let mut remembered = VecDeque::new();
        for _ in 0..from.count(MAX_REMEMBERED)? {
            remembered.push_back(*from.array()?);
        }
        from.end()?;
        Ok(Self {
            identities,
            sessions,
            remembered,
            generation,
        })
    }
}

fn write_session(out: &mut Writer, session: &Session) {
    out.bytes(session.id.as_bytes());
    out.byte(match session.role {
        Role::Responder => 0,
        Role::Initiator { answered: false } => 1,
        Role::Initiator { answered: true } => 2,
    });
    out.number(session.header.prekey_id.number());
    out.number(session.header.signed_prekey_id.number());
    out.bytes(session.header.ephemeral.as_bytes());
    out.number(session.device.number());
    out.bytes(&**session.exporter);
    write_ratchet(out, &session.ratchet);
}

fn read_session(from: &mut Reader<'_>, identities: Identities) -> Result<Session, StateError> {
    let id = SessionId::from_bytes(*from.array()?);
    let role = match from.byte()? {
        0 => Role::Responder,
        1 => Role::Initiator { answered: false },
        2 => Role::Initiator { answered: true },
        _ => return Err(StateError::Field),
    };
    let initiator = match role {
        Role::Responder => identities.remote,
        Role::Initiator { .. } => identities.own,
    };
    let header = KeyExchangeHeader {
        prekey_id: PreKeyId::new(from.number()?).ok_or(StateError::Field)?,
        signed_prekey_id: SignedPreKeyId::new(from.number()?).ok_or(StateError::Field)?,
        identity: initiator,
        ephemeral: from.public_key()?,
    };
    let device = DeviceId::new(from.number()?).ok_or(StateError::Field)?;
    Ok(Session {
        id,
        role,
        header,
        device,
        exporter: Box::new(from.secret()?),
        ratchet: Box::new(read_ratchet(from)?),
    })
}

fn write_ratchet(out: &mut Writer, ratchet: &Ratchet) {
    out.bytes(&*ratchet.root);
    out.pair(&ratchet.own);
    out.flag(ratchet.sending.is_some());
    if let Some(chain) = &ratchet.sending {
        write_chain(out, chain);
    }
    out.number(ratchet.previous_length);
    out.count(ratchet.receiving.len());
    for receiving in &ratchet.receiving {
        out.bytes(receiving.ratchet_key.as_bytes());
        write_chain(out, &receiving.chain);
    }
    out.count(ratchet.skipped.len());
    for skipped in ratchet.skipped.iter() {
        out.bytes(skipped.ratchet_key.as_bytes());
        out.number(skipped.number);
        out.bytes(skipped.key.as_bytes());
    }
}

fn read_ratchet(from: &mut Reader<'_>) -> Result<Ratchet, StateError> {
    let root = from.secret()?;
    let own = from.pair()?;
    let sending = if from.flag()? {
        Some(read_chain(from)?)
    } else {
        None
    };
    let previous_length = from.number()?;
    let mut receiving = VecDeque::new();
    for _ in 0..from.count(MAX_RECEIVING_CHAINS)? {
        receiving.push_back(Box::new(ReceivingChain {
            ratchet_key: from.public_key()?,
            chain: read_chain(from)?,
        }));
    }
    if sending.is_none() && receiving.is_empty() {
        return Err(StateError::Field);
    }
    let mut skipped = SkippedKeys::default();
    for _ in 0..from.count(MAX_SKIPPED_KEYS)? {
        skipped.push(SkippedKey {
            ratchet_key: from.public_key()?,
            number: from.number()?,
            key: MessageKey::new(from.secret()?),
        });
    }
    Ok(Ratchet {
        root,
        own,
        sending,
        previous_length,
        receiving,
        skipped,
    })
}

fn write_chain(out: &mut Writer, chain: &Chain) {
    out.bytes(chain.key());
    out.number(chain.next());
}

fn read_chain(from: &mut Reader<'_>) -> Result<Chain, StateError> {
    let key = from.secret()?;
    Ok(Chain::at(key, from.number()?))
}

const STATE_VERSION: u8 = 3;

/// In the place of a flavour's number: no session was ever made.
const NO_FLAVOUR: u8 = 0;
