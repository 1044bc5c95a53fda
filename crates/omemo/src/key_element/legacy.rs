//! Key elements of `eu.siacs.conversations.axolotl` (XEP-0384 0.3.0): messages of version 3 of the protocol
//! that Signal used then. Each begins with a byte for the version, twice.

use alloc::vec::Vec;

use super::fields::{Fields, put_bytes, put_varint};
use super::{
    AuthenticatedMessage, KeyElementError, KeyExchange, KeyExchangeHeader, MAX_KEY_ELEMENT_LEN,
    RatchetMessage,
};
use crate::curve::{KeyError, PublicKey};
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::{DeviceId, PreKeyId, SignedPreKeyId};

/// Version 3 of a sender who knows no later one.
const VERSION: u8 = 0x33;

/// `PreKeySignalMessage`. The device id is read as little as the version: nobody authenticates it.
///
/// ```text
/// +----+----+--------+-------+-------+----+----+-------+----+-----+-----------+----+--------+----+--------+
/// | 33 | 08 | pk_id  | 12 21 | 05 ek | 1a | 21 | 05 ik | 22 | len | Signal-   | 28 | device | 30 | spk_id |
/// |    |    | varint |       | 33    |    |    | 33    |    |     | Message   |    | varint |    | varint |
/// +----+----+--------+-------+-------+----+----+-------+----+-----+-----------+----+--------+----+--------+
/// ```
pub(super) fn encode_exchange(
    header: &KeyExchangeHeader,
    sender: DeviceId,
    message: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().saturating_add(97));
    out.push(VERSION);
    put_varint(&mut out, 1, header.prekey_id.number());
    put_key(&mut out, 2, header.ephemeral.as_bytes());
    put_key(&mut out, 3, header.identity.curve25519().as_bytes());
    put_bytes(&mut out, 4, message);
    put_varint(&mut out, 5, sender.number());
    put_varint(&mut out, 6, header.signed_prekey_id.number());
    out
}

pub(super) fn parse_exchange(bytes: &[u8]) -> Result<KeyExchange<'_>, KeyElementError> {
    let mut fields = Fields::of(strip_version(bytes)?)?;
    let prekey_id = PreKeyId::new(fields.varint(1)?).ok_or(KeyElementError::Id)?;
    let ephemeral = key(&mut fields, 2)?;
    let identity = key(&mut fields, 3)?;
    let message = fields.bytes(4)?;
    fields.optional_varint(5)?;
    let signed_prekey_id = SignedPreKeyId::new(fields.varint(6)?).ok_or(KeyElementError::Id)?;
    fields.end()?;
    Ok(KeyExchange {
        message: parse_authenticated(message)?,
        header: KeyExchangeHeader {
            prekey_id,
            signed_prekey_id,
            identity: IdentityKey::from_curve25519(identity, false)?,
            ephemeral: PublicKey::from_bytes(ephemeral)?,
        },
    })
}

pub(super) fn parse_authenticated(
    bytes: &[u8],
) -> Result<AuthenticatedMessage<'_>, KeyElementError> {
    if bytes.len() > MAX_KEY_ELEMENT_LEN {
        return Err(KeyElementError::TooLong);
    }
    let (bytes, tag) = bytes
        .len()
        .checked_sub(Flavour::Legacy.tag_len())
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or(KeyElementError::Encoding)?;
    Ok(AuthenticatedMessage {
        tag,
        bytes,
        message: parse_message(bytes)?,
    })
}

/// `SignalMessage`, without the eight bytes of tag that follow it.
///
/// ```text
/// +----+-------+-----------+----+---------+----+------------------+----+-----+------------+
/// | 33 | 0a 21 | 05 ratchet| 10 | counter | 18 | previous counter | 22 | len | ciphertext |
/// |    |       | 33        |    | varint  |    | varint           |    |     | 32 or 48   |
/// +----+-------+-----------+----+---------+----+------------------+----+-----+------------+
/// ```
pub(super) fn encode_message(message: &RatchetMessage<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.ciphertext.len().saturating_add(59));
    out.push(VERSION);
    put_key(&mut out, 1, message.ratchet_key.as_bytes());
    put_varint(&mut out, 2, message.number);
    put_varint(&mut out, 3, message.previous_length);
    put_bytes(&mut out, 4, message.ciphertext);
    out
}

fn parse_message(bytes: &[u8]) -> Result<RatchetMessage<'_>, KeyElementError> {
    let mut fields = Fields::of(strip_version(bytes)?)?;
    let ratchet_key = key(&mut fields, 1)?;
    let number = fields.varint(2)?;
    let previous_length = fields.varint(3)?;
    let ciphertext = fields.bytes(4)?;
    fields.end()?;
    Ok(RatchetMessage {
        number,
        previous_length,
        ratchet_key: PublicKey::from_bytes(ratchet_key)?,
        ciphertext,
    })
}

fn strip_version(bytes: &[u8]) -> Result<&[u8], KeyElementError> {
    bytes
        .strip_prefix(&[VERSION])
        .ok_or(KeyElementError::Encoding)
}

fn put_key(out: &mut Vec<u8>, field: u8, key: &[u8; 32]) {
    put_bytes(out, field, &Flavour::Legacy.encode_key(key));
}

fn key(fields: &mut Fields<'_>, field: u8) -> Result<[u8; 32], KeyError> {
    let bytes = fields.bytes(field).map_err(|_| KeyError::Form)?;
    Flavour::Legacy.decode_key(bytes)
}
