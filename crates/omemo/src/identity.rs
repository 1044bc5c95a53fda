//! Who a device is: an Ed25519 key pair that signs prekeys and, mapped to Curve25519, agrees on keys.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write as _};

use curve25519_dalek::MontgomeryPoint;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::curve::{KeyError, KeyPair, PublicKey, is_canonical};
use crate::flavour::Flavour;
use crate::stack;

/// The secret identity of a device.
///
/// ```
/// use chappe_omemo::Identity;
/// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
///
/// let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
/// let identity = Identity::generate(&mut rng);
/// println!("compare with the other side: {}", identity.fingerprint());
/// ```
#[derive(Clone)]
pub struct Identity {
    /// Boxed: moving it leaves no copies behind.
    signing: Box<SigningKey>,
    agreement: KeyPair,
    public: IdentityKey,
}

impl Identity {
    /// Makes an identity.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        stack::wiped(|| {
            let mut seed = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut *seed);
            Self::of_seed(&seed)
        })
    }

    /// The identity of an Ed25519 seed (RFC 8032, section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        stack::wiped(|| Self::of_seed(seed))
    }

    fn of_seed(seed: &[u8; 32]) -> Self {
        let signing = Box::new(SigningKey::from_bytes(seed));
        let scalar = Zeroizing::new(signing.to_scalar_bytes());
        let agreement = KeyPair::from_secret(StaticSecret::from(*scalar));
        let public = IdentityKey {
            ed25519: signing.verifying_key().to_bytes(),
            curve25519: agreement.public(),
        };
        Self {
            signing,
            agreement,
            public,
        }
    }

    /// The public key.
    pub const fn public(&self) -> IdentityKey {
        self.public
    }

    /// What two people compare; see [`IdentityKey::fingerprint`].
    pub fn fingerprint(&self) -> Fingerprint {
        self.public.fingerprint()
    }

    /// The seed, which is all of the secret: for storing it.
    pub fn seed(&self) -> &[u8; 32] {
        self.signing.as_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        stack::wiped(|| self.signing.sign(message).to_bytes())
    }

    /// Signs a prekey, as its flavour does it: the legacy one covers the type byte too, and hides the sign of
    /// the Ed25519 key in the signature's top bit, which is clear in every valid one.
    pub(crate) fn sign_prekey(&self, flavour: Flavour, key: &PublicKey) -> [u8; SIGNATURE_LEN] {
        let mut signature = self.sign(&flavour.encode_key(key.as_bytes()));
        if flavour == Flavour::Legacy {
            let [.., sign] = self.public.ed25519;
            let [.., last] = &mut signature;
            *last |= sign & TOP_BIT;
        }
        signature
    }

    pub(crate) const fn agreement(&self) -> &KeyPair {
        &self.agreement
    }
}

/// The public identity of a device. It travels as Ed25519, sign bit kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityKey {
    ed25519: [u8; 32],
    curve25519: PublicKey,
}

impl IdentityKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Checks and takes the Ed25519 form.
    ///
    /// # Errors
    /// [`KeyError`] unless the bytes are the canonical form of a point that is not of low order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let mut y = bytes;
        let [.., high] = &mut y;
        *high &= !TOP_BIT;
        if !is_canonical(&y) {
            return Err(KeyError::NotCanonical);
        }
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self {
            ed25519: bytes,
            curve25519: PublicKey::from_bytes(key.to_montgomery().to_bytes())?,
        })
    }

    /// Checks and takes the Curve25519 form, in which identities travel in the legacy flavour. `sign` is the
    /// bit that this form has lost: of the y-axis on which the Ed25519 form lies. Where nobody tells it, the
    /// convention is `false` (XEdDSA), and only Curve25519 forms may be compared.
    ///
    /// # Errors
    /// [`KeyError`] unless the bytes are the canonical form of a point that is not of low order.
    pub fn from_curve25519(bytes: [u8; 32], sign: bool) -> Result<Self, KeyError> {
        let curve25519 = PublicKey::from_bytes(bytes)?;
        let point = MontgomeryPoint(bytes)
            .to_edwards(sign.into())
            .ok_or(KeyError::NotOnCurve)?;
        Ok(Self {
            ed25519: point.compress().to_bytes(),
            curve25519,
        })
    }

    /// The Ed25519 form.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.ed25519
    }

    /// The Curve25519 form, with which keys are agreed.
    pub const fn curve25519(&self) -> &PublicKey {
        &self.curve25519
    }

    /// What two people compare.
    pub const fn fingerprint(&self) -> Fingerprint {
        Fingerprint(*self.curve25519.as_bytes())
    }

    /// The identity of a legacy bundle, if it signed this prekey.
    pub(crate) fn of_legacy_signer(
        curve25519: [u8; 32],
        prekey: &[u8; 32],
        signature: &[u8; SIGNATURE_LEN],
    ) -> Result<Option<Self>, KeyError> {
        let mut plain = *signature;
        let [.., last] = &mut plain;
        let sign = *last & TOP_BIT != 0;
        *last &= !TOP_BIT;
        let key = Self::from_curve25519(curve25519, sign)?;
        let signed = key.verify(&Flavour::Legacy.encode_key(prekey), &plain);
        Ok(signed.then_some(key))
    }

    /// What the associated data of a flavour says of this identity, after the flavour's prefix.
    pub(crate) const fn associated(&self, flavour: Flavour) -> &[u8; 32] {
        match flavour {
            Flavour::Legacy => self.curve25519.as_bytes(),
            Flavour::Omemo2 => &self.ed25519,
        }
    }

    /// Whether this identity signed the message.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        VerifyingKey::from_bytes(&self.ed25519).is_ok_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(signature))
                .is_ok()
        })
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.ed25519;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// The Curve25519 form of an identity key, the same for all flavours of OMEMO. Shown as lower-case hex in
/// eight groups of eight (XEP-0384, section "Security Considerations").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(71);
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index.is_multiple_of(4) {
                text.push(' ');
            }
            write!(text, "{byte:02x}")?;
        }
        f.pad(&text)
    }
}

/// The bit of an Ed25519 key that tells its sign.
const TOP_BIT: u8 = 0x80;

/// Length of an Ed25519 signature in bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;
