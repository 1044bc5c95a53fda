//! Key elements of `urn:xmpp:omemo:2` (XEP-0384 0.9.1, "Protobuf Schema").

use alloc::vec::Vec;

use super::fields::{Fields, put_bytes, put_varint};
use super::{
    AuthenticatedMessage, KeyElementError, KeyExchange, KeyExchangeHeader, RatchetMessage,
};
use crate::curve::PublicKey;
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::{PreKeyId, SignedPreKeyId};

/// `OMEMOKeyExchange`.
///
/// ```text
/// +----+---------+----+---------+----+----+----+----+----+----+----+----+---------------------------+
/// | 08 | pk_id   | 10 | spk_id  | 1a | 20 | ik | 22 | 20 | ek | 2a | len| AuthenticatedMessage      |
/// |    | varint  |    | varint  |    |    | 32 |    |    | 32 |    |    |                           |
/// +----+---------+----+---------+----+----+----+----+----+----+----+----+---------------------------+
/// ```
pub(super) fn encode_exchange(header: &KeyExchangeHeader, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().saturating_add(90));
    put_varint(&mut out, 1, header.prekey_id.number());
    put_varint(&mut out, 2, header.signed_prekey_id.number());
    put_bytes(&mut out, 3, header.identity.as_bytes());
    put_bytes(&mut out, 4, header.ephemeral.as_bytes());
    put_bytes(&mut out, 5, message);
    out
}

pub(super) fn parse_exchange(bytes: &[u8]) -> Result<KeyExchange<'_>, KeyElementError> {
    let mut fields = Fields::of(bytes)?;
    let prekey_id = PreKeyId::new(fields.varint(1)?).ok_or(KeyElementError::Id)?;
    let signed_prekey_id = SignedPreKeyId::new(fields.varint(2)?).ok_or(KeyElementError::Id)?;
    let identity = fields.array(3)?;
    let ephemeral = fields.array(4)?;
    let message = fields.bytes(5)?;
    fields.end()?;
    Ok(KeyExchange {
        message: parse_authenticated(message)?,
        header: KeyExchangeHeader {
            prekey_id,
            signed_prekey_id,
            identity: IdentityKey::from_bytes(*identity)?,
            ephemeral: PublicKey::from_bytes(*ephemeral)?,
        },
    })
}

/// `OMEMOAuthenticatedMessage`.
///
/// ```text
/// +----+----+------+----+-----+------------------+
/// | 0a | 10 | mac  | 12 | len | message          |
/// |    |    | 16   |    |     | as authenticated |
/// +----+----+------+----+-----+------------------+
/// ```
pub(super) fn encode_authenticated(tag: &[u8], message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().saturating_add(21));
    put_bytes(&mut out, 1, tag);
    put_bytes(&mut out, 2, message);
    out
}

pub(super) fn parse_authenticated(
    bytes: &[u8],
) -> Result<AuthenticatedMessage<'_>, KeyElementError> {
    let mut fields = Fields::of(bytes)?;
    let tag = fields.bytes(1)?;
    if tag.len() != Flavour::Omemo2.tag_len() {
        return Err(KeyElementError::Encoding);
    }
    let bytes = fields.bytes(2)?;
    fields.end()?;
    Ok(AuthenticatedMessage {
        tag,
        bytes,
        message: parse_message(bytes)?,
    })
}

/// `OMEMOMessage`.
///
/// ```text
/// +----+--------+----+--------+----+----+--------+----+-----+------------+
/// | 08 | n      | 10 | pn     | 1a | 20 | dh_pub | 22 | len | ciphertext |
/// |    | varint |    | varint |    |    | 32     |    |     | 48 or 64   |
/// +----+--------+----+--------+----+----+--------+----+-----+------------+
/// ```
pub(super) fn encode_message(message: &RatchetMessage<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.ciphertext.len().saturating_add(49));
    put_varint(&mut out, 1, message.number);
    put_varint(&mut out, 2, message.previous_length);
    put_bytes(&mut out, 3, message.ratchet_key.as_bytes());
    put_bytes(&mut out, 4, message.ciphertext);
    out
}

fn parse_message(bytes: &[u8]) -> Result<RatchetMessage<'_>, KeyElementError> {
    let mut fields = Fields::of(bytes)?;
    let number = fields.varint(1)?;
    let previous_length = fields.varint(2)?;
    let ratchet_key = PublicKey::from_bytes(*fields.array(3)?)?;
    let ciphertext = fields.bytes(4)?;
    fields.end()?;
    Ok(RatchetMessage {
        number,
        previous_length,
        ratchet_key,
        ciphertext,
    })
}
