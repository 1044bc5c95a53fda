//! Reading of envelopes. What is not understood is left out and named; what is ambiguous is refused.

use alloc::string::String;
use alloc::vec::Vec;

use roxmltree::{Document, Node, ParsingOptions};

use super::{
    BODY_NAMESPACE, Content, ElementName, FileReference, MAX_JID_LEN, MAX_XML_LEN, NAMESPACE,
    Received, SHARING_NAMESPACE, SceError, Timestamp, guard,
};
use crate::trust::{TrustMessage, message as tm};

/// How many elements that were not understood are named.
pub const MAX_UNKNOWN: usize = 16;

/// How many elements and texts an envelope may have.
const MAX_NODES: u32 = 256;

impl Content {
    /// Reads an envelope, as long as its padding may be.
    ///
    /// # Errors
    /// [`SceError`] says what is wrong.
    pub fn from_xml(xml: &[u8]) -> Result<Received, SceError> {
        if xml.len() > MAX_XML_LEN {
            return Err(SceError::TooLong);
        }
        let xml = core::str::from_utf8(xml).map_err(|_| SceError::NotXml)?;
        guard::check(xml)?;
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(xml, options).map_err(|error| match error {
            roxmltree::Error::NodesLimitReached => SceError::TooComplex,
            roxmltree::Error::DtdDetected => SceError::Forbidden,
            _ => SceError::NotXml,
        })?;
        read_envelope(document.root_element())
    }
}

fn read_envelope(envelope: Node<'_, '_>) -> Result<Received, SceError> {
    if !envelope.has_tag_name((NAMESPACE, "envelope")) {
        return Err(SceError::NotAnEnvelope);
    }
    let mut unknown = Vec::new();
    let (mut content, mut padding, mut from, mut to, mut time) = (None, None, None, None, None);
    for child in elements(envelope, "envelope")? {
        match name_in(child, NAMESPACE) {
            Some("content") => once(&mut content, child, "content")?,
            Some("rpad") => once(&mut padding, child, "rpad")?,
            Some("from") => once(&mut from, read_address(child, "from")?, "from")?,
            Some("to") => once(&mut to, read_address(child, "to")?, "to")?,
            Some("time") => once(&mut time, read_time(child)?, "time")?,
            _ => note(&mut unknown, child),
        }
    }
    if padding.is_none() {
        return Err(SceError::Missing("rpad"));
    }

    let (mut body, mut file, mut trust) = (None, None, None);
    for child in elements(content.ok_or(SceError::Missing("content"))?, "content")? {
        match (child.tag_name().namespace(), child.tag_name().name()) {
            (Some(BODY_NAMESPACE), "body") => once(&mut body, read_text(child, "body")?, "body")?,
            (Some(SHARING_NAMESPACE), "file-sharing") => match FileReference::read(child)? {
                Some(reference) => once(&mut file, reference, "file")?,
                None => note(&mut unknown, child),
            },
            (Some(tm::NAMESPACE), "trust-message") => match TrustMessage::read(child)? {
                Some(message) => once(&mut trust, message, "trust-message")?,
                None => note(&mut unknown, child),
            },
            _ => note(&mut unknown, child),
        }
    }
    Ok(Received {
        content: Content {
            from: from.ok_or(SceError::Missing("from"))?,
            to,
            time,
            body,
            file,
            trust,
        },
        unknown,
    })
}

/// The child elements. Between them there may be white space only.
fn elements<'a, 'input>(
    parent: Node<'a, 'input>,
    name: &'static str,
) -> Result<impl Iterator<Item = Node<'a, 'input>>, SceError> {
    let stray = parent
        .children()
        .filter_map(|child| child.text().filter(|_| child.is_text()))
        .any(|text| !text.trim_ascii().is_empty());
    if stray {
        return Err(SceError::Invalid(name));
    }
    Ok(parent.children().filter(Node::is_element))
}

/// The name, if the element is of this namespace.
fn name_in<'a>(node: Node<'a, '_>, namespace: &str) -> Option<&'a str> {
    (node.tag_name().namespace() == Some(namespace)).then(|| node.tag_name().name())
}

fn once<T>(place: &mut Option<T>, value: T, name: &'static str) -> Result<(), SceError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(SceError::Repeated(name)),
    }
}

fn note(unknown: &mut Vec<ElementName>, node: Node<'_, '_>) {
    if unknown.len() < MAX_UNKNOWN {
        unknown.push(ElementName {
            namespace: node.tag_name().namespace().unwrap_or_default().into(),
            name: node.tag_name().name().into(),
        });
    }
}

pub(super) fn read_text(node: Node<'_, '_>, name: &'static str) -> Result<String, SceError> {
    if node.children().any(|child| !child.is_text()) {
        return Err(SceError::Invalid(name));
    }
    Ok(node.children().filter_map(|child| child.text()).collect())
}

fn read_address(node: Node<'_, '_>, name: &'static str) -> Result<String, SceError> {
    match node.attribute("jid") {
        Some(jid) if !jid.is_empty() && jid.len() <= MAX_JID_LEN => Ok(jid.into()),
        _ => Err(SceError::Invalid(name)),
    }
}

fn read_time(node: Node<'_, '_>) -> Result<Timestamp, SceError> {
    node.attribute("stamp")
        .and_then(Timestamp::parse)
        .ok_or(SceError::Invalid("time"))
}
