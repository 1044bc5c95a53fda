//! The constants of `urn:xmpp:omemo:2`. Another flavour would differ here and in the wire formats.

/// The XML namespace of the flavour that this crate speaks (XEP-0384 0.9.1).
pub const NAMESPACE: &str = "urn:xmpp:omemo:2";

/// HKDF info of the key agreement.
pub(crate) const INFO_KEY_AGREEMENT: &[u8] = b"OMEMO X3DH";
/// HKDF info of a step of the root chain.
pub(crate) const INFO_ROOT: &[u8] = b"OMEMO Root Chain";
/// HKDF info of the keys of one message of the ratchet.
pub(crate) const INFO_MESSAGE: &[u8] = b"OMEMO Message Key Material";
/// HKDF info of the keys of a payload.
pub(crate) const INFO_PAYLOAD: &[u8] = b"OMEMO Payload";

/// HMAC input that turns a chain key into a message key.
pub(crate) const CHAIN_MESSAGE: u8 = 1;
/// HMAC input that turns a chain key into the next chain key.
pub(crate) const CHAIN_NEXT: u8 = 2;

/// Bytes that are left of an HMAC-SHA-256.
pub(crate) const TAG_LEN: usize = 16;

/// From this message number of a chain on, its receiver owes a sign of life (XEP-0384, "Heartbeat").
pub(crate) const HEARTBEAT_AT: u32 = 53;

/// HKDF infos of what Chappe draws from a key agreement beside OMEMO.
pub(crate) const INFO_PAIR_SECRET: &[u8] = b"Chappe pair secret";
pub(crate) const INFO_SESSION_ID: &[u8] = b"Chappe session id";
