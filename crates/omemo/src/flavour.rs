//! The two flavours of OMEMO that people use. They share the session engine and differ in the constants
//! here, in the bytes of key elements, in what the associated data is, and in the payload's cipher.

use crate::curve::KeyError;
use crate::identity::IdentityKey;

/// A flavour of OMEMO. A device has keys of its own for each, with one identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flavour {
    /// `eu.siacs.conversations.axolotl` (XEP-0384 0.3.0): what most deployed clients speak. It covers the
    /// text of a message only.
    Legacy,
    /// `urn:xmpp:omemo:2` (XEP-0384 0.9.1): the content is a whole XEP-0420 envelope.
    Omemo2,
}

impl Flavour {
    /// The XML namespace.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Legacy => "eu.siacs.conversations.axolotl",
            Self::Omemo2 => NAMESPACE,
        }
    }

    /// A public key as it stands in bundles of this flavour: with a type byte before it in the legacy one.
    pub fn encode_key(self, key: &[u8; 32]) -> alloc::vec::Vec<u8> {
        [self.key_prefix(), key].concat()
    }

    /// The public key in bytes of a bundle. It is not checked by this.
    ///
    /// # Errors
    /// [`KeyError::Form`] if length or type byte are wrong.
    pub fn decode_key(self, bytes: &[u8]) -> Result<[u8; 32], KeyError> {
        bytes
            .strip_prefix(self.key_prefix())
            .and_then(|key| key.try_into().ok())
            .ok_or(KeyError::Form)
    }

    /// Whether two keys are one identity, as far as this flavour can tell: in the legacy one identities travel
    /// without the sign of their Ed25519 form.
    pub fn is_same(self, one: &IdentityKey, other: &IdentityKey) -> bool {
        match self {
            Self::Legacy => one.curve25519() == other.curve25519(),
            Self::Omemo2 => one == other,
        }
    }

    /// HKDF info of the key agreement.
    pub(crate) const fn info_key_agreement(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperText",
            Self::Omemo2 => b"OMEMO X3DH",
        }
    }

    /// HKDF info of a step of the root chain.
    pub(crate) const fn info_root(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperRatchet",
            Self::Omemo2 => b"OMEMO Root Chain",
        }
    }

    /// HKDF info of the keys of one message of the ratchet.
    pub(crate) const fn info_message(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperMessageKeys",
            Self::Omemo2 => b"OMEMO Message Key Material",
        }
    }

    /// Bytes that are left of a message's HMAC-SHA-256.
    pub(crate) const fn tag_len(self) -> usize {
        match self {
            Self::Legacy => 8,
            Self::Omemo2 => 16,
        }
    }

    /// What stands before each public key, on the wire and in associated data.
    pub(crate) const fn key_prefix(self) -> &'static [u8] {
        match self {
            Self::Legacy => &[CURVE25519],
            Self::Omemo2 => &[],
        }
    }

    /// The number of the flavour in stored states.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Omemo2 => 1,
            Self::Legacy => 2,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Omemo2),
            2 => Some(Self::Legacy),
            _ => None,
        }
    }
}

/// The XML namespace of [`Flavour::Omemo2`].
pub const NAMESPACE: &str = "urn:xmpp:omemo:2";

/// The type byte of X25519 keys in the legacy flavour.
pub(crate) const CURVE25519: u8 = 5;

/// HKDF info of the keys of a payload of [`Flavour::Omemo2`].
pub(crate) const INFO_PAYLOAD: &[u8] = b"OMEMO Payload";

/// HMAC input that turns a chain key into a message key.
pub(crate) const CHAIN_MESSAGE: u8 = 1;
/// HMAC input that turns a chain key into the next chain key.
pub(crate) const CHAIN_NEXT: u8 = 2;

/// From this message number of a chain on, its receiver owes a sign of life (XEP-0384, "Heartbeat").
pub(crate) const HEARTBEAT_AT: u32 = 53;

/// HKDF infos of what Chappe draws from a key agreement beside OMEMO.
pub(crate) const INFO_PAIR_SECRET: &[u8] = b"Chappe pair secret";
pub(crate) const INFO_SESSION_ID: &[u8] = b"Chappe session id";
