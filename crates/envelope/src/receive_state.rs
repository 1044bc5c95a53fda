//! The stored form of a receiving chain.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::counter::Slots;
use crate::keys::EpochKey;
use crate::reader::Reader;
use crate::receive::PastEpoch;
use crate::{Counter, MAX_HOLE_EPOCHS, MAX_HOLES, ReceiveChain, StateError};

const STATE_VERSION: u8 = 1;
const HEAD_LEN: usize = 59;
const EPOCH_STATE_LEN: usize = 48;

impl ReceiveChain {
    /// The state as bytes, for an encrypted store only; [`ReceiveChain::from_bytes`] reads it.
    ///
    /// ```text
    ///  0       1             9           41          49          57       59
    ///  +-------+-------------+-----------+-----------+-----------+--------+
    ///  | 1     | next counter| epoch key | holes     | given up  | epochs |
    ///  | 1     | 8, BE       | 32        | 8, BE     | 8, BE     | 2, BE  |
    ///  +-------+-------------+-----------+-----------+-----------+--------+
    ///  then for each past epoch with holes, oldest first
    ///  +-------------+--------------------------------+-----------+
    ///  | epoch       | epoch key                      | holes     |
    ///  | 8, BE       | 32                             | 8, BE     |
    ///  +-------------+--------------------------------+-----------+
    /// ```
    /// Bit n of `holes` (bit 0 is the lowest) stands for the counter `64 * epoch + n`.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let length = HEAD_LEN + self.past.len() * EPOCH_STATE_LEN;
        let epochs = u16::try_from(self.past.len()).unwrap_or(u16::MAX);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.push(STATE_VERSION);
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(&self.holes.0.to_be_bytes());
        bytes.extend_from_slice(&self.given_up.to_be_bytes());
        bytes.extend_from_slice(&epochs.to_be_bytes());
        for (epoch, past) in &self.past {
            bytes.extend_from_slice(&epoch.to_be_bytes());
            bytes.extend_from_slice(past.key.as_bytes());
            bytes.extend_from_slice(&past.holes.0.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`ReceiveChain::to_bytes`] wrote; every state has one form.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut reader = Reader::new(bytes);
        StateError::check_version(reader.u8(), STATE_VERSION)?;
        read(reader)
            .filter(Self::is_consistent)
            .ok_or(StateError::Malformed)
    }

    fn is_consistent(&self) -> bool {
        let ahead = Slots::from(self.offset());
        let before = self
            .past
            .keys()
            .next_back()
            .is_none_or(|last| *last < self.epoch());
        self.next <= Counter::LIMIT
            && self.holes.without(ahead) == self.holes
            && before
            && self.past.len() <= MAX_HOLE_EPOCHS
            && self.past.values().all(|past| !past.holes.is_empty())
            && self.holes() <= MAX_HOLES
    }
}

fn read(mut reader: Reader<'_>) -> Option<ReceiveChain> {
    let mut chain = ReceiveChain {
        next: reader.u64()?,
        key: EpochKey::new(reader.array()?),
        holes: Slots(reader.u64()?),
        given_up: reader.u64()?,
        past: BTreeMap::new(),
    };
    for _ in 0..reader.u16()? {
        let epoch = reader.u64()?;
        let key = EpochKey::new(reader.array()?);
        let holes = Slots(reader.u64()?);
        let in_order = chain
            .past
            .keys()
            .next_back()
            .is_none_or(|last| *last < epoch);
        in_order.then(|| chain.past.insert(epoch, PastEpoch { key, holes }))?;
    }
    reader.end()?;
    Some(chain)
}
