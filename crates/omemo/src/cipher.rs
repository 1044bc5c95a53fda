//! AES-256-CBC with PKCS#7 padding, then HMAC-SHA-256, cut: the cipher of the ratchet's messages, and of the
//! payload in `urn:xmpp:omemo:2`.

use alloc::vec::Vec;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::kdf::{Secret, hkdf, hmac};

/// The fewest bytes of an HMAC that are believed.
const MIN_TAG_LEN: usize = 8;

/// The keys of one message or one payload: used once, wiped on drop.
pub(crate) struct CipherKeys {
    pub(crate) encryption: Secret,
    pub(crate) authentication: Secret,
    pub(crate) iv: Zeroizing<[u8; 16]>,
}

impl CipherKeys {
    /// `HKDF(key, 32 zero bytes, info)` to 80 bytes: AES key, MAC key, IV.
    pub(crate) fn derive(key: &[u8; 32], info: &[u8]) -> Self {
        let okm = hkdf::<80>(key, &[0; 32], info);
        let mut keys = Self {
            encryption: Secret::default(),
            authentication: Secret::default(),
            iv: Zeroizing::default(),
        };
        let (encryption, rest) = okm.split_at(32);
        let (authentication, iv) = rest.split_at(32);
        keys.encryption.copy_from_slice(encryption);
        keys.authentication.copy_from_slice(authentication);
        keys.iv.copy_from_slice(iv);
        keys
    }

    /// Encrypts; the result is the next larger multiple of 16 bytes long.
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes256>::new((&*self.encryption).into(), (&*self.iv).into())
            .encrypt_padded_vec::<Pkcs7>(plaintext)
    }

    /// Decrypts what was authenticated before. `None`: the length or the padding is wrong.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        cbc::Decryptor::<Aes256>::new((&*self.encryption).into(), (&*self.iv).into())
            .decrypt_padded_vec::<Pkcs7>(ciphertext)
            .ok()
            .map(Zeroizing::new)
    }

    /// The tag over the parts, one after another, not cut yet.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Secret {
        hmac(&self.authentication, parts)
    }

    /// Whether `tag` is the beginning of the tag over the parts. Takes the same time wherever they differ.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let full = self.tag(parts);
        let whole = tag.len() >= MIN_TAG_LEN;
        whole
            && full
                .get(..tag.len())
                .is_some_and(|full| full.ct_eq(tag).into())
    }
}
