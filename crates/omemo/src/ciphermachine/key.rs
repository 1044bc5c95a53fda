//! The key, and the forms in which people exchange it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::words;
use crate::identity::IdentityKey;
use crate::kdf::Secret;
use crate::stack;

/// How many words a key has.
pub const WORDS: usize = 24;

/// The fewest characters of a passphrase. Length alone makes no passphrase good: words drawn by dice do.
pub const MIN_PASSPHRASE_LEN: usize = 16;

/// Argon2id: 64 MiB, three passes, one lane (RFC 9106, section 4, adapted to one lane).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

const URI_SCHEME: &str = "chappe-key:";
const CHECKSUM_LEN: usize = 4;

/// A key of 256 bits, wiped on drop. It is exchanged face to face, never over the network.
pub struct MachineKey(Box<Secret>);

impl MachineKey {
    /// Draws a key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Box::new(Secret::default());
        rng.fill_bytes(&mut **key);
        Self(key)
    }

    /// The key with these bytes, from where it was stored.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut key = Box::new(Secret::default());
        key.copy_from_slice(bytes);
        Self(key)
    }

    /// The bytes of the key, for storing it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 24 words of BIP-39's English list, of which the last holds a checksum: for reading out.
    pub fn to_words(&self) -> Zeroizing<String> {
        stack::wiped(|| words::encode(&self.0))
    }

    /// Reads 24 words, in whatever case and with whatever white space.
    ///
    /// # Errors
    /// [`KeyFormError`] says what is wrong, but not where: a wrong word may be a slip of a secret one.
    pub fn from_words(text: &str) -> Result<Self, KeyFormError> {
        stack::wiped(|| words::decode(text).map(|key| Self(Box::new(key))))
    }

    /// `chappe-key:` and base64 of key and checksum: for a QR code. It is as secret as the key.
    pub fn to_uri(&self) -> Zeroizing<String> {
        stack::wiped(|| self.uri())
    }

    fn uri(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 32 + CHECKSUM_LEN]);
        let (key, checksum) = bytes.split_at_mut(32);
        key.copy_from_slice(self.as_bytes());
        checksum.copy_from_slice(&self.checksum());
        let mut uri = Zeroizing::new(String::with_capacity(64));
        uri.push_str(URI_SCHEME);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut uri);
        uri
    }

    /// Reads what [`MachineKey::to_uri`] wrote.
    ///
    /// # Errors
    /// [`KeyFormError`] says what is wrong.
    pub fn from_uri(uri: &str) -> Result<Self, KeyFormError> {
        let text = uri
            .trim_ascii()
            .strip_prefix(URI_SCHEME)
            .ok_or(KeyFormError::Form)?;
        stack::wiped(|| Self::decode(text))
    }

    fn decode(text: &str) -> Result<Self, KeyFormError> {
        let mut bytes = Zeroizing::new([0; 32 + CHECKSUM_LEN + 4]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes);
        if length != Ok(32 + CHECKSUM_LEN) {
            return Err(KeyFormError::Form);
        }
        let (key, rest) = bytes.split_first_chunk().ok_or(KeyFormError::Form)?;
        let key = Self::from_bytes(key);
        let checksum = rest.get(..CHECKSUM_LEN).unwrap_or_default();
        if bool::from(key.checksum().ct_eq(checksum)) {
            Ok(key)
        } else {
            Err(KeyFormError::Checksum)
        }
    }

    /// The key that two people who know a passphrase both get, by Argon2id with 64 MiB of memory. The
    /// identities, in whichever order, are its salt: the same passphrase gives others another key.
    ///
    /// # Errors
    /// [`PassphraseError`]; a passphrase that can be guessed is no key, and whoever sees a message can try.
    pub fn from_passphrase(
        passphrase: &str,
        one: &IdentityKey,
        other: &IdentityKey,
    ) -> Result<Self, PassphraseError> {
        let passphrase = passphrase.trim();
        if passphrase.chars().count() < MIN_PASSPHRASE_LEN {
            return Err(PassphraseError::Short);
        }
        let (one, other) = (one.curve25519(), other.curve25519());
        let (low, high) = (one.min(other), one.max(other));
        let salt = Sha256::new()
            .chain_update(b"Chappe CipherMachine passphrase\0")
            .chain_update(low.as_bytes())
            .chain_update(high.as_bytes())
            .finalize();
        stack::wiped(|| Self::derive(passphrase, &salt).ok_or(PassphraseError::Memory))
    }

    fn derive(passphrase: &str, salt: &[u8]) -> Option<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).ok()?;
        memory.resize(params.block_count(), Block::new());
        let mut key = Box::new(Secret::default());
        let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.as_bytes(), salt, &mut **key, &mut *memory);
        // Whoever has the last blocks has the key.
        for block in &mut memory {
            block.as_mut().zeroize();
        }
        derived.ok().map(|()| Self(key))
    }

    /// Finds slips of whoever types it; it hides nothing and protects nothing.
    fn checksum(&self) -> [u8; CHECKSUM_LEN] {
        let mut hash: Vec<u8> = Sha256::digest(self.0.as_slice()).to_vec();
        let checksum = hash.first_chunk().copied().unwrap_or_default();
        hash.zeroize();
        checksum
    }
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFormError {
    /// Not 24 words of the list, or not a `chappe-key:` with 36 bytes.
    #[error(
        "this is not a CipherMachine key: 24 words of the list, or a chappe-key: code, are needed"
    )]
    Form,
    /// The checksum does not fit: something was read or typed wrong.
    #[error("the key has a slip in it: compare it with the other side again")]
    Checksum,
}

/// Why a passphrase does not make a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Fewer than [`MIN_PASSPHRASE_LEN`] characters.
    #[error(
        "a passphrase needs at least {MIN_PASSPHRASE_LEN} characters; six random words are good"
    )]
    Short,
    /// There are not 64 MiB of memory.
    #[error("there is not enough memory to make a key from a passphrase")]
    Memory,
}
