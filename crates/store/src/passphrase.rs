//! The second mode: a passphrase that a person types at each start.

use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{KeyError, KeyProvider, StoreKey, hex, key, key_text, private_file};

/// A store key that is wrapped with a passphrase, in a header file beside the store.
///
/// ```text
/// chappe store-passphrase 1
/// argon2id <memory in KiB> <passes> <lanes>
/// salt <32 hex digits>
/// nonce <24 hex digits>
/// wrapped <96 hex digits>
/// check <16 hex digits>
/// ```
/// `wrapped` is the random store key under ChaCha20-Poly1305 (RFC 8439) with the key that Argon2id (RFC 9106)
/// makes from passphrase and salt; cost and salt are its associated data. So the passphrase can change while the
/// store stays as it is.
///
/// ```
/// use chappe_store::{KeyError, KeyProvider as _, Passphrase, PassphraseCost};
/// use zeroize::Zeroizing;
///
/// # let folder = tempfile::tempdir()?;
/// let file = folder.path().join("store.passphrase");
/// let cost = PassphraseCost { memory_kib: 1024, passes: 1, lanes: 1 };
/// let old = Passphrase::new(&file, Zeroizing::new(b"correct horse".to_vec())).with_cost(cost);
/// let key = old.create()?;
///
/// let new = old.change(Zeroizing::new(b"battery staple".to_vec()))?;
/// assert_eq!(new.load()?.map(|found| *found.as_bytes()), Some(*key.as_bytes()));
/// assert_eq!(old.load().err(), Some(KeyError::WrongPassphrase));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Passphrase {
    path: PathBuf,
    passphrase: Zeroizing<Vec<u8>>,
    cost: PassphraseCost,
}

/// What one guess of the passphrase costs. The default, 64 MiB and 3 passes, is the second choice of RFC 9106 with
/// one lane instead of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory in KiB, 8 for each lane to [`PassphraseCost::MAX_MEMORY_KIB`].
    pub memory_kib: u32,
    /// Passes over the memory, 1 to [`PassphraseCost::MAX_PASSES`].
    pub passes: u32,
    /// Lanes, 1 to [`PassphraseCost::MAX_LANES`].
    pub lanes: u32,
}

impl PassphraseCost {
    /// The most memory that a header file can ask for, in KiB: 1 GiB.
    pub const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// The most passes that a header file can ask for.
    pub const MAX_PASSES: u32 = 64;
    /// The most lanes that a header file can ask for.
    pub const MAX_LANES: u32 = 16;
}

impl Default for PassphraseCost {
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            passes: 3,
            lanes: 1,
        }
    }
}

impl Passphrase {
    /// The header file at `path`, and the passphrase that was typed.
    pub fn new(path: impl Into<PathBuf>, passphrase: Zeroizing<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            passphrase,
            cost: PassphraseCost::default(),
        }
    }

    /// The cost for headers written from now on. Headers that exist say their own.
    #[must_use]
    pub const fn with_cost(mut self, cost: PassphraseCost) -> Self {
        self.cost = cost;
        self
    }

    /// Wraps the store key with another passphrase and replaces the header file. The store itself does not change.
    ///
    /// A flash card may keep the old header in blocks that are no longer used: who learns the old passphrase and
    /// reads those still gets the key.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`] if this passphrase does not open the header; on any error the old header is
    /// there. [`KeyError::Io`] with `NotFound` if there is no header.
    pub fn change(&self, passphrase: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let key = self
            .load()?
            .ok_or(KeyError::Io(std::io::ErrorKind::NotFound))?;
        let changed = Self::new(&self.path, passphrase).with_cost(self.cost);
        private_file::replace(&changed.path, changed.wrap(&key)?.as_bytes())?;
        Ok(changed)
    }

    /// The header file's text for `key`.
    fn wrap(&self, key: &StoreKey) -> Result<Zeroizing<String>, KeyError> {
        let mut salt = [0; SALT_LEN];
        let mut nonce = [0; NONCE_LEN];
        key::random(&mut salt)?;
        key::random(&mut nonce)?;
        let payload = Payload {
            msg: key.as_bytes(),
            aad: &associated_data(self.cost, &salt),
        };
        let wrapped = self
            .cipher(self.cost, &salt)?
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| KeyError::Damaged)?;
        let PassphraseCost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        Ok(key_text::Writer::new(KIND, VERSION)
            .field("argon2id", &format!("{memory_kib} {passes} {lanes}"))
            .field("salt", &hex::encode(&salt))
            .field("nonce", &hex::encode(&nonce))
            .field("wrapped", &hex::encode(&wrapped))
            .finish())
    }

    /// The store key in a header file's text.
    fn unwrap_key(&self, header: &[u8]) -> Result<StoreKey, KeyError> {
        let names = ["argon2id", "salt", "nonce", "wrapped"];
        let [cost, salt, nonce, wrapped] = key_text::read(header, KIND, VERSION, names)?;
        let cost = parse_cost(cost).ok_or(KeyError::Damaged)?;
        let salt = hex::decode::<SALT_LEN>(salt).ok_or(KeyError::Damaged)?;
        let nonce = hex::decode::<NONCE_LEN>(nonce).ok_or(KeyError::Damaged)?;
        let wrapped = hex::decode::<WRAPPED_LEN>(wrapped).ok_or(KeyError::Damaged)?;
        let payload = Payload {
            msg: wrapped.as_slice(),
            aad: &associated_data(cost, &salt),
        };
        let key = self
            .cipher(cost, salt.as_slice())?
            .decrypt(&Nonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| KeyError::WrongPassphrase)?;
        let key = <[u8; StoreKey::LEN]>::try_from(key.as_slice()).map_err(|_| KeyError::Damaged)?;
        Ok(StoreKey::new(Zeroizing::new(key)))
    }

    /// The cipher under the key that Argon2id makes.
    fn cipher(&self, cost: PassphraseCost, salt: &[u8]) -> Result<ChaCha20Poly1305, KeyError> {
        if self.passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        if cost.memory_kib > PassphraseCost::MAX_MEMORY_KIB
            || cost.passes > PassphraseCost::MAX_PASSES
            || cost.lanes > PassphraseCost::MAX_LANES
        {
            return Err(KeyError::Cost);
        }
        let params = Params::new(
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            Some(StoreKey::LEN),
        )
        .map_err(|_| KeyError::Cost)?;
        let mut wrapping = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&self.passphrase, salt, &mut wrapping)
            .map_err(|error| match error {
                argon2::Error::OutOfMemory => KeyError::OutOfMemory,
                _ => KeyError::Cost,
            })?;
        let cipher = ChaCha20Poly1305::new(&wrapping);
        wrapping.as_mut_slice().zeroize();
        Ok(cipher)
    }
}

impl KeyProvider for Passphrase {
    fn load(&self) -> Result<Option<StoreKey>, KeyError> {
        let header = private_file::read(&self.path, key_text::MAX_LEN)?;
        header.map(|text| self.unwrap_key(&text)).transpose()
    }

    fn create(&self) -> Result<StoreKey, KeyError> {
        let key = StoreKey::generate()?;
        private_file::create(&self.path, self.wrap(&key)?.as_bytes())?;
        Ok(key)
    }
}

const KIND: &str = "store-passphrase";
const VERSION: u32 = 1;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 12;
const WRAPPED_LEN: usize = StoreKey::LEN + 16;

/// What the wrapped key is bound to.
fn associated_data(cost: PassphraseCost, salt: &[u8; SALT_LEN]) -> Vec<u8> {
    let mut data = b"chappe store-passphrase 1".to_vec();
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    data.extend_from_slice(salt);
    data
}

/// Three numbers in their only spelling.
fn parse_cost(text: &str) -> Option<PassphraseCost> {
    let mut numbers = text.split(' ').map(|number| {
        let value = number.parse::<u32>().ok()?;
        (value.to_string() == number).then_some(value)
    });
    let cost = PassphraseCost {
        memory_kib: numbers.next()??,
        passes: numbers.next()??,
        lanes: numbers.next()??,
    };
    numbers.next().is_none().then_some(cost)
}
