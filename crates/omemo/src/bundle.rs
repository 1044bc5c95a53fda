//! What a device gives others so that they can start a session with it.

use alloc::vec;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use crate::curve::{KeyError, PublicKey};
use crate::flavour::Flavour;
use crate::identity::{IdentityKey, SIGNATURE_LEN};
use crate::{PreKeyId, SignedPreKeyId};

/// The most prekeys that a bundle may have. XEP-0384 advises 100.
pub const MAX_BUNDLE_PREKEYS: usize = 1_000;

/// A public one-time prekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreKey {
    /// Its id, unique on its device.
    pub id: PreKeyId,
    /// X25519, as on the wire, not checked.
    pub key: [u8; 32],
}

/// The public keys of a device as they came, not checked. [`Bundle::verify`] makes them usable.
///
/// Only the signed prekey is signed. A carrier of bundles can take one-time prekeys away or put others in
/// their place, which makes a session fail but not readable; who hands bundles on signs them as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Which flavour the keys are for.
    pub flavour: Flavour,
    /// The identity key: its Ed25519 form, or in the legacy flavour its Curve25519 form.
    pub identity: [u8; 32],
    /// The id of the signed prekey.
    pub signed_prekey_id: SignedPreKeyId,
    /// The signed prekey, X25519.
    pub signed_prekey: [u8; 32],
    /// The identity's Ed25519 signature over the signed prekey. In the legacy flavour it covers the type byte
    /// too, and its top bit is the sign of the identity's Ed25519 form.
    pub signature: [u8; SIGNATURE_LEN],
    /// The one-time prekeys. At least one is needed to start a session.
    pub prekeys: Vec<PreKey>,
}

impl Bundle {
    /// The same bundle with exactly this prekey: for an invite.
    #[must_use]
    pub fn with_prekey(self, prekey: PreKey) -> Self {
        Self {
            prekeys: vec![prekey],
            ..self
        }
    }

    /// Checks the signature and every key.
    ///
    /// # Errors
    /// [`BundleError`] says what is wrong.
    pub fn verify(&self) -> Result<VerifiedBundle, BundleError> {
        let (first, others) = self.prekeys.split_first().ok_or(BundleError::NoPreKey)?;
        if self.prekeys.len() > MAX_BUNDLE_PREKEYS {
            return Err(BundleError::TooManyPreKeys);
        }
        let identity = self.signer()?.ok_or(BundleError::Signature)?;
        let signed_prekey = PublicKey::from_bytes(self.signed_prekey)?;
        Ok(VerifiedBundle {
            flavour: self.flavour,
            identity,
            signed_prekey_id: self.signed_prekey_id,
            signed_prekey,
            first: first.verify()?,
            others: others
                .iter()
                .map(PreKey::verify)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The identity, if it signed the signed prekey.
    fn signer(&self) -> Result<Option<IdentityKey>, KeyError> {
        match self.flavour {
            Flavour::Legacy => {
                IdentityKey::of_legacy_signer(self.identity, &self.signed_prekey, &self.signature)
            }
            Flavour::Omemo2 => {
                let identity = IdentityKey::from_bytes(self.identity)?;
                let signed = identity.verify(&self.signed_prekey, &self.signature);
                Ok(signed.then_some(identity))
            }
        }
    }
}

/// A bundle whose signature and keys were checked: what [`Sessions::start`](crate::Sessions::start) needs.
/// There is no other way to make one than [`Bundle::verify`].
#[derive(Clone, Debug)]
pub struct VerifiedBundle {
    pub(crate) flavour: Flavour,
    pub(crate) identity: IdentityKey,
    pub(crate) signed_prekey_id: SignedPreKeyId,
    pub(crate) signed_prekey: PublicKey,
    first: VerifiedPreKey,
    others: Vec<VerifiedPreKey>,
}

type VerifiedPreKey = (PreKeyId, PublicKey);

impl PreKey {
    fn verify(&self) -> Result<VerifiedPreKey, KeyError> {
        Ok((self.id, PublicKey::from_bytes(self.key)?))
    }
}

impl VerifiedBundle {
    /// Which flavour the keys are for.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Whose bundle it is.
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// One of the prekeys at random; the only one without a throw.
    pub(crate) fn choose(&self, rng: &mut impl CryptoRng) -> &VerifiedPreKey {
        if self.others.is_empty() {
            return &self.first;
        }
        // The bias of a 64-bit number over at most 1,000 keys is below 2^-54.
        let number = rng.next_u64() % (self.others.len() as u64 + 1);
        usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| self.others.get(index))
            .unwrap_or(&self.first)
    }
}

/// Why a bundle is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The identity did not sign this signed prekey.
    #[error("the signature of the signed prekey is wrong")]
    Signature,
    /// There is no one-time prekey.
    #[error("the bundle has no one-time prekey")]
    NoPreKey,
    /// There are more than [`MAX_BUNDLE_PREKEYS`] one-time prekeys.
    #[error("the bundle has more than {MAX_BUNDLE_PREKEYS} one-time prekeys")]
    TooManyPreKeys,
    /// A key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}
