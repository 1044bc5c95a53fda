//! The two texts of an invite, safe to show on a terminal.

use alloc::string::String;
use core::fmt;

/// The longest JID in an invite, in bytes.
pub const MAX_JID_LEN: usize = 128;
/// The longest name in an invite, in bytes of UTF-8.
pub const MAX_NAME_LEN: usize = 64;

/// The address of a person: `local@domain`, at most [`MAX_JID_LEN`] bytes, nothing after the domain (RFC 7622).
///
/// Only what matters here is checked: the two parts are there, and no character hides or reorders others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BareJid(String);

impl BareJid {
    /// The address that reads like this.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        check(text, MAX_JID_LEN)?;
        let (local, domain) = text.split_once('@').ok_or(TextError::NotAJid)?;
        let odd = |c: char| c == '@' || c == '/' || c.is_whitespace();
        if local.is_empty() || domain.is_empty() || local.contains(odd) || domain.contains(odd) {
            return Err(TextError::NotAJid);
        }
        Ok(Self(text.into()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person is called: at most [`MAX_NAME_LEN`] bytes of UTF-8 on one line, possibly nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayName(String);

impl DisplayName {
    /// The name that reads like this.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        check(text, MAX_NAME_LEN)?;
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str, longest: usize) -> Result<(), TextError> {
    if text.len() > longest {
        return Err(TextError::TooLong(longest));
    }
    if text.chars().any(is_deceptive) {
        return Err(TextError::Unprintable);
    }
    Ok(())
}

/// Controls, line separators, and the marks that change the direction of the text around them.
fn is_deceptive(c: char) -> bool {
    let separator = matches!(c, '\u{2028}' | '\u{2029}');
    let direction = matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || separator || direction
}

/// Why a text is not a JID or a name for an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Not of the form `local@domain`.
    #[error("an address has the form local@domain")]
    NotAJid,
    /// More bytes than this.
    #[error("the text is longer than {0} bytes")]
    TooLong(usize),
    /// A control character, a line break, or a mark that reorders text.
    #[error("the text has characters that cannot be shown safely")]
    Unprintable,
}
