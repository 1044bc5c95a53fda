//! What the relay must not have: names, addresses, texts, keys; each with 16 random bytes or more of this run,
//! so that to find one means a leak, and not to find one means something.

use crate::control::protocol::hex;
use crate::failure::Failure;

/// Something secret of this run, in all forms that are looked for.
pub(crate) struct Marker {
    /// What it is, for people.
    pub(crate) what: String,
    /// Its forms.
    pub(crate) forms: Vec<Vec<u8>>,
}

impl Marker {
    /// A text.
    pub(crate) fn text(what: impl Into<String>, text: &str) -> Self {
        Self {
            what: what.into(),
            forms: vec![text.as_bytes().to_vec()],
        }
    }

    /// A key or another string of bytes: as it is, and in hex of both cases.
    pub(crate) fn bytes(what: impl Into<String>, bytes: &[u8]) -> Self {
        let lower = hex(bytes);
        let upper = lower.to_uppercase();
        Self {
            what: what.into(),
            forms: vec![bytes.to_vec(), lower.into_bytes(), upper.into_bytes()],
        }
    }

    /// A fingerprint: a key that is shown in hex, in groups or not.
    pub(crate) fn fingerprint(what: impl Into<String>, shown: &str) -> Option<Self> {
        let key = from_hex(shown)?;
        let mut marker = Self::bytes(what, &key);
        marker.forms.push(shown.as_bytes().to_vec());
        Some(marker)
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Failure::new("The system gives no random numbers; the demo needs some."))?;
    Ok(bytes)
}

/// A word that nobody else has: 32 hex digits of 16 random bytes.
pub(crate) fn word() -> Result<String, Failure> {
    Ok(hex(&random::<16>()?))
}

/// Reads hex, white space aside.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() {
        return None;
    }
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_looked_for_as_bytes_and_as_shown() {
        let marker = Marker::fingerprint("f", "00ff 10Ab").unwrap();
        let forms: Vec<&[u8]> = marker.forms.iter().map(Vec::as_slice).collect();
        assert_eq!(
            forms,
            [
                &[0x00, 0xff, 0x10, 0xab][..],
                b"00ff10ab",
                b"00FF10AB",
                b"00ff 10Ab"
            ]
        );
        assert!(Marker::fingerprint("f", "0g").is_none());
        assert!(Marker::fingerprint("f", "012").is_none());
    }
}
