//! Files that other clients share by link: `aesgcm:` (XEP-0454 0.1.0). They are read; nothing writes them,
//! since a link needs a server to be uploaded to before anything is encrypted.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, AesGcm, Nonce};
use zeroize::Zeroizing;

use crate::kdf::Secret;
use crate::stack;

/// The longest link, in bytes.
pub const MAX_LINK_LEN: usize = 4_096;

const SCHEME: &str = "aesgcm://";
const TAG_LEN: usize = 16;

/// A link to an encrypted file, with the key to it.
///
/// ```
/// use chappe_omemo::media::AesgcmLink;
///
/// let fragment = "00".repeat(12) + &"ab".repeat(32);
/// let link = AesgcmLink::parse(&format!("aesgcm://files.example.org/1/photo.jpg#{fragment}"));
/// assert_eq!(link.ok_or("no link")?.url(), "https://files.example.org/1/photo.jpg");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone)]
pub struct AesgcmLink {
    url: String,
    iv: LinkIv,
    /// Boxed: moving it leaves no copies behind.
    key: Box<Secret>,
}

/// 12 bytes, or 16 of older clients.
#[derive(Clone, Copy)]
enum LinkIv {
    Short([u8; 12]),
    Long([u8; 16]),
}

impl AesgcmLink {
    /// Reads `aesgcm://host/path#` with the IV (12 bytes, or 16 of older clients) and the key (32) in hex.
    /// `None` for anything else.
    pub fn parse(link: &str) -> Option<Self> {
        if link.len() > MAX_LINK_LEN || !link.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (place, secret) = link.strip_prefix(SCHEME)?.split_once('#')?;
        if place.is_empty() || place.starts_with('/') {
            return None;
        }
        stack::wiped(|| Self::read(place, secret))
    }

    fn read(place: &str, secret: &str) -> Option<Self> {
        let secret = Zeroizing::new(hex(secret)?);
        let (iv, key) = secret.split_last_chunk::<32>()?;
        let iv = match iv.len() {
            12 => LinkIv::Short(iv.try_into().ok()?),
            16 => LinkIv::Long(iv.try_into().ok()?),
            _ => return None,
        };
        Some(Self {
            url: alloc::format!("https://{place}"),
            iv,
            key: Box::new(Secret::new(*key)),
        })
    }

    /// Where the encrypted file is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Decrypts the file, of which the last 16 bytes are the tag. `None`: it is not the file of this link.
    pub fn open(&self, file: &[u8]) -> Option<Vec<u8>> {
        let (ciphertext, tag) = file.split_last_chunk::<TAG_LEN>()?;
        let mut content = ciphertext.to_vec();
        let buffer = content.as_mut_slice().into();
        let key: &[u8; 32] = &self.key;
        let opened = stack::wiped(|| match self.iv {
            LinkIv::Short(iv) => Aes256Gcm::new(key.into()).decrypt_inout_detached(
                &Nonce::from(iv),
                b"",
                buffer,
                tag.into(),
            ),
            LinkIv::Long(iv) => LongIvGcm::new(key.into()).decrypt_inout_detached(
                &Nonce::from(iv),
                b"",
                buffer,
                tag.into(),
            ),
        });
        opened.ok()?;
        Some(content)
    }
}

type LongIvGcm = AesGcm<aes::Aes256, aes_gcm::aead::consts::U16>;

impl fmt::Debug for AesgcmLink {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesgcmLink")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Vec::with_capacity(48);
    let mut digits = text.bytes();
    while let Some(high) = digits.next() {
        let byte = digit(high)? << 4 | digit(digits.next()?)?;
        bytes.push(u8::try_from(byte).ok()?);
        if bytes.len() > 48 {
            return None;
        }
    }
    Some(bytes)
}
