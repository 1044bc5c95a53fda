//! The URI that a device shows as a QR code, for another to scan (XEP-0434 0.6.0, "Trust Message URIs").

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::message::{MAX_KEYS_OF_OWNER, USAGE_URI};
use super::{KeyOwner, TrustMessage};
use crate::flavour::Flavour;
use crate::sce::MAX_JID_LEN;

const SCHEME: &str = "xmpp:";

impl KeyOwner {
    /// Writes what a person is to scan: an account and its keys.
    ///
    /// ```text
    /// xmpp:ADDRESS?trust-message;encryption=NAMESPACE;trust=HEX;...;distrust=HEX;...
    /// ```
    pub fn to_uri(&self, flavour: Flavour) -> String {
        let mut uri = String::from(SCHEME);
        for byte in self.jid.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~@/".contains(&byte) {
                uri.push(byte.into());
            } else {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        let _ = write!(uri, "?{USAGE_URI};encryption={}", flavour.namespace());
        for (name, keys) in [("trust", &self.trusted), ("distrust", &self.distrusted)] {
            for key in keys {
                let _ = write!(uri, ";{name}=");
                for byte in key {
                    let _ = write!(uri, "{byte:02x}");
                }
            }
        }
        uri
    }
}

impl TrustMessage {
    /// Reads what was scanned: the keys of one account. Parts with other names are passed over.
    ///
    /// # Errors
    /// [`TrustUriError`] if it is not such a URI, or for another encryption.
    pub fn from_uri(uri: &str) -> Result<Self, TrustUriError> {
        let rest = uri.trim_ascii().strip_prefix(SCHEME);
        let (jid, query) = rest.and_then(|rest| rest.split_once('?')).ok_or(INVALID)?;
        let jid = decode_percent(jid)
            .filter(|jid| !jid.is_empty() && jid.len() <= MAX_JID_LEN)
            .ok_or(INVALID)?;
        let mut parts = query.split(';');
        if parts.next() != Some(USAGE_URI) {
            return Err(INVALID);
        }
        let mut flavour = None;
        let (mut trusted, mut distrusted) = (Vec::new(), Vec::new());
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(INVALID)?;
            let keys = match name {
                "trust" => &mut trusted,
                "distrust" => &mut distrusted,
                "encryption" => {
                    let named = [Flavour::Legacy, Flavour::Omemo2]
                        .into_iter()
                        .find(|flavour| flavour.namespace() == value);
                    flavour = Some(named.ok_or(INVALID)?);
                    continue;
                }
                _ => continue,
            };
            if keys.len() >= MAX_KEYS_OF_OWNER {
                return Err(INVALID);
            }
            keys.push(decode_key(value).ok_or(INVALID)?);
        }
        Ok(Self {
            flavour: flavour.ok_or(INVALID)?,
            owners: [KeyOwner {
                jid,
                trusted,
                distrusted,
            }]
            .into(),
        })
    }
}

/// Why what was scanned tells of no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this code does not tell the OMEMO keys of an account")]
pub struct TrustUriError;

const INVALID: TrustUriError = TrustUriError;

fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

fn decode_key(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(key)
}

fn digit(character: u8) -> Option<u8> {
    let value = char::from(character).to_digit(16)?;
    u8::try_from(value).ok()
}
