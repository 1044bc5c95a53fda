//! HKDF-SHA-256 (RFC 5869) for outputs of 32 and 64 bytes, so short that nothing in it can fail.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HKDF with an empty salt: 32 bytes that depend on all of `secret` and `info`.
pub(crate) fn hkdf(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    Prf::extracted(secret).expand(info)
}

/// HMAC-SHA-256 under one key: a pseudo-random function.
#[derive(Clone)]
pub(crate) struct Prf(Hmac<Sha256>);

impl Prf {
    /// The function under `key`, of at most 64 bytes.
    pub(crate) fn keyed<const N: usize>(key: &[u8; N]) -> Self {
        const { assert!(N <= 64) }
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        // HMAC pads short keys with zeros itself; a key of one block is the form that cannot fail.
        Self(Hmac::new((&*block).into()))
    }

    /// The function under what HKDF-Extract makes of `secret` and an empty salt.
    pub(crate) fn extracted(secret: &[u8]) -> Self {
        Self::keyed(&Self::keyed(&[0; 32]).of(&[secret]))
    }

    /// The function of the parts, one after the other.
    pub(crate) fn of(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// HKDF-Expand to 32 bytes; the function's key is the pseudo-random key.
    pub(crate) fn expand(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        self.block(&[], info, 1)
    }

    /// HKDF-Expand to 64 bytes, in halves. The first half is what [`Prf::expand`] gives.
    pub(crate) fn expand_twice(&self, info: &[&[u8]]) -> [Zeroizing<[u8; 32]>; 2] {
        let first = self.block(&[], info, 1);
        let second = self.block(&*first, info, 2);
        [first, second]
    }

    fn block(&self, previous: &[u8], info: &[&[u8]], number: u8) -> Zeroizing<[u8; 32]> {
        let mut mac = self.0.clone();
        mac.update(previous);
        for part in info {
            mac.update(part);
        }
        mac.update(&[number]);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hkdf_as_others_compute_it() {
        let secret = [7; 16];
        let theirs = hkdf::Hkdf::<Sha256>::new(None, &secret);
        let mut okm = [0; 64];
        theirs.expand(b"info", &mut okm).unwrap();

        assert_eq!(*super::hkdf(&secret, &[b"in", b"fo"]), okm[..32]);
        let [first, second] = Prf::extracted(&secret).expand_twice(&[b"info"]);
        assert_eq!([*first, *second].concat(), okm);
    }
}
