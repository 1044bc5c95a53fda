//! What a group is joined with.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest name of a group, in bytes (IEEE 802.11).
pub const MAX_SSID_LEN: usize = 32;
/// The longest passphrase, in characters (WPA2).
pub const MAX_PASSPHRASE_LEN: usize = 63;
/// The shortest passphrase.
const MIN_PASSPHRASE_LEN: usize = 8;
/// What the name of a group begins with, and two characters more (Wi-Fi Direct, 3.2.1).
const PREFIX: &str = "DIRECT-";
/// Letters and digits that nobody mixes up; 32 of them, so that a random byte gives each with equal chance.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a passphrase that is made here: 110 bits.
const FRESH_PASSPHRASE_LEN: usize = 22;

/// Name and passphrase of a group.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Credentials {
    ssid: String,
    passphrase: String,
}

impl Credentials {
    /// Fresh ones of 24 random bytes. Nothing in them tells whose they are.
    pub fn from_random(random: [u8; 2 + FRESH_PASSPHRASE_LEN]) -> Self {
        let mut characters = random.iter().map(|byte| {
            let letter = ALPHABET.get(usize::from(byte % 32)).copied();
            char::from(letter.unwrap_or(b'a'))
        });
        let mut ssid = String::with_capacity(MAX_SSID_LEN);
        ssid.push_str(PREFIX);
        ssid.extend(characters.by_ref().take(2));
        let mut passphrase = String::with_capacity(FRESH_PASSPHRASE_LEN);
        passphrase.extend(characters);
        Self { ssid, passphrase }
    }

    /// Those that somebody told.
    ///
    /// # Errors
    /// [`CredentialsError`] if no group can have them, or if a character in them means something to
    /// wpa_supplicant.
    pub fn new(ssid: &str, passphrase: &str) -> Result<Self, CredentialsError> {
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        };
        let postfix = ssid.strip_prefix(PREFIX).ok_or(CredentialsError::Ssid)?;
        if postfix.len() < 2 || ssid.len() > MAX_SSID_LEN || !plain(ssid) {
            return Err(CredentialsError::Ssid);
        }
        let length = MIN_PASSPHRASE_LEN..=MAX_PASSPHRASE_LEN;
        if !length.contains(&passphrase.len()) || !plain(passphrase) {
            return Err(CredentialsError::Passphrase);
        }
        Ok(Self {
            ssid: ssid.to_owned(),
            passphrase: passphrase.to_owned(),
        })
    }

    /// The name, which everybody around can read.
    pub fn ssid(&self) -> &str {
        &self.ssid
    }

    /// The passphrase.
    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ..)", self.ssid)
    }
}

/// No group can have such a name or passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The passphrase.
    #[error("a passphrase has 8 to 63 letters, digits and signs")]
    Passphrase,
    /// The name.
    #[error("the name of a group is DIRECT-, two or more letters and digits, 32 at most in all")]
    Ssid,
}
