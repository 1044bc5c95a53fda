//! Reading and writing of our own state: fixed-width fields, big-endian, a version byte first.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::curve::{KeyError, KeyPair, PublicKey};
use crate::kdf::Secret;

/// Why bytes are not a state that this crate has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Written by another version of this crate.
    #[error("the state has version {0}, which is unknown here")]
    Version(u8),
    /// Too short or too long.
    #[error("the state is cut or has bytes too many")]
    Length,
    /// A field has a value that is never written.
    #[error("the state has a field with an impossible value")]
    Field,
    /// A public key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Collects a state. Its room is given at the start, so that no copies of secrets are left behind by growth.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn new(version: u8, room: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        bytes.push(version);
        Self(bytes)
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.byte(value.into());
    }

    /// A number of items, of which there are never more than 65,535.
    pub(crate) fn count(&mut self, value: usize) {
        let value = u16::try_from(value).unwrap_or(u16::MAX);
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn number(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn long(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    pub(crate) fn pair(&mut self, pair: &KeyPair) {
        self.bytes(pair.secret_bytes());
        self.bytes(pair.public().as_bytes());
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// Takes a state apart.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Checks the version.
    pub(crate) fn new(version: u8, bytes: &'a [u8]) -> Result<Self, StateError> {
        match bytes.split_first() {
            Some((found, rest)) if *found == version => Ok(Self(rest)),
            Some((found, _)) => Err(StateError::Version(*found)),
            None => Err(StateError::Length),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, StateError> {
        let [byte] = self.array()?;
        Ok(*byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, StateError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(StateError::Field),
        }
    }

    /// A number of items of at least `size` bytes each, at most `max`.
    pub(crate) fn count(&mut self, max: usize) -> Result<usize, StateError> {
        let count = usize::from(u16::from_be_bytes(*self.array()?));
        if count > max {
            Err(StateError::Field)
        } else {
            Ok(count)
        }
    }

    pub(crate) fn number(&mut self) -> Result<u32, StateError> {
        Ok(u32::from_be_bytes(*self.array()?))
    }

    pub(crate) fn long(&mut self) -> Result<u64, StateError> {
        Ok(u64::from_be_bytes(*self.array()?))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], StateError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(StateError::Length)?;
        self.0 = rest;
        Ok(array)
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], StateError> {
        let (slice, rest) = self.0.split_at_checked(length).ok_or(StateError::Length)?;
        self.0 = rest;
        Ok(slice)
    }

    pub(crate) fn secret(&mut self) -> Result<Secret, StateError> {
        Ok(Secret::new(*self.array()?))
    }

    pub(crate) fn public_key(&mut self) -> Result<PublicKey, StateError> {
        Ok(PublicKey::from_bytes(*self.array()?)?)
    }

    pub(crate) fn pair(&mut self) -> Result<KeyPair, StateError> {
        let secret = *self.array()?;
        Ok(KeyPair::from_parts(secret, self.public_key()?))
    }

    pub(crate) fn end(self) -> Result<(), StateError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(StateError::Length)
        }
    }
}
