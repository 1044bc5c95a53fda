//! X3DH (Signal, "The X3DH Key Agreement Protocol", revision 1), always with a one-time prekey.

use crate::SessionId;
use crate::curve::{KeyError, KeyPair, PublicKey};
use crate::flavour::{Flavour, INFO_PAIR_SECRET, INFO_SESSION_ID};
use crate::identity::{Identity, IdentityKey};
use crate::kdf::{Secret, hkdf};
use zeroize::Zeroizing;

/// What both ends hold after a key agreement.
pub(crate) struct Agreement {
    /// The first root key.
    pub(crate) root: Secret,
    /// What other parts of Chappe derive their keys from.
    pub(crate) exporter: Secret,
    pub(crate) session: SessionId,
}

/// The keys of the responder that the initiator uses.
pub(crate) struct Responder<'a> {
    pub(crate) identity: &'a IdentityKey,
    pub(crate) signed_prekey: &'a PublicKey,
    pub(crate) prekey: &'a PublicKey,
}

/// The initiator's side.
///
/// # Errors
/// [`KeyError::LowOrder`] if one of the four agreements is zero.
pub(crate) fn initiate(
    flavour: Flavour,
    identity: &Identity,
    ephemeral: &KeyPair,
    responder: &Responder<'_>,
) -> Result<Agreement, KeyError> {
    Ok(combine(
        flavour,
        [
            identity.agreement().agree(responder.signed_prekey)?,
            ephemeral.agree(responder.identity.curve25519())?,
            ephemeral.agree(responder.signed_prekey)?,
            ephemeral.agree(responder.prekey)?,
        ],
    ))
}

/// The secret keys of the responder.
pub(crate) struct ResponderKeys<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) signed_prekey: &'a KeyPair,
    pub(crate) prekey: &'a KeyPair,
}

/// The responder's side.
///
/// # Errors
/// [`KeyError::LowOrder`] if one of the four agreements is zero.
pub(crate) fn respond(
    flavour: Flavour,
    keys: &ResponderKeys<'_>,
    initiator: &IdentityKey,
    ephemeral: &PublicKey,
) -> Result<Agreement, KeyError> {
    Ok(combine(
        flavour,
        [
            keys.signed_prekey.agree(initiator.curve25519())?,
            keys.identity.agreement().agree(ephemeral)?,
            keys.signed_prekey.agree(ephemeral)?,
            keys.prekey.agree(ephemeral)?,
        ],
    ))
}

/// `SK = HKDF(32 x ff || DH1 || DH2 || DH3 || DH4, salt 0, flavour's info)`, and what is drawn from it.
fn combine(flavour: Flavour, agreements: [Secret; 4]) -> Agreement {
    let mut input = Zeroizing::new([0xff; 5 * 32]);
    for (part, agreement) in input.chunks_mut(32).skip(1).zip(&agreements) {
        part.copy_from_slice(&**agreement);
    }
    let root = hkdf::<32>(&*input, &[0; 32], flavour.info_key_agreement());
    Agreement {
        exporter: hkdf::<32>(&*root, &[0; 32], INFO_PAIR_SECRET),
        session: SessionId::from_bytes(*hkdf::<16>(&*root, &[0; 32], INFO_SESSION_ID)),
        root,
    }
}
