//! A line, word by word.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::str::Split;

use super::EntryError;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A line that is being written.
pub(super) struct Line(String);

impl Line {
    pub(super) fn of(kind: &str) -> Self {
        Self(kind.to_owned())
    }

    pub(super) fn word(mut self, word: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(word);
        self
    }

    pub(super) fn number(mut self, number: impl Into<u64>) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {}", number.into());
        self
    }

    pub(super) fn length(self, length: usize) -> Self {
        self.number(length as u64)
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.word(if flag { "yes" } else { "no" })
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.push_str(" x");
        for byte in bytes {
            self.hex(*byte);
        }
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.push_str(" =");
        for character in text.chars() {
            if character == '%' || character.is_control() || character.is_whitespace() {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    self.0.push('%');
                    self.hex(byte);
                }
            } else {
                self.0.push(character);
            }
        }
        self
    }

    /// Something, or `-`.
    pub(super) fn maybe<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self.word("-"),
        }
    }

    /// A list, with its length before it.
    pub(super) fn list<T>(self, values: &[T], mut write: impl FnMut(Self, &T) -> Self) -> Self {
        let line = self.length(values.len());
        values.iter().fold(line, &mut write)
    }

    pub(super) fn done(self) -> String {
        self.0
    }

    fn hex(&mut self, byte: u8) {
        for digit in [byte >> 4, byte & 15] {
            if let Some(digit) = DIGITS.get(usize::from(digit)) {
                self.0.push(char::from(*digit));
            }
        }
    }
}

/// A line that is being read.
pub(super) struct Words<'a>(Split<'a, char>);

impl<'a> Words<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self(line.split(' '))
    }

    pub(super) fn word(&mut self, expected: &'static str) -> Result<&'a str, EntryError> {
        self.0
            .next()
            .ok_or_else(|| EntryError::new("the end of the line".to_owned(), expected))
    }

    pub(super) fn number(&mut self) -> Result<u64, EntryError> {
        self.parsed("a number")
    }

    /// A number that a smaller type takes.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, EntryError> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| EntryError::new(format!("{number}"), "a smaller number"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, EntryError> {
        match self.word("`yes` or `no`")? {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(EntryError::word(other, "`yes` or `no`")),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, EntryError> {
        const EXPECTED: &str = "`x` and hexadecimal digits";
        let word = self.word(EXPECTED)?;
        word.strip_prefix('x')
            .and_then(from_hex)
            .ok_or_else(|| EntryError::word(word, EXPECTED))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let bytes = self.bytes()?;
        let length = bytes.len();
        bytes
            .try_into()
            .map_err(|_| EntryError::new(format!("{length} bytes"), "another number of bytes"))
    }

    pub(super) fn text(&mut self) -> Result<String, EntryError> {
        const EXPECTED: &str = "`=` and a text";
        let word = self.word(EXPECTED)?;
        word.strip_prefix('=')
            .and_then(unescaped)
            .ok_or_else(|| EntryError::word(word, EXPECTED))
    }

    pub(super) fn parsed<T: core::str::FromStr>(
        &mut self,
        expected: &'static str,
    ) -> Result<T, EntryError> {
        let word = self.word(expected)?;
        word.parse().map_err(|_| EntryError::word(word, expected))
    }

    /// Something, or nothing where `-` stands.
    pub(super) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, EntryError>,
    ) -> Result<Option<T>, EntryError> {
        let mut ahead = self.0.clone();
        if ahead.next() == Some("-") {
            self.0 = ahead;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// A list, with its length before it. Nothing is reserved for a length that only a number tells.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, EntryError>,
    ) -> Result<Vec<T>, EntryError> {
        let length = self.number()?;
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(read(self)?);
        }
        Ok(values)
    }

    /// There is no more.
    pub(super) fn end(mut self) -> Result<(), EntryError> {
        match self.0.next() {
            None => Ok(()),
            Some(word) => Err(EntryError::word(word, "the end of the line")),
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(byte).collect()
}

/// A byte from two hexadecimal digits.
fn byte(digits: &[u8]) -> Option<u8> {
    let value = |digit: &u8| DIGITS.iter().position(|known| known == digit);
    let [high, low] = digits else {
        return None;
    };
    u8::try_from(value(high)? * 16 + value(low)?).ok()
}

fn unescaped(word: &str) -> Option<String> {
    let mut parts = word.split('%');
    let mut bytes = Vec::from(parts.next()?);
    for part in parts {
        let (digits, rest) = part.as_bytes().split_at_checked(2)?;
        bytes.push(byte(digits)?);
        bytes.extend_from_slice(rest);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_written() {
        let text = "a b\n%c\u{a0}\u{2028}é -";
        let line = Line::of("k")
            .number(7_u64)
            .text(text)
            .text("")
            .bytes(&[0, 0xff])
            .bytes(&[])
            .flag(true)
            .word("-")
            .list(&[1_u64, 2], |line, number| line.number(*number))
            .done();
        assert!(
            line.chars().all(|c| c == ' ' || !c.is_whitespace()),
            "{line:?}"
        );
        let mut words = Words::of(&line);
        assert_eq!(words.word("a kind").unwrap(), "k");
        assert_eq!(words.small::<u8>().unwrap(), 7);
        assert_eq!(words.text().unwrap(), text);
        assert_eq!(words.text().unwrap(), "");
        assert_eq!(words.array::<2>().unwrap(), [0, 0xff]);
        assert_eq!(words.bytes().unwrap(), []);
        assert!(words.flag().unwrap());
        assert_eq!(words.maybe(Words::number).unwrap(), None);
        assert_eq!(words.list(Words::number).unwrap(), [1, 2]);
        words.end().unwrap();
    }

    #[test]
    fn words_that_are_none_are_told_with_what_was_expected() {
        let told = |error: EntryError| alloc::string::ToString::to_string(&error);
        assert_eq!(
            told(Words::of("x123").bytes().unwrap_err()),
            "there is `x123`; expected `x` and hexadecimal digits"
        );
        for bad in ["=%", "=%4", "=%zz", "=%ff", "text"] {
            assert!(Words::of(bad).text().is_err(), "{bad}");
        }
        assert!(Words::of("256").small::<u8>().is_err());
        assert!(Words::of("x00").array::<2>().is_err());
        assert!(
            Words::of("18446744073709551615 1")
                .list(Words::number)
                .is_err()
        );
        assert!(Words::of("1").end().is_err());
    }
}
