//! A first look at XML before the parser sees it: what XMPP forbids, and what would cost too much.

use super::SceError;

/// How deep elements may be nested.
pub const MAX_DEPTH: usize = 16;
/// How many attributes an element may have.
pub const MAX_ATTRIBUTES: usize = 16;

/// Refuses markup other than elements and CDATA (RFC 6120, section 11.1), deep nesting, and many
/// attributes on one element, for which the parser's work grows with the square.
///
/// # Errors
/// [`SceError::Forbidden`], [`SceError::TooComplex`], or [`SceError::NotXml`] if a tag does not end.
pub(crate) fn check(xml: &str) -> Result<(), SceError> {
    let mut rest = xml;
    let mut depth = 0_usize;
    while let Some((_, markup)) = rest.split_once('<') {
        if let Some(data) = markup.strip_prefix("![CDATA[") {
            (_, rest) = data.split_once("]]>").ok_or(SceError::NotXml)?;
            continue;
        }
        if markup.starts_with(['!', '?']) {
            return Err(SceError::Forbidden);
        }
        let tag;
        (tag, rest) = split_tag(markup)?;
        if tag.starts_with('/') {
            depth = depth.checked_sub(1).ok_or(SceError::NotXml)?;
        } else if !tag.ends_with('/') {
            depth = depth.saturating_add(1);
        }
        if depth > MAX_DEPTH {
            return Err(SceError::TooComplex);
        }
    }
    Ok(())
}

/// Splits after the `>` that ends a tag; one within quotes does not.
fn split_tag(markup: &str) -> Result<(&str, &str), SceError> {
    let mut quote = None;
    let mut attributes = 0_usize;
    for (index, byte) in markup.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'=') => attributes = attributes.saturating_add(1),
            (None, b'>') => {
                let (tag, rest) = markup.split_at_checked(index).ok_or(SceError::NotXml)?;
                return Ok((tag, rest.strip_prefix('>').unwrap_or(rest)));
            }
            (None, _) => {}
        }
        if attributes > MAX_ATTRIBUTES {
            return Err(SceError::TooComplex);
        }
    }
    Err(SceError::NotXml)
}
