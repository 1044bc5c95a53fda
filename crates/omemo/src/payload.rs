//! The content of a message, encrypted once for all devices that it is for.

use alloc::vec;
use alloc::vec::Vec;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Nonce};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::cipher::CipherKeys;
use crate::flavour::{Flavour, INFO_PAYLOAD};
use crate::kdf::Secret;
use crate::stack;

/// The longest plaintext, in bytes.
pub const MAX_PLAINTEXT_LEN: usize = 256 * 1024;

/// The longest ciphertext: with the padding of the longest plaintext.
pub(crate) const MAX_PAYLOAD_LEN: usize = MAX_PLAINTEXT_LEN + 16;

/// The `<iv/>` of the legacy flavour.
pub type Iv = [u8; 12];

/// Bytes of a tag over a payload, in both flavours.
const TAG_LEN: usize = 16;

/// Bytes of a legacy payload's key.
const LEGACY_KEY_LEN: usize = 16;

/// What the ratchet carries in an empty message of [`Flavour::Omemo2`].
const EMPTY: [u8; 32] = [0; 32];

/// An encrypted content and the key to it, which [`Sessions::encrypt_key`](crate::Sessions::encrypt_key)
/// encrypts for each device.
pub struct Payload {
    flavour: Flavour,
    material: Zeroizing<Vec<u8>>,
    ciphertext: Option<Vec<u8>>,
    iv: Option<Iv>,
}

impl Payload {
    /// Encrypts a content with a fresh key.
    ///
    /// # Errors
    /// [`ContentError::TooLong`] above [`MAX_PLAINTEXT_LEN`]; [`ContentError::Empty`] if there is nothing to
    /// encrypt in the legacy flavour, where that means something else: see [`Payload::empty`].
    pub fn seal(
        rng: &mut impl CryptoRng,
        flavour: Flavour,
        plaintext: &[u8],
    ) -> Result<Self, ContentError> {
        if plaintext.len() > MAX_PLAINTEXT_LEN {
            return Err(ContentError::TooLong);
        }
        stack::wiped(|| match flavour {
            Flavour::Legacy if plaintext.is_empty() => Err(ContentError::Empty),
            Flavour::Legacy => Self::seal_legacy(rng, plaintext).ok_or(ContentError::TooLong),
            Flavour::Omemo2 => Ok(Self::seal_omemo2(rng, plaintext)),
        })
    }

    /// No content: a message that only carries the ratchet on (XEP-0384, "empty OMEMO message"). In the
    /// legacy flavour it transports a fresh key, which nobody need use ("KeyTransportElement").
    pub fn empty(rng: &mut impl CryptoRng, flavour: Flavour) -> Self {
        let material = match flavour {
            Flavour::Legacy => {
                let mut key = vec![0; LEGACY_KEY_LEN];
                rng.fill_bytes(&mut key);
                key
            }
            Flavour::Omemo2 => EMPTY.to_vec(),
        };
        let iv = (flavour == Flavour::Legacy).then(|| fresh_iv(rng));
        Self {
            flavour,
            material: Zeroizing::new(material),
            ciphertext: None,
            iv,
        }
    }

    /// The flavour of the sessions that can carry its key.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The encrypted content (`<payload/>`), or `None` for an empty message.
    pub fn ciphertext(&self) -> Option<&[u8]> {
        self.ciphertext.as_deref()
    }

    /// The `<iv/>`, in the legacy flavour.
    pub const fn iv(&self) -> Option<&Iv> {
        self.iv.as_ref()
    }

    pub(crate) fn into_ciphertext(self) -> Option<Vec<u8>> {
        self.ciphertext
    }

    pub(crate) fn material(&self) -> &[u8] {
        &self.material
    }

    fn seal_omemo2(rng: &mut impl CryptoRng, plaintext: &[u8]) -> Self {
        let mut key = Secret::default();
        rng.fill_bytes(&mut *key);
        let keys = CipherKeys::derive(&key, INFO_PAYLOAD);
        let ciphertext = keys.encrypt(plaintext);
        let mut material = Zeroizing::new(Vec::with_capacity(key.len() + TAG_LEN));
        material.extend_from_slice(&*key);
        let tag = keys.tag(&[&ciphertext]);
        material.extend_from_slice(tag.get(..TAG_LEN).unwrap_or_default());
        Self {
            flavour: Flavour::Omemo2,
            material,
            ciphertext: Some(ciphertext),
            iv: None,
        }
    }

    /// AES-128-GCM, whose tag goes with the key instead of the payload.
    fn seal_legacy(rng: &mut impl CryptoRng, plaintext: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; LEGACY_KEY_LEN]);
        rng.fill_bytes(&mut *key);
        let iv = fresh_iv(rng);
        let mut ciphertext = plaintext.to_vec();
        let tag = Aes128Gcm::new((&*key).into())
            .encrypt_inout_detached(&Nonce::from(iv), b"", ciphertext.as_mut_slice().into())
            .ok()?;
        let mut material = Zeroizing::new(Vec::with_capacity(LEGACY_KEY_LEN + TAG_LEN));
        material.extend_from_slice(&*key);
        material.extend_from_slice(&tag);
        Some(Self {
            flavour: Flavour::Legacy,
            material,
            ciphertext: Some(ciphertext),
            iv: Some(iv),
        })
    }
}

/// What a payload and its key material came to.
pub(crate) enum Opened {
    Content(Zeroizing<Vec<u8>>),
    Empty,
    /// A legacy message without payload carries a key for something else.
    Transported(Zeroizing<Vec<u8>>),
}

/// Decrypts a payload with what the ratchet carried. `None`: they do not belong together.
///
/// The length of the material says whether there must be a payload: it can neither be added nor taken away.
pub(crate) fn open(
    flavour: Flavour,
    material: &Zeroizing<Vec<u8>>,
    payload: Option<&[u8]>,
    iv: Option<&Iv>,
) -> Option<Opened> {
    match (flavour, payload) {
        (Flavour::Omemo2, None) => bool::from(material.ct_eq(&EMPTY)).then_some(Opened::Empty),
        (Flavour::Omemo2, Some(ciphertext)) => open_omemo2(material, ciphertext),
        (Flavour::Legacy, None) => {
            (material.len() == LEGACY_KEY_LEN).then(|| Opened::Transported(material.clone()))
        }
        (Flavour::Legacy, Some(ciphertext)) => open_legacy(material, ciphertext, iv?),
    }
}

fn open_omemo2(material: &[u8], ciphertext: &[u8]) -> Option<Opened> {
    let (key, tag) = material.split_first_chunk::<32>()?;
    let keys = CipherKeys::derive(key, INFO_PAYLOAD);
    let tag: &[u8; TAG_LEN] = tag.try_into().ok()?;
    if !keys.verify(&[ciphertext], tag) {
        return None;
    }
    keys.decrypt(ciphertext).map(Opened::Content)
}

fn open_legacy(material: &[u8], ciphertext: &[u8], iv: &Iv) -> Option<Opened> {
    let (key, tag) = material.split_first_chunk::<LEGACY_KEY_LEN>()?;
    let tag: &[u8; TAG_LEN] = tag.try_into().ok()?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    Aes128Gcm::new(key.into())
        .decrypt_inout_detached(
            &Nonce::from(*iv),
            b"",
            plaintext.as_mut_slice().into(),
            tag.into(),
        )
        .ok()?;
    Some(Opened::Content(plaintext))
}

fn fresh_iv(rng: &mut impl CryptoRng) -> Iv {
    let mut iv = Iv::default();
    rng.fill_bytes(&mut iv);
    iv
}

/// Why a content cannot be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// More than [`MAX_PLAINTEXT_LEN`] bytes.
    #[error("the content is longer than {MAX_PLAINTEXT_LEN} bytes")]
    TooLong,
    /// No text at all, in the legacy flavour.
    #[error("a legacy message needs a text")]
    Empty,
}
