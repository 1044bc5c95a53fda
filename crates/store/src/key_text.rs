//! The text form that key files share: a first line with kind and version, fields, and a check line.
//!
//! ```text
//! chappe <kind> <version>\n
//! <field> <value>\n            one line per field, in a fixed order
//! check <16 hex digits>\n      the first 8 bytes of the SHA-256 of all lines above
//! ```
//! The check tells damage from a wrong secret. It authenticates nothing.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{KeyError, hex};

/// The longest key file, in bytes.
pub(crate) const MAX_LEN: usize = 1024;

/// Writes the lines of a key file.
pub(crate) struct Writer(Zeroizing<String>);

impl Writer {
    /// Begins with the first line.
    pub(crate) fn new(kind: &str, version: u32) -> Self {
        // With room for all of it, so that no copy of a secret is left behind by growth.
        let mut text = Zeroizing::new(String::with_capacity(MAX_LEN));
        text.push_str("chappe ");
        text.push_str(kind);
        text.push(' ');
        text.push_str(&version.to_string());
        text.push('\n');
        Self(text)
    }

    /// Adds a field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.0.push_str(name);
        self.0.push(' ');
        self.0.push_str(value);
        self.0.push('\n');
        self
    }

    /// Adds the check line.
    pub(crate) fn finish(self) -> Zeroizing<String> {
        let check = check(&self.0);
        self.field("check", &check).0
    }
}

/// Reads the fields `names` of a key file of this kind and version.
///
/// # Errors
/// [`KeyError::Damaged`], or [`KeyError::TooNew`] for an intact file of a later version.
pub(crate) fn read<'a, const N: usize>(
    bytes: &'a [u8],
    kind: &str,
    version: u32,
    names: [&str; N],
) -> Result<[&'a str; N], KeyError> {
    let text = str::from_utf8(bytes).map_err(|_| KeyError::Damaged)?;
    let body = text.strip_suffix('\n').ok_or(KeyError::Damaged)?;
    let (fields, written) = body.rsplit_once("\ncheck ").ok_or(KeyError::Damaged)?;
    let fields = text.get(..=fields.len()).ok_or(KeyError::Damaged)?;
    if check(fields).as_str() != written {
        return Err(KeyError::Damaged);
    }

    let mut lines = fields.lines();
    let found = lines
        .next()
        .and_then(|line| line.strip_prefix("chappe "))
        .and_then(|line| line.strip_prefix(kind))
        .and_then(|line| line.strip_prefix(' '))
        .and_then(|number| number.parse::<u32>().ok())
        .ok_or(KeyError::Damaged)?;
    if found > version {
        return Err(KeyError::TooNew);
    }

    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = lines
            .next()
            .and_then(|line| line.strip_prefix(name))
            .and_then(|line| line.strip_prefix(' '))
            .ok_or(KeyError::Damaged)?;
    }
    match (found == version, lines.next()) {
        (true, None) => Ok(values),
        _ => Err(KeyError::Damaged),
    }
}

/// The check of these lines.
fn check(lines: &str) -> Zeroizing<String> {
    let digest = Sha256::digest(lines.as_bytes());
    hex::encode(digest.get(..8).unwrap_or_default())
}
