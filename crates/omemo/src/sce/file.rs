//! A reference to a file: what its receiver needs to find, decrypt and check it.

use alloc::format;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::escape::push_escaped;
use super::read::read_text;
use super::{FILE_NAMESPACE, SHARING_NAMESPACE as SHARING, SceError};

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
    /// The elements of XEP-0447 0.3.1 and XEP-0448 0.2.0, with a cipher and a source of Chappe's own: sealed
    /// chunks that are found by the root of their hash tree. Other clients see that there is a file.
    ///
    /// ```text
    /// <file-sharing xmlns='urn:xmpp:sfs:0' disposition='attachment'>
    ///   <file xmlns='urn:xmpp:file:metadata:0'><media-type/><name/><size/>
    ///     <hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>of the file</hash></file>
    ///   <sources><encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:chappe:blob:1'><key/>
    ///     <sources xmlns='urn:xmpp:sfs:0'><blob xmlns='urn:chappe:blob:1' root=''/></sources>
    ///   </encrypted></sources>
    /// </file-sharing>
    /// ```
    pub(super) fn write(&self, out: &mut String) -> Result<(), SceError> {
        check_name(&self.name)?;
        check_media_type(&self.media_type)?;
        out.push_str(&format!(
            "<file-sharing xmlns='{SHARING}' disposition='attachment'><file xmlns='{METADATA}'>\
             <media-type>"
        ));
        push_escaped(out, &self.media_type)?;
        out.push_str("</media-type><name>");
        push_escaped(out, &self.name)?;
        out.push_str(&format!(
            "</name><size>{}</size><hash xmlns='{HASHES}' algo='sha-256'>{}</hash></file>\
             <sources><encrypted xmlns='{ENCRYPTED}' cipher='{FILE_NAMESPACE}'><key>{}</key>\
             <sources xmlns='{SHARING}'><blob xmlns='{FILE_NAMESPACE}' root='{}'/></sources>\
             </encrypted></sources></file-sharing>",
            self.size,
            STANDARD.encode(self.sha256),
            STANDARD.encode(self.key),
            STANDARD.encode(self.root),
        ));
        Ok(())
    }

    /// Reads `<file-sharing/>`; `None` if it has no source of Chappe's.
    pub(super) fn read(sharing: Node<'_, '_>) -> Result<Option<Self>, SceError> {
        let sources = only(sharing, (SHARING, "sources"))?;
        let Some(encrypted) = sources.children().find(|child| {
            child.has_tag_name((ENCRYPTED, "encrypted"))
                && child.attribute("cipher") == Some(FILE_NAMESPACE)
        }) else {
            return Ok(None);
        };
        let file = only(sharing, (METADATA, "file"))?;
        let sha256 = file.children().find(|child| {
            child.has_tag_name((HASHES, "hash")) && child.attribute("algo") == Some("sha-256")
        });
        let size = text(only(file, (METADATA, "size"))?)?;
        if !size.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(INVALID);
        }
        let source = only(encrypted, (SHARING, "sources"))?;
        let root = only(source, (FILE_NAMESPACE, "blob"))?.attribute("root");
        Ok(Some(Self {
            name: check_name(&text(only(file, (METADATA, "name"))?)?)?.into(),
            media_type: check_media_type(&text(only(file, (METADATA, "media-type"))?)?)?.into(),
            size: size.parse().map_err(|_| INVALID)?,
            key: hash(&text(only(encrypted, (ENCRYPTED, "key"))?)?)?,
            root: hash(root.ok_or(INVALID)?)?,
            sha256: hash(&text(sha256.ok_or(INVALID)?)?)?,
        }))
    }
}

const METADATA: &str = "urn:xmpp:file:metadata:0";
const HASHES: &str = "urn:xmpp:hashes:2";
const ENCRYPTED: &str = "urn:xmpp:esfs:0";

/// The only child with this name.
fn only<'a, 'input>(
    parent: Node<'a, 'input>,
    name: (&str, &str),
) -> Result<Node<'a, 'input>, SceError> {
    let mut found = parent.children().filter(|child| child.has_tag_name(name));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        _ => Err(INVALID),
    }
}

fn text(node: Node<'_, '_>) -> Result<String, SceError> {
    read_text(node, "file")
}

fn hash(text: &str) -> Result<[u8; 32], SceError> {
    let mut hash = [0; 32];
    match STANDARD.decode_slice(text, &mut hash) {
        Ok(32) => Ok(hash),
        _ => Err(INVALID),
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
