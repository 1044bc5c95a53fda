//! Keys as words: BIP-39's English list and coding, 256 bits and 8 of checksum in 24 words of 11 bits.
//!
//! The list is `english.txt` of BIP-0039, as the package `mnemonic` 0.21 distributes it under the MIT licence
//! (copyright 2013-2016 Pavol Rusnak); its SHA-256 begins with 2f5eed53. The first four letters of a word
//! tell it from all others.

use alloc::string::String;

use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyFormError, WORDS};
use crate::kdf::Secret;

const LIST: &str = include_str!("english.txt");
const BITS: u32 = 11;

pub(super) fn encode(key: &Secret) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
    let (mut rest, mut bits) = (0_u32, 0);
    for byte in key.iter().copied().chain([checksum(key)]) {
        rest = rest << 8 | u32::from(byte);
        bits += 8;
        if bits >= BITS {
            bits -= BITS;
            if !text.is_empty() {
                text.push(' ');
            }
            let index = rest >> bits & 0x7ff;
            text.push_str(LIST.lines().nth(index as usize).unwrap_or_default());
        }
    }
    rest.zeroize();
    text
}

pub(super) fn decode(text: &str) -> Result<Secret, KeyFormError> {
    let mut bytes = Zeroizing::new([0; 33]);
    let (mut rest, mut bits, mut count) = (0_u32, 0, 0);
    let mut places = bytes.iter_mut();
    for word in text.split_whitespace() {
        count += 1;
        rest = rest << BITS
            | index(word)
                .filter(|_| count <= WORDS)
                .ok_or(KeyFormError::Form)?;
        bits += BITS;
        while bits >= 8 {
            bits -= 8;
            *places.next().ok_or(KeyFormError::Form)? = (rest >> bits & 0xff) as u8;
        }
    }
    rest.zeroize();
    let (key, sum) = bytes.split_first_chunk().ok_or(KeyFormError::Form)?;
    if count != WORDS {
        return Err(KeyFormError::Form);
    }
    let key = Secret::new(*key);
    if sum != [checksum(&key)] {
        return Err(KeyFormError::Checksum);
    }
    Ok(key)
}

fn index(word: &str) -> Option<u32> {
    (0..)
        .zip(LIST.lines())
        .find(|(_, known)| known.eq_ignore_ascii_case(word))
        .map(|(index, _)| index)
}

fn checksum(key: &Secret) -> u8 {
    Sha256::digest(key.as_slice())
        .first()
        .copied()
        .unwrap_or_default()
}
