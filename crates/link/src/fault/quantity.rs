//! Rates, latencies and probabilities, as people write them: `1MB/s`, `20ms`, `0.5%`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;
use serde::Deserialize;

/// Bytes per second, at least one, or no limit. Written with the units B/s, kB/s, MB/s and GB/s, powers of
/// ten, or `unlimited`.
///
/// ```
/// use chappe_link::fault::Rate;
///
/// assert_eq!("1.5MB/s".parse::<Rate>()?, Rate::bytes_per_second(1_500_000));
/// assert_eq!(Rate::bytes_per_second(20_000).to_string(), "20kB/s");
/// # Ok::<(), chappe_link::fault::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate(Option<NonZeroU64>);

impl Rate {
    /// No limit.
    pub const UNLIMITED: Self = Self(None);
    /// The fastest limit.
    pub const MAX: Self = Self(NonZeroU64::new(1_000 * GIGA));

    const UNITS: [(&str, u64); 4] = [
        ("GB/s", GIGA),
        ("MB/s", 1_000_000),
        ("kB/s", 1_000),
        ("B/s", 1),
    ];

    /// This many bytes per second; zero means no limit, since a link that carries nothing is no link.
    pub const fn bytes_per_second(bytes: u64) -> Self {
        Self(NonZeroU64::new(bytes))
    }

    /// Bytes per second; `None` without a limit.
    pub const fn limit(self) -> Option<NonZeroU64> {
        self.0
    }

    /// How long `length` bytes take to leave.
    pub fn airtime(self, length: usize) -> Duration {
        let Some(rate) = self.0 else {
            return Duration::ZERO;
        };
        let nanos = length as u128 * 1_000_000_000 / u128::from(rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unlimited" {
            return Ok(Self::UNLIMITED);
        }
        let rate = with_unit(text, &Self::UNITS)
            .and_then(NonZeroU64::new)
            .map(Some);
        rate.filter(|rate| *rate <= Self::MAX.0)
            .map(Self)
            .ok_or(QuantityError::Rate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rate) => write_with_unit(f, rate.get(), &Self::UNITS),
            None => f.write_str("unlimited"),
        }
    }
}

/// A time in whole microseconds, up to one minute. Written with the units s, ms and us.
///
/// ```
/// use chappe_link::fault::Latency;
///
/// assert_eq!("1.5s".parse::<Latency>()?, Latency::from_millis(1_500));
/// assert_eq!(Latency::from_millis(20).to_string(), "20ms");
/// # Ok::<(), chappe_link::fault::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Latency(u64);

impl Latency {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The longest.
    pub const MAX: Self = Self(60_000_000);

    const UNITS: [(&str, u64); 3] = [("ms", 1_000), ("us", 1), ("s", 1_000_000)];

    /// This many milliseconds, or [`Latency::MAX`].
    pub fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000)).min(Self::MAX)
    }

    /// The time.
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl FromStr for Latency {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let latency = with_unit(text, &Self::UNITS).map(Self);
        latency
            .filter(|latency| *latency <= Self::MAX)
            .ok_or(QuantityError::Latency)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest_first = [("s", 1_000_000), ("ms", 1_000), ("us", 1)];
        write_with_unit(f, self.0, &largest_first)
    }
}

/// How likely something is, in millionths. Written as a percentage: `0.5%`.
///
/// ```
/// use chappe_link::fault::Probability;
///
/// assert_eq!("0.5%".parse::<Probability>()?, Probability::millionths(5_000));
/// assert_eq!(Probability::millionths(125_000).to_string(), "12.5%");
/// # Ok::<(), chappe_link::fault::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Probability(u32);

impl Probability {
    /// Never.
    pub const NEVER: Self = Self(0);
    /// Each time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// This many in a million, or [`Probability::ALWAYS`].
    pub fn millionths(millionths: u32) -> Self {
        Self(millionths).min(Self::ALWAYS)
    }

    /// Draws: true this often.
    pub(crate) fn happens(self, rng: &mut ChaCha8Rng) -> bool {
        // 32 random bits scaled to 0..1,000,000: off by less than one in 4,000 of a millionth.
        let drawn = (u64::from(rng.next_u32()) * 1_000_000) >> 32;
        drawn < u64::from(self.0)
    }
}

impl FromStr for Probability {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millionths =
            with_unit(text, &[("%", 10_000)]).and_then(|value| u32::try_from(value).ok());
        let probability = millionths.map(Self).filter(|value| *value <= Self::ALWAYS);
        probability.ok_or(QuantityError::Probability)
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:04}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

/// Why a text is not a quantity: what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// Not a [`Latency`].
    #[error("expected a time of at most 60s, such as \"20ms\" (units us, ms, s)")]
    Latency,
    /// Not a [`Probability`].
    #[error("expected a percentage, such as \"1%\" or \"0.5%\", with at most four decimals")]
    Probability,
    /// Not a [`Rate`].
    #[error("expected a rate, such as \"1MB/s\" (units B/s, kB/s, MB/s, GB/s), or \"unlimited\"")]
    Rate,
}

const GIGA: u64 = 1_000_000_000;

/// Reads a decimal number with one of `units`; `None` unless it is a whole number of the smallest.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, scale) = units
        .iter()
        .find_map(|(unit, scale)| Some((text.strip_suffix(unit)?.trim_end(), *scale)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let value = digits(whole)?.checked_mul(scale)?;
    let divisor = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = digits(fraction)?.checked_mul(scale)?;
    part.is_multiple_of(divisor)
        .then(|| value.checked_add(part / divisor))?
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Writes `value` in the largest unit that leaves a whole number, so that it reads back the same.
fn write_with_unit(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let exact = units
        .iter()
        .find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale));
    match (exact, units.last()) {
        (Some((unit, scale)), _) => write!(f, "{}{unit}", value / scale),
        (None, Some((unit, _))) => write!(f, "{value}{unit}"),
        (None, None) => write!(f, "{value}"),
    }
}

/// serde reads quantities as text.
macro_rules! from_text {
    ($($quantity:ty),*) => {$(
        impl TryFrom<String> for $quantity {
            type Error = QuantityError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}

from_text!(Latency, Probability, Rate);
