//! HMAC-SHA-256 and HKDF-SHA-256 (RFC 2104, RFC 5869) over secrets that are wiped.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret of 32 bytes, wiped on drop.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// HMAC-SHA-256 over the parts, one after another.
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Secret {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    let mut out = Secret::default();
    out.copy_from_slice(&mac.finalize().into_bytes());
    out
}

/// HMAC-SHA-256 with one key over two inputs, each by itself.
pub(crate) fn hmac_two(key: &[u8; 32], first: &[u8], second: &[u8]) -> (Secret, Secret) {
    let keyed = keyed(key);
    let mac = |input| {
        let mut out = Secret::default();
        out.copy_from_slice(&keyed.clone().chain_update(input).finalize().into_bytes());
        out
    };
    (mac(first), mac(second))
}

/// HKDF-SHA-256 to `N` bytes.
pub(crate) fn hkdf<const N: usize>(
    input: &[u8],
    salt: &[u8; 32],
    info: &[u8],
) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32) };
    let extracted = hmac(salt, &[input]);
    let keyed = keyed(&extracted);
    let mut out = Zeroizing::new([0; N]);
    let mut previous = Secret::default();
    for (index, block) in (1_u8..=u8::MAX).zip(out.chunks_mut(32)) {
        let mut mac = keyed.clone();
        if index > 1 {
            mac.update(&*previous);
        }
        mac.update(info);
        mac.update(&[index]);
        previous.copy_from_slice(&mac.finalize().into_bytes());
        for (to, from) in block.iter_mut().zip(previous.iter()) {
            *to = *from;
        }
    }
    out
}

/// A key shorter than HMAC's block is padded with zeros: this cannot fail.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, test case 3 (no salt, no info) has an input of 22 bytes 0x0b and 42 bytes of output.
    #[test]
    fn hkdf_as_in_rfc_5869() {
        let out = hkdf::<42>(&[0x0b; 22], &[0; 32], b"");
        let expected = [
            0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80, 0x2a, 0x06, 0x3c,
            0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1, 0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f,
            0x3c, 0x73, 0x8d, 0x2d, 0x9d, 0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8,
        ];
        assert_eq!(*out, expected);
    }

    /// RFC 4231, test case 1, its key padded from 20 to 32 bytes with zeros, which HMAC does anyway.
    #[test]
    fn hmac_as_in_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let out = hmac(&key, &[b"Hi", b" There"]);
        assert_eq!(out[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }
}
