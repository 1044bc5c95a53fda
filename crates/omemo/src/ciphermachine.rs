//! CipherMachine: a further, optional layer around any content, with a key that two people have exchanged
//! without a network. Chappe's own; inside OMEMO it makes content unreadable even for somebody who holds the
//! OMEMO keys of both sides, and for a future that breaks elliptic curves, since nothing but AES-256 and
//! SHA-256 protects it.
//!
//! It gives no forward secrecy by itself: whoever gets the key reads what was sealed with it. So keys are
//! exchanged anew from time to time; a [`KeyRing`] seals with the newest and opens with those before it too.
//!
//! ```
//! use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
//! let key = MachineKey::generate(&mut rng);
//! let words = key.to_words(); // read out face to face, or shown as a QR code: `to_uri`
//!
//! let (here, there) = (KeyRing::new(key), KeyRing::new(MachineKey::from_words(&words)?));
//! let sealed = here.seal(&mut rng, b"north to south", b"fog on the hill")?;
//! assert_eq!(&there.open(b"north to south", &sealed)?[..], b"fog on the hill");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod key;
mod words;

use alloc::vec::Vec;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

pub use key::{KeyFormError, MIN_PASSPHRASE_LEN, MachineKey, PassphraseError, WORDS};

use crate::kdf::{hkdf, hmac};
use crate::payload::MAX_PLAINTEXT_LEN;
use crate::stack;

/// How many older keys a ring keeps. The oldest goes first.
pub const MAX_OLD_KEYS: usize = 8;

/// How much longer a sealed content is than what is in it, in bytes.
pub const OVERHEAD: usize = HEADER_LEN + 16;

const VERSION: u8 = 1;
const SALT_LEN: usize = 32;
const KEY_ID_LEN: usize = 8;
const HEADER_LEN: usize = 1 + SALT_LEN + KEY_ID_LEN;

const INFO_MESSAGE: &[u8] = b"Chappe CipherMachine message";
const KEY_ID: &[u8] = b"Chappe CipherMachine key id";

/// The keys that two people have exchanged, the newest first.
pub struct KeyRing {
    /// Never empty.
    current: MachineKey,
    old: Vec<MachineKey>,
}

impl KeyRing {
    /// A ring with one key.
    pub const fn new(key: MachineKey) -> Self {
        Self {
            current: key,
            old: Vec::new(),
        }
    }

    /// Seals with another key from now on. Those before it still open what is under way. The key that is the newest
    /// already changes nothing.
    pub fn rotate(&mut self, key: MachineKey) {
        if bool::from(self.current.as_bytes().ct_eq(key.as_bytes())) {
            return;
        }
        let old = core::mem::replace(&mut self.current, key);
        self.old.insert(0, old);
        self.old.truncate(MAX_OLD_KEYS);
    }

    /// Forgets all older keys: what was sealed with them and comes now cannot be opened.
    pub fn forget_old(&mut self) {
        self.old.clear();
    }

    /// The keys, the newest first: for storing them.
    pub fn keys(&self) -> impl Iterator<Item = &MachineKey> {
        core::iter::once(&self.current).chain(&self.old)
    }

    /// Seals a content with the newest key. `context` says what it is, such as who writes to whom: it is not
    /// written, and the other side must name the same.
    ///
    /// The salt is random and gives each message its own AES key. The id of the key is made with the salt
    /// too, so that it is another one in each message and tells strangers nothing.
    ///
    /// ```text
    /// +---------+------+--------+----------------------------------------------+
    /// | version | salt | key id | AES-256-GCM over the content, tag at the end |
    /// | 1       | 32   | 8      | content + 16                                 |
    /// +---------+------+--------+----------------------------------------------+
    /// ```
    ///
    /// # Errors
    /// [`TooLong`] above [`MAX_PLAINTEXT_LEN`].
    pub fn seal(
        &self,
        rng: &mut impl CryptoRng,
        context: &[u8],
        content: &[u8],
    ) -> Result<Vec<u8>, TooLong> {
        if content.len() > MAX_PLAINTEXT_LEN {
            return Err(TooLong);
        }
        let mut salt = [0; SALT_LEN];
        rng.fill_bytes(&mut salt);
        stack::wiped(|| self.seal_with(&salt, context, content))
    }

    fn seal_with(
        &self,
        salt: &[u8; SALT_LEN],
        context: &[u8],
        content: &[u8],
    ) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::with_capacity(content.len().saturating_add(OVERHEAD));
        out.push(VERSION);
        out.extend_from_slice(salt);
        out.extend_from_slice(&key_id(&self.current, salt));
        let (cipher, nonce) = cipher(&self.current, salt);
        let aad = [&out, context].concat();
        let payload = Payload {
            msg: content,
            aad: &aad,
        };
        let sealed = cipher.encrypt(&nonce, payload).map_err(|_| TooLong)?;
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Whether these bytes have the form of something sealed. Anybody can make such bytes: only
    /// [`KeyRing::open`] knows more.
    pub fn is_sealed(bytes: &[u8]) -> bool {
        bytes.first() == Some(&VERSION) && bytes.len() >= OVERHEAD
    }

    /// Opens what was sealed with one of the keys, for the same context.
    ///
    /// # Errors
    /// [`Locked`], for whatever reason. What is not sealed at all is not passed on either.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Locked> {
        stack::wiped(|| self.unseal(context, sealed))
    }

    fn unseal(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Locked> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_LEN).ok_or(Locked)?;
        let ([VERSION], rest) = header.split_first_chunk::<1>().ok_or(Locked)? else {
            return Err(Locked);
        };
        let (salt, id) = rest.split_first_chunk::<SALT_LEN>().ok_or(Locked)?;
        let key = self.find(salt, id).ok_or(Locked)?;
        let (cipher, nonce) = cipher(key, salt);
        let aad = [header, context].concat();
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        let content = cipher.decrypt(&nonce, payload).map_err(|_| Locked)?;
        Ok(Zeroizing::new(content))
    }

    /// The key of which this is the id. All are tried, whichever it is.
    fn find(&self, salt: &[u8; SALT_LEN], id: &[u8]) -> Option<&MachineKey> {
        let mut place = u32::MAX;
        for (index, key) in (0..).zip(self.keys()) {
            let fits: Choice = key_id(key, salt).ct_eq(id);
            place.conditional_assign(&index, fits);
        }
        self.keys().nth(usize::try_from(place).ok()?)
    }
}

fn key_id(key: &MachineKey, salt: &[u8; SALT_LEN]) -> [u8; KEY_ID_LEN] {
    let full = hmac(key.as_bytes(), &[KEY_ID, salt]);
    full.first_chunk().copied().unwrap_or_default()
}

fn cipher(
    key: &MachineKey,
    salt: &[u8; SALT_LEN],
) -> (Aes256Gcm, Nonce<aes_gcm::aead::consts::U12>) {
    let okm = hkdf::<44>(key.as_bytes(), salt, INFO_MESSAGE);
    let (key, nonce) = okm.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let nonce = nonce.first_chunk().copied().unwrap_or_default();
    (Aes256Gcm::new(key.into()), Nonce::from(nonce))
}

/// A content cannot be opened with the keys that are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the message is locked with another CipherMachine key: exchange a key with the sender again"
)]
pub struct Locked;

/// A content has more than [`MAX_PLAINTEXT_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content is longer than {MAX_PLAINTEXT_LEN} bytes")]
pub struct TooLong;
