//! The three messages of XEP-0384's protobuf schema, which travel in `<key/>` elements.
//!
//! Exactly one encoding of each decodes: all fields, once, in the order of their numbers, with the shortest
//! varints, and nothing else. So nothing that is not authenticated can be added or changed unseen.

use alloc::vec::Vec;

use crate::cipher::Tag;
use crate::curve::{KeyError, PublicKey};
use crate::identity::IdentityKey;
use crate::{PreKeyId, SignedPreKeyId};

/// The longest key element that is read, in bytes. The longest one that is written has about 200.
pub const MAX_KEY_ELEMENT_LEN: usize = 512;

/// `OMEMOKeyExchange`: what starts a session, around the first message. Repeated until it is answered.
///
/// ```text
/// +----+---------+----+---------+----+----+----+----+----+----+----+----+---------------------------+
/// | 08 | pk_id   | 10 | spk_id  | 1a | 20 | ik | 22 | 20 | ek | 2a | len| AuthenticatedMessage      |
/// |    | varint  |    | varint  |    |    | 32 |    |    | 32 |    |    |                           |
/// +----+---------+----+---------+----+----+----+----+----+----+----+----+---------------------------+
/// ```
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
    /// The initiator.
    pub identity: IdentityKey,
    /// The initiator's ephemeral key.
    pub ephemeral: PublicKey,
}

impl<'a> KeyExchange<'a> {
    /// Reads a key exchange.
    ///
    /// # Errors
    /// [`KeyElementError`] if it is not the one encoding of a key exchange with valid keys.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        let mut fields = Fields::of(bytes)?;
        let prekey_id = PreKeyId::new(fields.varint(1)?).ok_or(KeyElementError::Id)?;
        let signed_prekey_id = SignedPreKeyId::new(fields.varint(2)?).ok_or(KeyElementError::Id)?;
        let identity = IdentityKey::from_bytes(*fields.array(3)?)?;
        let ephemeral = PublicKey::from_bytes(*fields.array(4)?)?;
        let message = AuthenticatedMessage::parse(fields.bytes(5)?)?;
        fields.end()?;
        Ok(Self {
            header: KeyExchangeHeader {
                prekey_id,
                signed_prekey_id,
                identity,
                ephemeral,
            },
            message,
        })
    }
}

impl KeyExchangeHeader {
    /// The key exchange around an encoded [`AuthenticatedMessage`].
    pub(crate) fn encode(&self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len().saturating_add(90));
        put_varint(&mut out, 1, self.prekey_id.number());
        put_varint(&mut out, 2, self.signed_prekey_id.number());
        put_bytes(&mut out, 3, self.identity.as_bytes());
        put_bytes(&mut out, 4, self.ephemeral.as_bytes());
        put_bytes(&mut out, 5, message);
        out
    }
}

/// `OMEMOAuthenticatedMessage`: a message and its tag.
///
/// ```text
/// +----+----+------+----+-----+------------------+
/// | 0a | 10 | mac  | 12 | len | message          |
/// |    |    | 16   |    |     | as authenticated |
/// +----+----+------+----+-----+------------------+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedMessage<'a> {
    /// The tag over the associated data and `bytes`.
    pub tag: Tag,
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
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        let mut fields = Fields::of(bytes)?;
        let tag = *fields.array(1)?;
        let bytes = fields.bytes(2)?;
        fields.end()?;
        let message = RatchetMessage::parse(bytes)?;
        Ok(Self {
            tag,
            bytes,
            message,
        })
    }

    pub(crate) fn encode(tag: &Tag, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len().saturating_add(21));
        put_bytes(&mut out, 1, tag);
        put_bytes(&mut out, 2, message);
        out
    }
}

/// `OMEMOMessage`: one message of the Double Ratchet. Zeros are written out.
///
/// ```text
/// +----+--------+----+--------+----+----+--------+----+-----+------------+
/// | 08 | n      | 10 | pn     | 1a | 20 | dh_pub | 22 | len | ciphertext |
/// |    | varint |    | varint |    |    | 32     |    |     | 48 or 64   |
/// +----+--------+----+--------+----+----+--------+----+-----+------------+
/// ```
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

impl<'a> RatchetMessage<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        let mut fields = Fields::of(bytes)?;
        let number = fields.varint(1)?;
        let previous_length = fields.varint(2)?;
        let ratchet_key = PublicKey::from_bytes(*fields.array(3)?)?;
        let ciphertext = fields.bytes(4)?;
        fields.end()?;
        Ok(Self {
            number,
            previous_length,
            ratchet_key,
            ciphertext,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.ciphertext.len().saturating_add(49));
        put_varint(&mut out, 1, self.number);
        put_varint(&mut out, 2, self.previous_length);
        put_bytes(&mut out, 3, self.ratchet_key.as_bytes());
        put_bytes(&mut out, 4, self.ciphertext);
        out
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

/// A reader of the fields of one protobuf message, in order.
struct Fields<'a>(&'a [u8]);

/// Wire types of protobuf: a varint, and bytes with their length before them.
const WIRE_VARINT: u8 = 0;
const WIRE_BYTES: u8 = 2;

impl<'a> Fields<'a> {
    const fn of(bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        if bytes.len() > MAX_KEY_ELEMENT_LEN {
            return Err(KeyElementError::TooLong);
        }
        Ok(Self(bytes))
    }

    fn varint(&mut self, field: u8) -> Result<u32, KeyElementError> {
        self.key(field, WIRE_VARINT)?;
        self.number()
    }

    fn bytes(&mut self, field: u8) -> Result<&'a [u8], KeyElementError> {
        self.key(field, WIRE_BYTES)?;
        let length = usize::try_from(self.number()?).map_err(|_| KeyElementError::Encoding)?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(KeyElementError::Encoding)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, field: u8) -> Result<&'a [u8; N], KeyElementError> {
        self.bytes(field)?
            .try_into()
            .map_err(|_| KeyElementError::Encoding)
    }

    const fn end(self) -> Result<(), KeyElementError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KeyElementError::Encoding)
        }
    }

    fn key(&mut self, field: u8, wire_type: u8) -> Result<(), KeyElementError> {
        if self.byte()? == field << 3 | wire_type {
            Ok(())
        } else {
            Err(KeyElementError::Encoding)
        }
    }

    /// A varint of at most 32 bits, in as few bytes as possible.
    fn number(&mut self) -> Result<u32, KeyElementError> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(KeyElementError::Encoding);
                }
                return u32::try_from(value).map_err(|_| KeyElementError::Encoding);
            }
        }
        Err(KeyElementError::Encoding)
    }

    fn byte(&mut self) -> Result<u8, KeyElementError> {
        let (byte, rest) = self.0.split_first().ok_or(KeyElementError::Encoding)?;
        self.0 = rest;
        Ok(*byte)
    }
}

fn put_varint(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3 | WIRE_VARINT);
    put_number(out, u64::from(value));
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | WIRE_BYTES);
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
