//! The number that two people compare to know that nobody sits between them.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Hash steps per number. They make the search for a second pair of keys dearer, not the comparison.
const STEPS: u32 = 1 << 15;
const GROUPS: usize = 6;
const DIGITS: usize = 30;

/// What two people read to each other: 30 decimal digits in six groups, from their two identity keys.
///
/// Both sides get the same number, whoever asks. Someone in between who shows each side a key of their own
/// has to find two keys with one number: about 2^50 trials of 2^15 hash steps each.
///
/// The value before each step is hashed with both keys, the smaller key first, beginning with the text
/// `"chappe safety number v1"`. Each group is five bytes of the last hash, big-endian, modulo 100,000.
/// One number takes some milliseconds.
///
/// ```
/// use chappe_envelope::SafetyNumber;
///
/// let (north, south) = ([1; 32], [2; 32]);
/// let number = SafetyNumber::of(&north, &south);
/// assert_eq!(number, SafetyNumber::of(&south, &north));
/// assert_eq!(number.to_string().parse(), Ok(number));
/// ```
#[derive(Clone, Copy)]
pub struct SafetyNumber([u8; DIGITS]);

impl SafetyNumber {
    /// The number of two identity keys, in any order.
    pub fn of(one: &[u8; 32], other: &[u8; 32]) -> Self {
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let mut hash = Sha256::new()
            .chain_update(b"chappe safety number v1")
            .chain_update(low)
            .chain_update(high)
            .finalize();
        for _ in 1..STEPS {
            hash = Sha256::new()
                .chain_update(hash)
                .chain_update(low)
                .chain_update(high)
                .finalize();
        }
        let mut digits = [b'0'; DIGITS];
        for (group, five) in digits
            .chunks_exact_mut(DIGITS / GROUPS)
            .zip(hash.chunks_exact(5))
        {
            let value = five
                .iter()
                .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            write_decimal(value, group);
        }
        Self(digits)
    }
}

/// The lowest digits of `value`, as many as there is room for.
fn write_decimal(mut value: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl PartialEq for SafetyNumber {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SafetyNumber {}

impl fmt::Display for SafetyNumber {
    /// Six groups of five digits with spaces between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks_exact(DIGITS / GROUPS).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(core::str::from_utf8(group).unwrap_or_default())?;
        }
        Ok(())
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SafetyNumber {
    type Err = SafetyNumberError;

    /// Reads 30 digits, with white space wherever somebody put some.
    fn from_str(text: &str) -> Result<Self, SafetyNumberError> {
        let mut typed = text.chars().filter(|c| !c.is_whitespace());
        let mut digits = [0; DIGITS];
        for digit in &mut digits {
            let c = typed.next().ok_or(SafetyNumberError::Length)?;
            *digit = u8::try_from(c)
                .ok()
                .filter(u8::is_ascii_digit)
                .ok_or(SafetyNumberError::NotADigit(c))?;
        }
        match typed.next() {
            None => Ok(Self(digits)),
            Some(_) => Err(SafetyNumberError::Length),
        }
    }
}

/// Why a text is not a safety number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SafetyNumberError {
    /// Fewer or more than 30 digits.
    #[error("a safety number has 30 digits")]
    Length,
    /// Something other than digits and white space.
    #[error("{0:?} is not a digit")]
    NotADigit(char),
}
