//! Curve25519 as OMEMO uses it: X25519 keys that were checked, and agreements that cannot be zero.

use alloc::boxed::Box;
use core::fmt;

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use x25519_dalek::StaticSecret;
use zeroize::Zeroize as _;

use crate::kdf::Secret;
use crate::stack;

/// A public X25519 key: canonical (below 2^255 - 19, so the top bit is clear) and not of low order.
///
/// RFC 7748 lets a receiver mask the top bit and reduce the rest, so several strings would mean one key;
/// messages could then be made to look new without being so. Such strings are refused here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Checks and takes a key.
    ///
    /// # Errors
    /// [`KeyError::NotCanonical`] or [`KeyError::LowOrder`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        if !is_canonical(&bytes) {
            return Err(KeyError::NotCanonical);
        }
        if LOW_ORDER.contains(&bytes) {
            return Err(KeyError::LowOrder);
        }
        Ok(Self(bytes))
    }

    /// The bytes of the key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the key is in the group of prime order, as every key is that was made from a secret. A key
    /// with a torsion part agrees on the same secrets as the one without: it is a second name for it.
    pub(crate) fn is_torsion_free(&self) -> bool {
        // Times the order less one is the negative. The key is public, so this need not take constant time,
        // which makes it cost half as much.
        self.to_edwards().is_some_and(|point| {
            let times = EdwardsPoint::vartime_double_scalar_mul_basepoint;
            times(&-Scalar::ONE, &point, &Scalar::ZERO) == -point
        })
    }

    /// One of the two points of the Edwards form; `None` for a key on the twist.
    fn to_edwards(self) -> Option<EdwardsPoint> {
        MontgomeryPoint(self.0).to_edwards(0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// Why a public key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not the one way to write this key.
    #[error("the key is not written canonically")]
    NotCanonical,
    /// The length or the type byte is wrong.
    #[error("the key has a wrong length or type")]
    Form,
    /// Agreements with this key would be known to everyone.
    #[error("the key has low order")]
    LowOrder,
    /// The bytes are no point of the curve.
    #[error("the key is not on the curve")]
    NotOnCurve,
}

/// A secret X25519 key beside its public key, which would cost 20 microseconds to compute again. The secret is
/// boxed: wherever pairs are moved to, by maps and lists too, no copies of it are left behind.
#[derive(Clone)]
pub(crate) struct KeyPair {
    secret: Box<StaticSecret>,
    public: PublicKey,
}

impl KeyPair {
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        stack::wiped(|| Self::from_secret(StaticSecret::random_from_rng(rng)))
    }

    pub(crate) fn from_secret(secret: StaticSecret) -> Self {
        let public = PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self {
            secret: Box::new(secret),
            public,
        }
    }

    /// Takes both halves from our own state, without computing the public key again.
    pub(crate) fn from_parts(secret: [u8; 32], public: PublicKey) -> Self {
        Self {
            secret: Box::new(StaticSecret::from(secret)),
            public,
        }
    }

    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn secret_bytes(&self) -> &[u8; 32] {
        self.secret.as_bytes()
    }

    /// X25519 (RFC 7748, section 6.1).
    ///
    /// # Errors
    /// [`KeyError::LowOrder`] if the result is zero.
    pub(crate) fn agree(&self, theirs: &PublicKey) -> Result<Secret, KeyError> {
        let shared = x25519(&self.secret, theirs);
        if shared.ct_eq(&[0; 32]).into() {
            return Err(KeyError::LowOrder);
        }
        Ok(shared)
    }
}

/// X25519 by way of the Edwards form of the curve, where the processor has vector code for it: with the way
/// there and back it takes two thirds of the ladder's time, and like that the same whatever the secret is.
fn x25519(secret: &StaticSecret, theirs: &PublicKey) -> Secret {
    let vectors = cfg!(target_arch = "x86_64");
    let Some(point) = vectors.then(|| theirs.to_edwards()).flatten() else {
        return ladder(secret, theirs);
    };
    let mut product = point.mul_clamped(secret.to_bytes());
    let shared = Secret::new(product.to_montgomery().to_bytes());
    product.zeroize();
    shared
}

/// X25519 as it is written in RFC 7748. Keys on the curve's twist, which no secret leads to, have no other way.
fn ladder(secret: &StaticSecret, theirs: &PublicKey) -> Secret {
    let shared = secret.diffie_hellman(&x25519_dalek::PublicKey::from(theirs.0));
    Secret::new(shared.to_bytes())
}

/// Whether the bytes, little-endian, are below 2^255 - 19. Public keys only: not in constant time.
pub(crate) fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (middle.iter().any(|&byte| byte != 0xff) || *low < 0xed))
}

/// The canonical u-coordinates whose agreements are zero: 0, 1, p - 1 and two of order 8.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Half of the keys are on the twist, and some of either kind have a torsion part.
        #[test]
        fn both_ways_to_agree_are_one(secret: [u8; 32], mut theirs: [u8; 32]) {
            theirs[31] &= 0x7f;
            let secret = StaticSecret::from(secret);
            if let Ok(theirs) = PublicKey::from_bytes(theirs) {
                prop_assert_eq!(x25519(&secret, &theirs), ladder(&secret, &theirs));
            }
        }
    }

    #[test]
    fn points_with_a_torsion_part_agree_on_the_same_either_way() {
        let secret = StaticSecret::from([7; 32]);
        let base = EdwardsPoint::mul_base(&Scalar::from(1_234_567_u64));
        let expected = ladder(&secret, &PublicKey(base.to_montgomery().to_bytes()));
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
            let key = PublicKey::from_bytes((base + torsion).to_montgomery().to_bytes()).unwrap();
            assert_eq!(x25519(&secret, &key), expected);
            assert_eq!(ladder(&secret, &key), expected);
        }
    }
}
