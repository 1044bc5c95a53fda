//! Ranges of seeds as people write them: `1..20` is twenty runs.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// `A..B`: both of them, and all between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(RangeInclusive<u64>);

/// Something that is no range of seeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of seeds; expected one such as 1..20")]
pub struct SeedsError(String);

impl Seeds {
    /// One of them.
    pub const fn one(seed: u64) -> Self {
        Self(seed..=seed)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let width = self.0.end().saturating_sub(*self.0.start());
        width.saturating_add(1)
    }

    /// All of them, in order.
    pub fn range(&self) -> RangeInclusive<u64> {
        self.0.clone()
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Self, SeedsError> {
        let bad = || SeedsError(text.to_owned());
        let (first, last) = text.split_once("..").ok_or_else(bad)?;
        let number = |text: &str| text.parse().map_err(|_| bad());
        let (first, last) = (number(first)?, number(last)?);
        if first <= last {
            Ok(Self(first..=last))
        } else {
            Err(bad())
        }
    }
}
