//! Stanza Content Encryption (XEP-0420 0.5.0): what is inside a payload.
//!
//! ```
//! use chappe_omemo::sce::{Content, Padding};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
//! let content = Content::text("north@example.org", "fog on the hill");
//! let xml = content.to_xml(&mut rng, Padding::Random)?;
//! let read = Content::from_xml(xml.as_bytes())?;
//! assert_eq!(read.content, content);
//! assert!(read.unknown.is_empty());
//! # Ok::<(), chappe_omemo::sce::SceError>(())
//! ```

pub(crate) mod escape;
mod file;
pub(crate) mod guard;
mod read;
mod time;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

use crate::trust::TrustMessage;

pub use file::{FileReference, MAX_FILE_NAME_LEN, MAX_MEDIA_TYPE_LEN};
pub use guard::{MAX_ATTRIBUTES, MAX_DEPTH};
pub use read::MAX_UNKNOWN;
pub use time::Timestamp;
pub use write::{MAX_PADDING, Padding};

/// The XML namespace of the envelope.
pub const NAMESPACE: &str = "urn:xmpp:sce:1";
/// The XML namespace of a text.
pub const BODY_NAMESPACE: &str = "jabber:client";
/// The XML namespace of a shared file (XEP-0447).
pub const SHARING_NAMESPACE: &str = "urn:xmpp:sfs:0";
/// The XML namespace of Chappe's sealed chunks, as a cipher and as a source of a shared file.
pub const FILE_NAMESPACE: &str = "urn:chappe:blob:1";

/// The longest envelope that is written or read, in bytes.
pub const MAX_XML_LEN: usize = 64 * 1024;
/// The longest address, in bytes (RFC 7622: three parts of 1,023 and two separators).
pub const MAX_JID_LEN: usize = 3_071;

/// What one person tells another.
///
/// Whoever reads it must compare `from` and `to` with the addresses that the message came under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The sender's address.
    pub from: String,
    /// The addressee; needed in rooms only.
    pub to: Option<String>,
    /// When the sender says that it was sent. Shown to people, trusted for nothing.
    pub time: Option<Timestamp>,
    /// The text.
    pub body: Option<String>,
    /// A file that travels apart from this message.
    pub file: Option<FileReference>,
    /// What the sender's device says about keys.
    pub trust: Option<TrustMessage>,
}

impl Content {
    /// A text.
    pub fn text(from: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: None,
            time: None,
            body: Some(body.into()),
            file: None,
            trust: None,
        }
    }
}

/// A content that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What was understood.
    pub content: Content,
    /// What was not understood and left out; at most [`MAX_UNKNOWN`] are named.
    pub unknown: Vec<ElementName>,
}

/// The name of an element of another namespace or of a newer version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ElementName {
    /// The namespace; empty if there is none.
    pub namespace: String,
    /// The local name.
    pub name: String,
}

/// Why a content cannot be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SceError {
    /// More than [`MAX_XML_LEN`] bytes.
    #[error("the content is longer than {MAX_XML_LEN} bytes")]
    TooLong,
    /// Not well-formed XML in UTF-8, or text that XML cannot carry.
    #[error("the content is not XML, or has characters that XML cannot carry")]
    NotXml,
    /// A document type, processing instruction, XML declaration or comment: XMPP forbids them.
    #[error("the content has XML that XMPP forbids")]
    Forbidden,
    /// Deeper than [`MAX_DEPTH`] or with more than [`MAX_ATTRIBUTES`] attributes on an element.
    #[error("the content is nested too deep or has too many parts")]
    TooComplex,
    /// The outermost element is another one.
    #[error("the content is no {NAMESPACE} envelope")]
    NotAnEnvelope,
    /// `<content/>`, `<rpad/>` or `<from/>` is missing.
    #[error("the envelope lacks <{0}/>")]
    Missing(&'static str),
    /// An element that may be there once is there twice.
    #[error("the envelope has <{0}/> more than once")]
    Repeated(&'static str),
    /// An element has a value that it cannot have.
    #[error("the envelope has an invalid <{0}/>")]
    Invalid(&'static str),
}
