//! Names of nodes in the air.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// The most characters of a name.
pub const MAX_NAME_LEN: usize = 64;

/// The name of a node in the air: 1 to [`MAX_NAME_LEN`] of the characters `a-z A-Z 0-9 . _ -`, the first a
/// letter or a digit. It is part of a file's name.
///
/// ```
/// use chappe_link::air::NodeName;
///
/// assert_eq!(NodeName::new("north")?.as_str(), "north");
/// assert!(NodeName::new("../north").is_err());
/// # Ok::<(), chappe_link::air::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct NodeName(String);

impl NodeName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NameError`] if it is none.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        let first = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if first && rest && name.len() <= MAX_NAME_LEN {
            Ok(Self(name))
        } else {
            Err(NameError)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for NodeName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text is no name of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name of 1 to {MAX_NAME_LEN} letters, digits, \".\", \"_\" and \"-\" that starts with a letter or a \
     digit"
)]
#[non_exhaustive]
pub struct NameError;
