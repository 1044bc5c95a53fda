//! The content of a message, encrypted once for all devices that it is for.

use alloc::vec::Vec;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::cipher::{CipherKeys, Tag};
use crate::flavour::{INFO_PAYLOAD, TAG_LEN};
use crate::kdf::Secret;

/// The longest plaintext, in bytes.
pub const MAX_PLAINTEXT_LEN: usize = 256 * 1024;

/// The longest ciphertext: with the padding of the longest plaintext.
pub(crate) const MAX_PAYLOAD_LEN: usize = MAX_PLAINTEXT_LEN + 16;

/// Bytes that the ratchet carries for a payload: its key and its tag.
const KEY_AND_TAG_LEN: usize = 32 + TAG_LEN;

/// What the ratchet carries in a message without payload.
const EMPTY: [u8; 32] = [0; 32];

/// An encrypted content and the key to it, which [`Sessions::encrypt_key`](crate::Sessions::encrypt_key)
/// encrypts for each device.
pub struct Payload {
    material: Zeroizing<Vec<u8>>,
    ciphertext: Option<Vec<u8>>,
}

impl Payload {
    /// Encrypts a content with a fresh key.
    ///
    /// # Errors
    /// [`TooLong`] above [`MAX_PLAINTEXT_LEN`].
    pub fn seal(rng: &mut impl CryptoRng, plaintext: &[u8]) -> Result<Self, TooLong> {
        if plaintext.len() > MAX_PLAINTEXT_LEN {
            return Err(TooLong);
        }
        let mut key = Secret::default();
        rng.fill_bytes(&mut *key);
        let keys = CipherKeys::derive(&key, INFO_PAYLOAD);
        let ciphertext = keys.encrypt(plaintext);
        let mut material = Zeroizing::new(Vec::with_capacity(KEY_AND_TAG_LEN));
        material.extend_from_slice(&*key);
        material.extend_from_slice(&keys.tag(&[&ciphertext]));
        Ok(Self {
            material,
            ciphertext: Some(ciphertext),
        })
    }

    /// No content: a message that only carries the ratchet on (XEP-0384, "empty OMEMO message").
    pub fn empty() -> Self {
        Self {
            material: Zeroizing::new(EMPTY.to_vec()),
            ciphertext: None,
        }
    }

    /// The encrypted content (`<payload/>`), or `None` for an empty message.
    pub fn ciphertext(&self) -> Option<&[u8]> {
        self.ciphertext.as_deref()
    }

    pub(crate) fn into_ciphertext(self) -> Option<Vec<u8>> {
        self.ciphertext
    }

    pub(crate) fn material(&self) -> &[u8] {
        &self.material
    }
}

/// Decrypts a payload with what the ratchet carried. `None`: they do not belong together.
///
/// 48 bytes demand a payload, 32 zero bytes demand that there is none: neither can be added or taken away.
pub(crate) fn open(material: &[u8], payload: Option<&[u8]>) -> Option<Option<Zeroizing<Vec<u8>>>> {
    let Some(ciphertext) = payload else {
        return bool::from(material.ct_eq(&EMPTY)).then_some(None);
    };
    let (key, tag) = material.split_first_chunk::<32>()?;
    let tag: &Tag = tag.try_into().ok()?;
    let keys = CipherKeys::derive(key, INFO_PAYLOAD);
    if !keys.verify(&[ciphertext], tag) {
        return None;
    }
    keys.decrypt(ciphertext).map(Some)
}

/// A plaintext has more than [`MAX_PLAINTEXT_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content is longer than {MAX_PLAINTEXT_LEN} bytes")]
pub struct TooLong;
