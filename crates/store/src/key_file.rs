//! The first mode: a key in a file that only its owner can read.

use std::path::PathBuf;

use crate::{KeyError, KeyProvider, StoreKey, hex, key_text, private_file};

/// A key in a file of mode 0600, made at the first start.
///
/// ```text
/// chappe store-key 1
/// key <64 hex digits>
/// check <16 hex digits>
/// ```
/// Who has the file and the store can read the store: it protects the store where the two are apart, or where
/// the folder itself is protected.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

const KIND: &str = "store-key";
const VERSION: u32 = 1;

impl KeyFile {
    /// The key file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl KeyProvider for KeyFile {
    fn load(&self) -> Result<Option<StoreKey>, KeyError> {
        let Some(bytes) = private_file::read(&self.path, key_text::MAX_LEN)? else {
            return Ok(None);
        };
        let [key] = key_text::read(&bytes, KIND, VERSION, ["key"])?;
        let key = hex::decode(key).ok_or(KeyError::Damaged)?;
        Ok(Some(StoreKey::new(key)))
    }

    fn create(&self) -> Result<StoreKey, KeyError> {
        let key = StoreKey::generate()?;
        let text = key_text::Writer::new(KIND, VERSION)
            .field("key", &hex::encode(key.as_bytes()))
            .finish();
        private_file::create(&self.path, text.as_bytes())?;
        Ok(key)
    }
}
