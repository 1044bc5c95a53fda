//! The XML of both flavours: `<encrypted/>`, `<bundle/>` and `<devices/>` (`<list/>` in the legacy one).
//!
//! A gateway carries a message of the mesh onto XMPP with [`Message::to_xml`](crate::Message::to_xml) and
//! back with [`Message::from_xml`](crate::Message::from_xml), without keys and without encrypting anything
//! anew. What is written is valid against the schemas of XEP-0384 0.9.1 and 0.3.0. Unknown elements and
//! attributes are passed over; documents with a DTD, comments or processing instructions are refused.
//!
//! ```
//! use chappe_omemo::{Bundle, Device, DeviceId};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
//! let device = Device::generate(&mut rng, DeviceId::new(1).ok_or("id")?, 25);
//! let xml = device.bundle().to_xml();
//! assert_eq!(Bundle::from_xml(&xml)?, device.bundle());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod devices;
mod element;
mod message;

use crate::flavour::Flavour;

/// The longest document that is read, in bytes: a payload of the greatest length and keys for many devices.
pub const MAX_XML_LEN: usize = 1024 * 1024;

/// The most keys that a message may have.
pub const MAX_KEYS: usize = 4_096;

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// More than [`MAX_XML_LEN`] bytes, or more elements than any such document has.
    #[error("the document is too long")]
    TooLong,
    /// Not well-formed, or with markup that XMPP forbids.
    #[error("the document is not the XML that XMPP allows")]
    NotXml,
    /// The outermost element is another one.
    #[error("the document is of another kind")]
    Kind,
    /// A part is missing, is there twice or has an impossible value.
    #[error("the document has an invalid <{0}/>")]
    Invalid(&'static str),
}

/// The flavour whose `name` element this is.
fn flavour_of(root: roxmltree::Node<'_, '_>, name: fn(Flavour) -> &'static str) -> Option<Flavour> {
    [Flavour::Legacy, Flavour::Omemo2]
        .into_iter()
        .find(|flavour| root.has_tag_name((flavour.namespace(), name(*flavour))))
}
