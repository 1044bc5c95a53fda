//! One session with one remote device.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::VerifiedBundle;
use crate::curve::{KeyError, KeyPair};
use crate::decrypt_error::Reason;
use crate::device::Device;
use crate::flavour::{Flavour, HEARTBEAT_AT};
use crate::identity::IdentityKey;
use crate::kdf::Secret;
use crate::key_element::{AuthenticatedMessage, KeyExchangeHeader};
use crate::ratchet::{Binding, Change, Ratchet, SendError};
use crate::x3dh::{self, Agreement, Responder, ResponderKeys};
use crate::{DeviceId, SessionId};

/// The two identities that a session binds to each message, in its flavour.
#[derive(Clone, Copy)]
pub(crate) struct Identities {
    pub(crate) flavour: Flavour,
    pub(crate) own: IdentityKey,
    pub(crate) remote: IdentityKey,
}

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Sent,
    Received,
}

impl Identities {
    /// Whether these are the same two, as far as the flavour can tell.
    pub(crate) fn are(&self, others: &Self) -> bool {
        self.flavour == others.flavour
            && self.flavour.is_same(&self.own, &others.own)
            && self.flavour.is_same(&self.remote, &others.remote)
    }

    /// The associated data: the initiator's identity first in both directions, or in the legacy flavour the
    /// sender's.
    fn binding(&self, role: Role, direction: Direction) -> Binding<'_> {
        let own_first = match self.flavour {
            Flavour::Legacy => direction == Direction::Sent,
            Flavour::Omemo2 => role != Role::Responder,
        };
        let (first, second) = if own_first {
            (&self.own, &self.remote)
        } else {
            (&self.remote, &self.own)
        };
        Binding {
            flavour: self.flavour,
            first,
            second,
        }
    }
}

/// Who began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// This side. Until the first answer each message repeats the key exchange.
    Initiator { answered: bool },
    /// The other side.
    Responder,
}

/// A session. Its secrets are boxed: moving it leaves no copies of them behind.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) role: Role,
    /// The key exchange that made the session.
    pub(crate) header: KeyExchangeHeader,
    /// This device, which legacy key exchanges name.
    pub(crate) device: DeviceId,
    pub(crate) exporter: Box<Secret>,
    pub(crate) ratchet: Box<Ratchet>,
}

impl Session {
    /// Starts a session with the device that the bundle is of, with one of its prekeys at random.
    pub(crate) fn initiate(
        rng: &mut impl CryptoRng,
        device: &Device,
        bundle: &VerifiedBundle,
    ) -> Result<Self, KeyError> {
        let (prekey_id, prekey) = bundle.choose(rng);
        let ephemeral = KeyPair::generate(rng);
        let responder = Responder {
            identity: &bundle.identity,
            signed_prekey: &bundle.signed_prekey,
            prekey,
        };
        let flavour = bundle.flavour;
        let agreement = x3dh::initiate(flavour, device.identity(), &ephemeral, &responder)?;
        let ratchet = Ratchet::initiate(rng, flavour, &agreement.root, &bundle.signed_prekey)?;
        let header = KeyExchangeHeader {
            prekey_id: *prekey_id,
            signed_prekey_id: bundle.signed_prekey_id,
            identity: device.identity().public(),
            ephemeral: ephemeral.public(),
        };
        let role = Role::Initiator { answered: false };
        Ok(Self::new(device.id(), role, header, agreement, ratchet))
    }

    /// The session that a key exchange proposes. Nothing about it is authentic before a message of it is.
    pub(crate) fn respond(device: &Device, header: &KeyExchangeHeader) -> Result<Self, Reason> {
        let signed_prekey = device
            .signed_prekey(header.signed_prekey_id)
            .ok_or(Reason::UnknownSignedPreKey)?;
        let prekey = device
            .prekey(header.prekey_id)
            .ok_or(Reason::UnknownPreKey)?;
        if !header.ephemeral.is_torsion_free() {
            return Err(Reason::Key);
        }
        let keys = ResponderKeys {
            identity: device.identity(),
            signed_prekey,
            prekey,
        };
        let mut agreement =
            x3dh::respond(device.flavour(), &keys, &header.identity, &header.ephemeral)
                .map_err(|_| Reason::Key)?;
        let root = core::mem::take(&mut agreement.root);
        let ratchet = Ratchet::respond(root, signed_prekey.clone());
        Ok(Self::new(
            device.id(),
            Role::Responder,
            *header,
            agreement,
            ratchet,
        ))
    }

    fn new(
        device: DeviceId,
        role: Role,
        header: KeyExchangeHeader,
        agreement: Agreement,
        ratchet: Ratchet,
    ) -> Self {
        Self {
            id: agreement.session,
            role,
            header,
            device,
            exporter: Box::new(agreement.exporter),
            ratchet: Box::new(ratchet),
        }
    }

    /// Whether this side started the session.
    pub(crate) const fn is_initiator(&self) -> bool {
        matches!(self.role, Role::Initiator { .. })
    }

    /// Whether the other side has shown that it has the session.
    pub(crate) fn is_answered(&self) -> bool {
        self.role != Role::Initiator { answered: false }
    }

    /// Whether a key exchange is a repetition of the one that made this session.
    pub(crate) fn was_made_by(&self, flavour: Flavour, header: &KeyExchangeHeader) -> bool {
        self.role == Role::Responder
            && self.header.prekey_id == header.prekey_id
            && self.header.signed_prekey_id == header.signed_prekey_id
            && self.header.ephemeral == header.ephemeral
            && flavour.is_same(&self.header.identity, &header.identity)
    }

    /// Encrypts for the other side. On an error nothing has changed.
    pub(crate) fn encrypt(
        &mut self,
        rng: &mut impl CryptoRng,
        identities: &Identities,
        material: &[u8],
    ) -> Result<EncryptedKey, SendError> {
        let binding = identities.binding(self.role, Direction::Sent);
        let message = self.ratchet.encrypt(rng, &binding, material)?;
        let key_exchange = !self.is_answered();
        Ok(EncryptedKey {
            key_exchange,
            key: if key_exchange {
                self.header
                    .encode(identities.flavour, self.device, &message)
            } else {
                message
            },
        })
    }

    /// Decrypts a message and says what it changes.
    pub(crate) fn open(
        &self,
        identities: &Identities,
        message: &AuthenticatedMessage<'_>,
        budget: &mut u32,
    ) -> Result<(Zeroizing<Vec<u8>>, Change), Reason> {
        let binding = identities.binding(self.role, Direction::Received);
        self.ratchet.open(&binding, message, budget)
    }

    /// Makes the change, and says whether the other side should be answered, if only by an empty message.
    pub(crate) fn commit(&mut self, key_exchange: bool, number: u32, change: Change) -> bool {
        let crossed = match &change {
            Change::Skipped { .. } => false,
            Change::Forward { index, .. } => self
                .ratchet
                .receiving
                .get(*index)
                .is_some_and(|known| known.chain.next() <= HEARTBEAT_AT),
            Change::Step { .. } => true,
        };
        self.ratchet.commit(change);
        if let Role::Initiator { answered } = &mut self.role {
            *answered = true;
        }
        let waits_long = number >= HEARTBEAT_AT;
        (self.ratchet.owes_step() && (key_exchange || waits_long)) || (crossed && waits_long)
    }
}

/// A key element for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedKey {
    /// Whether it is a key exchange (`kex='true'`, or `prekey='true'`), else a plain message.
    pub key_exchange: bool,
    /// The bytes of the `<key/>` element.
    pub key: Vec<u8>,
}
