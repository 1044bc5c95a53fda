//! Quantities as people write them: `250kB/s`, `5MB`, `300min`, `0.1s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chappe_wire::ByteCount;

/// A data rate in bytes a second, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// The ONE's default: 250 kB/s.
    pub const THE_ONE: Self = Self(250_000);

    /// This many bytes a second; `None` for zero, at which nothing would ever end.
    pub const fn from_bytes_per_second(bytes: u64) -> Option<Self> {
        if bytes == 0 { None } else { Some(Self(bytes)) }
    }

    /// Bytes a second.
    pub const fn bytes_per_second(self) -> u64 {
        self.0
    }

    /// How long `size` takes, rounded up to the microsecond.
    pub const fn time_for(self, size: ByteCount) -> Duration {
        let micros = (size.get() as u128 * 1_000_000).div_ceil(self.0 as u128);
        Duration::from_micros(if micros > u64::MAX as u128 {
            u64::MAX
        } else {
            micros as u64
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", ByteCount::new(self.0))
    }
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError::new(text, "a rate such as 250kB/s");
        let bytes = text.strip_suffix("/s").ok_or_else(bad)?;
        let bytes = quantity(bytes, &BYTES).ok_or_else(bad)?;
        Self::from_bytes_per_second(bytes).ok_or_else(bad)
    }
}

/// Reads a size: a number and `B`, `kB`, `MB`, `GB` (powers of ten), `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// [`QuantityError`].
pub fn byte_count(text: &str) -> Result<ByteCount, QuantityError> {
    quantity(text, &BYTES)
        .map(ByteCount::new)
        .ok_or_else(|| QuantityError::new(text, "a size such as 5MB"))
}

/// Reads a time: a number and `us`, `ms`, `s`, `min`, `h` or `d`.
///
/// # Errors
/// [`QuantityError`].
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    quantity(text, &MICROS)
        .map(Duration::from_micros)
        .ok_or_else(|| QuantityError::new(text, "a time such as 300min, 0.1s or 12h"))
}

/// Longer suffixes before those they end with.
const BYTES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];
const MICROS: [(&str, u64); 6] = [
    ("us", 1),
    ("ms", 1_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// A decimal number and one of the units, in the smallest unit; `None` where a fraction of it would be left.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = units
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))?;
    decimal(number.trim_end(), unit)
}

/// A decimal number times `unit`, exactly; `None` for anything else.
pub(crate) fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut value = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        let digit = u64::from(digit - b'0');
        if digit != 0 && (place < 10 || !place.is_multiple_of(10)) {
            return None;
        }
        place /= 10;
        value = value.checked_add(digit * place)?;
    }
    Some(value)
}

/// Something that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct QuantityError {
    text: String,
    expected: &'static str,
}

impl QuantityError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        assert_eq!(
            "250kB/s".parse::<Rate>().unwrap().bytes_per_second(),
            250_000
        );
        assert_eq!(byte_count("1.5MB").unwrap().get(), 1_500_000);
        assert_eq!(byte_count("2KiB").unwrap().get(), 2_048);
        assert_eq!(duration("300min").unwrap().as_secs(), 18_000);
        assert_eq!(duration("0.1s").unwrap().as_micros(), 100_000);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "5",
            "MB",
            "-5MB",
            "1e3MB",
            "5 MBs",
            "0.0001B",
            "99999999999GiB",
        ] {
            assert!(byte_count(text).is_err(), "{text}");
        }
        for text in ["0kB/s", "250kB", "kB/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
