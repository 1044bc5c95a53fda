//! The three messages that travel in `<key/>` elements, in the form of either flavour.
//!
//! Exactly one encoding of each decodes: all fields, once, in the order of their numbers, with the shortest
//! varints, and nothing else. So nothing that is not authenticated can be added or changed unseen, but for
//! the registration id of the legacy flavour, which is not used.

mod fields;
mod legacy;
mod omemo2;

use alloc::vec::Vec;

use crate::curve::{KeyError, PublicKey};
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::{DeviceId, PreKeyId, SignedPreKeyId};

/// The longest key element that is read, in bytes. The longest one that is written has about 200.
pub const MAX_KEY_ELEMENT_LEN: usize = 512;

/// What starts a session, around the first message. Repeated until it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchange<'a> {
    /// Which keys the session is made from.
    pub header: KeyExchangeHeader,
    /// The first message, or a later one of the same session.
    pub message: AuthenticatedMessage<'a>,
}

/// The keys from which a session is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyExchangeHeader {
    /// The responder's one-time prekey.
    pub prekey_id: PreKeyId,
    /// The responder's signed prekey.
    pub signed_prekey_id: SignedPreKeyId,
    /// The initiator. Of a legacy one only the Curve25519 form is known: see
    /// [`IdentityKey::from_curve25519`].
    pub identity: IdentityKey,
    /// The initiator's ephemeral key.
    pub ephemeral: PublicKey,
}

impl<'a> KeyExchange<'a> {
    /// Reads a key exchange.
    ///
    /// # Errors
    /// [`KeyElementError`] if it is not the one encoding of a key exchange with valid keys.
    pub fn parse(flavour: Flavour, bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        match flavour {
            Flavour::Legacy => legacy::parse_exchange(bytes),
            Flavour::Omemo2 => omemo2::parse_exchange(bytes),
        }
    }
}

impl KeyExchangeHeader {
    /// The key exchange around an encoded [`AuthenticatedMessage`]. Legacy peers want the sender's device id
    /// in it, as its registration id.
    pub(crate) fn encode(&self, flavour: Flavour, sender: DeviceId, message: &[u8]) -> Vec<u8> {
        match flavour {
            Flavour::Legacy => legacy::encode_exchange(self, sender, message),
            Flavour::Omemo2 => omemo2::encode_exchange(self, message),
        }
    }
}

/// A message and its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedMessage<'a> {
    /// The tag over the associated data and `bytes`: 16 bytes, or 8 in the legacy flavour.
    pub tag: &'a [u8],
    /// The message as received: what the tag covers.
    pub bytes: &'a [u8],
    /// The same, decoded.
    pub message: RatchetMessage<'a>,
}

impl<'a> AuthenticatedMessage<'a> {
    /// Reads an authenticated message. Its tag is not verified by this.
    ///
    /// # Errors
    /// [`KeyElementError`] if it is not the one encoding of a message with a valid key.
    pub fn parse(flavour: Flavour, bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        match flavour {
            Flavour::Legacy => legacy::parse_authenticated(bytes),
            Flavour::Omemo2 => omemo2::parse_authenticated(bytes),
        }
    }

    /// Puts the first bytes of `tag` to an encoded message.
    pub(crate) fn encode(flavour: Flavour, tag: &[u8; 32], message: &[u8]) -> Vec<u8> {
        let tag = tag.get(..flavour.tag_len()).unwrap_or_default();
        match flavour {
            Flavour::Legacy => [message, tag].concat(),
            Flavour::Omemo2 => omemo2::encode_authenticated(tag, message),
        }
    }
}

/// One message of the Double Ratchet. Zeros are written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatchetMessage<'a> {
    /// The number of the message in its chain, from 0.
    pub number: u32,
    /// The length of the sender's chain before this one.
    pub previous_length: u32,
    /// The sender's ratchet key, which names the chain.
    pub ratchet_key: PublicKey,
    /// The encrypted key material.
    pub ciphertext: &'a [u8],
}

impl RatchetMessage<'_> {
    pub(crate) fn encode(&self, flavour: Flavour) -> Vec<u8> {
        match flavour {
            Flavour::Legacy => legacy::encode_message(self),
            Flavour::Omemo2 => omemo2::encode_message(self),
        }
    }
}

/// Why bytes are not a key element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyElementError {
    /// More than [`MAX_KEY_ELEMENT_LEN`] bytes.
    #[error("the key element is longer than {MAX_KEY_ELEMENT_LEN} bytes")]
    TooLong,
    /// Not the one encoding of the message.
    #[error("the key element is not written as it must be")]
    Encoding,
    /// The id of a prekey is not from 1 to 2^31 - 1.
    #[error("a prekey id is out of range")]
    Id,
    /// A public key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}
