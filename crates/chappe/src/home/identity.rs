//! The file that says who lives in a home.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chappe_store::StoreKey;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{HomeError, Profile};

const MAGIC: &[u8; 18] = b"chappe identity 1\n";
const NONCE_LEN: usize = 12;
const RELAY: u8 = 0;
const PERSON: u8 = 1;
const MAX_NAME_LEN: usize = 64;
const MAX_JID_LEN: usize = 128;

/// Who lives in a home.
pub(crate) struct Identity {
    profile: Option<Profile>,
    seed: Zeroizing<[u8; 32]>,
}

impl Identity {
    /// A new one.
    pub(crate) fn generate(profile: Option<Profile>) -> Result<Self, ()> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|_| ())?;
        Ok(Self { profile, seed })
    }

    /// The person; `None` on a relay.
    pub(crate) const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// The seed of the identity key.
    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Writes the file, sealed with ChaCha20-Poly1305 under a key derived from the store's; all of it or
    /// nothing.
    ///
    /// ```text
    /// +---------------------+-------+----------------------------------------------------+-----+
    /// | "chappe identity 1\n" | nonce | sealed: kind 1 | seed 32 | n 1 | name | n 1 | jid | tag |
    /// | 18                  | 12    |                                                    | 16  |
    /// +---------------------+-------+----------------------------------------------------+-----+
    /// ```
    /// `kind` is 0 for a relay and 1 for a person; an empty JID stands for the one made from the key.
    pub(crate) fn write(&self, path: &Path, key: &StoreKey) -> Result<(), HomeError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| HomeError::Random)?;
        let plain = self.encode().ok_or(HomeError::Profile)?;
        let payload = Payload {
            msg: &plain,
            aad: MAGIC,
        };
        let sealed = cipher(key)
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| HomeError::Profile)?;
        write_whole(path, &[MAGIC, &nonce, &sealed]).map_err(|error| HomeError::io(path, &error))
    }

    /// Reads the file.
    pub(crate) fn read(path: &Path, key: &StoreKey) -> Result<Self, HomeError> {
        let damaged = || HomeError::Identity(path.to_owned());
        let bytes = fs::read(path).map_err(|error| HomeError::io(path, &error))?;
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: MAGIC,
        };
        let plain = cipher(key)
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| damaged())?;
        Self::decode(&Zeroizing::new(plain)).ok_or_else(damaged)
    }

    fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Room for the longest, so that no copy of the seed is left behind by a growing vector.
        let mut plain = Zeroizing::new(Vec::with_capacity(64 + MAX_NAME_LEN + MAX_JID_LEN));
        plain.push(if self.profile.is_some() {
            PERSON
        } else {
            RELAY
        });
        plain.extend_from_slice(self.seed.as_ref());
        if let Some(Profile { name, jid }) = &self.profile {
            let jid = jid.as_deref().unwrap_or_default();
            if name.len() > MAX_NAME_LEN || jid.len() > MAX_JID_LEN {
                return None;
            }
            plain.push(u8::try_from(name.len()).ok()?);
            plain.extend_from_slice(name.as_bytes());
            plain.push(u8::try_from(jid.len()).ok()?);
            plain.extend_from_slice(jid.as_bytes());
        }
        Some(plain)
    }

    fn decode(plain: &[u8]) -> Option<Self> {
        let (kind, rest) = plain.split_first()?;
        let (seed, rest) = rest.split_first_chunk::<32>()?;
        let seed = Zeroizing::new(*seed);
        let profile = match *kind {
            RELAY if rest.is_empty() => None,
            PERSON => {
                let (name, rest) = text(rest)?;
                let (jid, rest) = text(rest)?;
                if !rest.is_empty() {
                    return None;
                }
                let jid = (!jid.is_empty()).then_some(jid);
                Some(Profile { name, jid })
            }
            _ => return None,
        };
        Some(Self { profile, seed })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

fn cipher(key: &StoreKey) -> ChaCha20Poly1305 {
    let mut derived = Zeroizing::new([0; 32]);
    // The only error is an output of more than 255 hashes.
    let _ = Hkdf::<Sha256>::new(None, key.as_bytes())
        .expand(b"chappe identity file v1", derived.as_mut());
    ChaCha20Poly1305::new(&Key::from(*derived))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

/// Writes a file of the owner's: all of it or nothing.
fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
