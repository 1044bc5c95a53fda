//! What all documents need: a careful parser, and values of elements and attributes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node, ParsingOptions};

use super::{MAX_KEYS, MAX_XML_LEN, XmlError};
use crate::sce::guard;

/// Parses a document. Elements and texts are bounded by what [`MAX_KEYS`] keys need.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, XmlError> {
    if xml.len() > MAX_XML_LEN {
        return Err(XmlError::TooLong);
    }
    guard::check(xml).map_err(|_| XmlError::NotXml)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_KEYS as u32 * 4,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(xml, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => XmlError::TooLong,
        _ => XmlError::NotXml,
    })
}

/// The child elements with this name, in the parent's namespace.
pub(super) fn children<'a, 'input: 'a>(
    parent: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    let namespace = parent.tag_name().namespace().unwrap_or_default();
    parent
        .children()
        .filter(move |child| child.has_tag_name((namespace, name)))
}

/// The only child element with this name.
pub(super) fn only<'a, 'input>(
    parent: Node<'a, 'input>,
    name: &'static str,
) -> Result<Node<'a, 'input>, XmlError> {
    at_most_one(parent, name)?.ok_or(XmlError::Invalid(name))
}

/// The only child element with this name, if there is one.
pub(super) fn at_most_one<'a, 'input>(
    parent: Node<'a, 'input>,
    name: &'static str,
) -> Result<Option<Node<'a, 'input>>, XmlError> {
    let mut found = children(parent, name);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        _ => Err(XmlError::Invalid(name)),
    }
}

/// The bytes that an element holds in base64, between which there may be white space.
pub(super) fn bytes(node: Node<'_, '_>, name: &'static str) -> Result<Vec<u8>, XmlError> {
    if node.children().any(|child| !child.is_text()) {
        return Err(XmlError::Invalid(name));
    }
    let text: String = node
        .children()
        .filter_map(|child| child.text())
        .flat_map(str::chars)
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    STANDARD.decode(text).map_err(|_| XmlError::Invalid(name))
}

/// A number in an attribute.
pub(super) fn number(node: Node<'_, '_>, name: &'static str) -> Option<u32> {
    let text = node.attribute(name)?.trim_ascii();
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `xs:boolean` in an attribute; `false` if it is not there.
pub(super) fn flag(node: Node<'_, '_>, name: &'static str) -> Result<bool, XmlError> {
    match node.attribute(name).map(str::trim_ascii) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(XmlError::Invalid(name)),
    }
}

/// `<name attributes>base64</name>`; the attributes begin with a space, if there are any.
pub(super) fn push_bytes(out: &mut String, name: &str, attributes: &str, bytes: &[u8]) {
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<{name}{attributes}>{}</{name}>",
        STANDARD.encode(bytes)
    );
}
