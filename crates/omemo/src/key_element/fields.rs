//! Protobuf messages with exactly one encoding.

use alloc::vec::Vec;

use super::{KeyElementError, MAX_KEY_ELEMENT_LEN};

/// A reader of the fields of one protobuf message, in order.
pub(super) struct Fields<'a>(&'a [u8]);

/// Wire types of protobuf: a varint, and bytes with their length before them.
const WIRE_VARINT: u8 = 0;
const WIRE_BYTES: u8 = 2;

impl<'a> Fields<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Result<Self, KeyElementError> {
        if bytes.len() > MAX_KEY_ELEMENT_LEN {
            return Err(KeyElementError::TooLong);
        }
        Ok(Self(bytes))
    }

    pub(super) fn varint(&mut self, field: u8) -> Result<u32, KeyElementError> {
        self.key(field, WIRE_VARINT)?;
        self.number()
    }

    pub(super) fn bytes(&mut self, field: u8) -> Result<&'a [u8], KeyElementError> {
        self.key(field, WIRE_BYTES)?;
        let length = usize::try_from(self.number()?).map_err(|_| KeyElementError::Encoding)?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(KeyElementError::Encoding)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        field: u8,
    ) -> Result<&'a [u8; N], KeyElementError> {
        self.bytes(field)?
            .try_into()
            .map_err(|_| KeyElementError::Encoding)
    }

    /// A number that may be left out.
    pub(super) fn optional_varint(&mut self, field: u8) -> Result<Option<u32>, KeyElementError> {
        if self.0.first() == Some(&(field << 3 | WIRE_VARINT)) {
            self.varint(field).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) const fn end(self) -> Result<(), KeyElementError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KeyElementError::Encoding)
        }
    }

    fn key(&mut self, field: u8, wire_type: u8) -> Result<(), KeyElementError> {
        if self.byte()? == field << 3 | wire_type {
            Ok(())
        } else {
            Err(KeyElementError::Encoding)
        }
    }

    /// A varint of at most 32 bits, in as few bytes as possible.
    fn number(&mut self) -> Result<u32, KeyElementError> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(KeyElementError::Encoding);
                }
                return u32::try_from(value).map_err(|_| KeyElementError::Encoding);
            }
        }
        Err(KeyElementError::Encoding)
    }

    fn byte(&mut self) -> Result<u8, KeyElementError> {
        let (byte, rest) = self.0.split_first().ok_or(KeyElementError::Encoding)?;
        self.0 = rest;
        Ok(*byte)
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3 | WIRE_VARINT);
    put_number(out, u64::from(value));
}

pub(super) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | WIRE_BYTES);
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
