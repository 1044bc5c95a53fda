//! The text form of an invite.

use alloc::string::String;
use alloc::vec::Vec;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{BareJid, DisplayName, Invite, InvitePreKey, InviteSignedPreKey};
use crate::InboxSecret;
use crate::reader::Reader;

/// The longest text that is read as a URI, white space included.
pub const MAX_URI_LEN: usize = 4096;

const SCHEME: &str = "chappe:";
const VERSION: u8 = 1;
const CHECKSUM_LEN: usize = 4;

impl Invite {
    /// The invite as a URI: `chappe:` and upper-case base32 (RFC 4648) without padding.
    ///
    /// ```text
    ///  1        1   J     1   N      4        32        4     32    64
    ///  +--------+---+-----+---+------+--------+----------+-----+-----+-----------+
    ///  | 1      | J | JID | N | name | device | identity | signed prekey:        |
    ///  | version|   |     |   |      | id     | key      | id  | key | signature |
    ///  +--------+---+-----+---+------+--------+----------+-----+-----+-----------+
    ///    4    32    16             4
    ///  +----+-----+--------------+----------+
    ///  | prekey:  | inbox secret | checksum |  numbers are big-endian; the checksum is the first
    ///  | id | key |              |          |  4 bytes of SHA-256 over everything before it
    ///  +----+-----+--------------+----------+
    /// ```
    ///
    /// With an address of 17 and a name of 5 characters that is 355 characters, 627 at most. For a QR code turn all
    /// of it into upper case, so that it fits the alphanumeric mode: version 10-L or 11-M for 355 characters,
    /// 14-L or 16-M for 627.
    pub fn to_uri(&self) -> String {
        let mut bytes = self.body();
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        let mut uri = String::from(SCHEME);
        BASE32_NOPAD.encode_append(&bytes, &mut uri);
        uri
    }

    /// Reads a URI, however it is broken into lines, in upper or lower case.
    ///
    /// Every wrong, missing, added or swapped character is found, but for one chance in 2^32.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn from_uri(text: &str) -> Result<Self, InviteError> {
        if text.len() > MAX_URI_LEN {
            return Err(InviteError::TooLong);
        }
        let symbols = text.chars().filter(|c| !c.is_whitespace());
        let symbols: Zeroizing<String> = Zeroizing::new(symbols.collect());
        let encoded = strip_scheme(&symbols).ok_or(InviteError::NotAnInvite)?;
        let upper = Zeroizing::new(encoded.to_ascii_uppercase());
        let decoded = BASE32_NOPAD
            .decode(upper.as_bytes())
            .map_err(|_| InviteError::Mistyped)?;
        let decoded = Zeroizing::new(decoded);
        let (body, sum) = decoded
            .split_last_chunk::<CHECKSUM_LEN>()
            .ok_or(InviteError::Mistyped)?;
        if checksum(body) != *sum {
            return Err(InviteError::Mistyped);
        }
        let mut reader = Reader::new(body);
        match reader.u8() {
            Some(VERSION) => read(reader).ok_or(InviteError::Malformed),
            Some(version) if version > VERSION => Err(InviteError::NewerVersion(version)),
            _ => Err(InviteError::Malformed),
        }
    }

    fn body(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        bytes.push(VERSION);
        for text in [self.jid.as_str(), self.name.as_str()] {
            // Both types end at 128 bytes.
            bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.device.to_be_bytes());
        bytes.extend_from_slice(&self.identity);
        bytes.extend_from_slice(&self.signed_prekey.id.to_be_bytes());
        bytes.extend_from_slice(&self.signed_prekey.key);
        bytes.extend_from_slice(&self.signed_prekey.signature);
        bytes.extend_from_slice(&self.prekey.id.to_be_bytes());
        bytes.extend_from_slice(&self.prekey.key);
        bytes.extend_from_slice(self.inbox.as_bytes());
        bytes
    }
}

fn strip_scheme(symbols: &str) -> Option<&str> {
    let (scheme, rest) = symbols.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

fn read(mut reader: Reader<'_>) -> Option<Invite> {
    let invite = Invite {
        jid: BareJid::new(text(&mut reader)?).ok()?,
        name: DisplayName::new(text(&mut reader)?).ok()?,
        device: reader.u32()?,
        identity: reader.array()?,
        signed_prekey: InviteSignedPreKey {
            id: reader.u32()?,
            key: reader.array()?,
            signature: reader.array()?,
        },
        prekey: InvitePreKey {
            id: reader.u32()?,
            key: reader.array()?,
        },
        inbox: InboxSecret::new(reader.array()?),
    };
    reader.end()?;
    Some(invite)
}

fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    let length = reader.u8()?;
    core::str::from_utf8(reader.slice(usize::from(length))?).ok()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

/// Why a text is not an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// Typed or copied as it was made, but its fields are not what an invite has.
    #[error("the contact URI does not hold an invite")]
    Malformed,
    /// Something in it is mistyped, missing, swapped or added.
    #[error("the contact URI has a typing error: compare it with the original, or scan the code")]
    Mistyped,
    /// Made by a later version of the program.
    #[error("the contact URI has version {0}, which is too new: update this program")]
    NewerVersion(u8),
    /// It does not begin with `chappe:`.
    #[error("this is not a contact URI: those begin with `chappe:`")]
    NotAnInvite,
    /// More than [`MAX_URI_LEN`] bytes.
    #[error("this is too long for a contact URI")]
    TooLong,
}
