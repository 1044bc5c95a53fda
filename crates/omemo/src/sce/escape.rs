//! Text as XML 1.0 can carry it.

use alloc::string::String;

use super::SceError;

/// Appends `text`, escaped for element content and for attribute values in single quotes. Line ends and
/// tabs are written as references, since a parser may change bare ones.
///
/// # Errors
/// [`SceError::NotXml`] for characters that XML 1.0 does not allow at all.
pub(crate) fn push_escaped(out: &mut String, text: &str) -> Result<(), SceError> {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            other if is_xml(other) => out.push(other),
            _ => return Err(SceError::NotXml),
        }
    }
    Ok(())
}

/// `Char` of XML 1.0 without the three that are escaped above.
const fn is_xml(character: char) -> bool {
    matches!(character, '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
