//! A reference to a file: what its receiver needs to find, decrypt and check it.

use alloc::format;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::escape::push_escaped;
use super::{FILE_NAMESPACE, SceError};

/// The longest file name, in bytes.
pub const MAX_FILE_NAME_LEN: usize = 255;
/// The longest media type, in bytes (RFC 6838: two names of 127 and a slash).
pub const MAX_MEDIA_TYPE_LEN: usize = 255;

/// A file that travels as sealed chunks. Whoever holds `key` can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileReference {
    /// Its name, as the sender calls it. Not a path: slashes, backslashes, control characters and names
    /// of dots alone are refused.
    pub name: String,
    /// Its media type, such as `image/jpeg`, as the sender says.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// The key that its chunks are sealed with.
    pub key: [u8; 32],
    /// The root of the hash tree of its sealed chunks.
    pub root: [u8; 32],
    /// The SHA-256 of the file itself.
    pub sha256: [u8; 32],
}

impl FileReference {
    /// `<file xmlns='urn:chappe:blob:1' name= type= size= key= root= sha256= />`, hashes in base64.
    pub(super) fn write(&self, out: &mut String) -> Result<(), SceError> {
        check_name(&self.name)?;
        check_media_type(&self.media_type)?;
        out.push_str("<file xmlns='urn:chappe:blob:1' name='");
        push_escaped(out, &self.name)?;
        out.push_str("' type='");
        push_escaped(out, &self.media_type)?;
        out.push_str(&format!("' size='{}'", self.size));
        for (name, value) in [
            ("key", &self.key),
            ("root", &self.root),
            ("sha256", &self.sha256),
        ] {
            out.push_str(&format!(" {name}='{}'", STANDARD.encode(value)));
        }
        out.push_str("/>");
        Ok(())
    }

    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, SceError> {
        debug_assert_eq!(node.tag_name().namespace(), Some(FILE_NAMESPACE));
        let text = |name| node.attribute(name).ok_or(INVALID);
        let hash = |name| {
            let mut hash = [0; 32];
            match STANDARD.decode_slice(text(name)?, &mut hash) {
                Ok(32) => Ok(hash),
                _ => Err(INVALID),
            }
        };
        let size = text("size")?;
        if !size.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(INVALID);
        }
        Ok(Self {
            name: check_name(text("name")?)?.into(),
            media_type: check_media_type(text("type")?)?.into(),
            size: size.parse().map_err(|_| INVALID)?,
            key: hash("key")?,
            root: hash("root")?,
            sha256: hash("sha256")?,
        })
    }
}

impl fmt::Debug for FileReference {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileReference")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

const INVALID: SceError = SceError::Invalid("file");

fn check_name(name: &str) -> Result<&str, SceError> {
    let unfit = |character: char| character.is_control() || matches!(character, '/' | '\\');
    let only_dots = name.chars().all(|character| character == '.');
    if name.len() > MAX_FILE_NAME_LEN || only_dots || name.contains(unfit) {
        return Err(INVALID);
    }
    Ok(name)
}

fn check_media_type(media_type: &str) -> Result<&str, SceError> {
    let fit = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if media_type.len() > MAX_MEDIA_TYPE_LEN || !media_type.bytes().all(fit) {
        return Err(INVALID);
    }
    Ok(media_type)
}
