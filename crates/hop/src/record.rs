//! Records: what one encryption holds.

use alloc::vec::Vec;

use crate::{
    Violation,
    packet_number::{PacketNumber, ReplayWindow},
};

/// Bytes of the packet number in front of the sealed part.
pub(crate) const NUMBER_LEN: usize = 2;
/// Bytes of the flags.
pub(crate) const FLAGS_LEN: usize = 1;
/// Bytes of a credit block.
pub(crate) const CREDIT_LEN: usize = 8;
/// Bytes of a stream block before its data.
pub(crate) const STREAM_OFFSET_LEN: usize = 4;
/// The most bytes of an acknowledgement's bitmap.
pub(crate) const MAX_ACK_BITMAP_LEN: usize = 8;

const ACK: u8 = 1;
const CREDIT: u8 = 2;
const PING: u8 = 4;
const STREAM: u8 = 8;

/// The plaintext of a record:
///
/// ```text
/// +-------+-----------+------------+-------------------+
/// | flags | [ack]     | [credit]   | [stream]          |   each block only if its flag is set
/// | 1     | 4 to 12   | 8          | 4 + data, to end  |
/// +-------+-----------+------------+-------------------+
/// flags   1: ack   2: credit   4: ping   8: stream   others: 0
///
/// ack     +-------------+---------+-----------+-----------------+
///         | largest (2) | run (1) | bytes (1) | bitmap (0 to 8) |
///         +-------------+---------+-----------+-----------------+
/// credit  highest offset, exclusive, that the other end may send (8)
/// stream  last 32 bits of the offset of the first byte (4), then one byte of data or more
/// ```
///
/// All numbers are in network byte order. A record with a credit, a ping or a stream block is acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) ack: Option<AckBlock>,
    pub(crate) credit: Option<u64>,
    pub(crate) ping: bool,
    pub(crate) stream: Option<StreamBlock<'a>>,
}

/// Bytes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamBlock<'a> {
    pub(crate) offset: u32,
    pub(crate) data: &'a [u8],
}

impl<'a> Record<'a> {
    /// True if the other end wants to know that the record came.
    pub(crate) fn is_ack_eliciting(&self) -> bool {
        self.credit.is_some() || self.ping || self.stream.is_some()
    }

    /// Appends everything but the stream's data, which the caller copies in behind it.
    pub(crate) fn encode_head(&self, out: &mut Vec<u8>) {
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        out.push(
            flag(self.ack.is_some(), ACK)
                | flag(self.credit.is_some(), CREDIT)
                | flag(self.ping, PING)
                | flag(self.stream.is_some(), STREAM),
        );
        if let Some(ack) = &self.ack {
            ack.encode(out);
        }
        if let Some(credit) = self.credit {
            out.extend_from_slice(&credit.to_be_bytes());
        }
        if let Some(stream) = &self.stream {
            out.extend_from_slice(&stream.offset.to_be_bytes());
        }
    }

    /// Decodes an authentic plaintext.
    pub(crate) fn decode(plaintext: &'a [u8]) -> Result<Self, Violation> {
        Self::parse(plaintext).ok_or(Violation::MalformedRecord)
    }

    fn parse(plaintext: &'a [u8]) -> Option<Self> {
        let (flags, mut rest) = plaintext.split_first()?;
        if flags & !(ACK | CREDIT | PING | STREAM) != 0 {
            return None;
        }
        let mut record = Self {
            ping: flags & PING != 0,
            ..Self::default()
        };
        if flags & ACK != 0 {
            let (ack, after) = AckBlock::parse(rest)?;
            record.ack = Some(ack);
            rest = after;
        }
        if flags & CREDIT != 0 {
            let (credit, after) = rest.split_first_chunk()?;
            record.credit = Some(u64::from_be_bytes(*credit));
            rest = after;
        }
        if flags & STREAM != 0 {
            let (offset, data) = rest.split_first_chunk()?;
            if data.is_empty() {
                return None;
            }
            record.stream = Some(StreamBlock {
                offset: u32::from_be_bytes(*offset),
                data,
            });
            rest = &[];
        }
        rest.is_empty().then_some(record)
    }
}

/// Which records came: the largest number, how many came directly below it without a gap (255 means at least
/// that many), and one bit for each number below that, the nearest first, most significant bit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckBlock {
    largest: u16,
    run: u8,
    bitmap: [u8; MAX_ACK_BITMAP_LEN],
    bitmap_len: u8,
}

impl AckBlock {
    /// The longest encoding.
    pub(crate) const MAX_LEN: usize = 4 + MAX_ACK_BITMAP_LEN;

    /// Acknowledges what the window holds; `None` if that is nothing.
    pub(crate) fn of(window: &ReplayWindow) -> Option<Self> {
        let largest = window.largest()?;
        let below = |distance: u64| {
            largest
                .get()
                .checked_sub(distance)
                .is_some_and(|number| window.contains(number))
        };
        let run = (1..=u8::MAX)
            .take_while(|distance| below(u64::from(*distance)))
            .count() as u8;
        let mut ack = Self {
            largest: largest.truncate(),
            run,
            bitmap: [0; MAX_ACK_BITMAP_LEN],
            bitmap_len: 0,
        };
        if run < u8::MAX {
            let first = u64::from(run) + 1;
            for (len, (byte, start)) in (1..).zip(ack.bitmap.iter_mut().zip((first..).step_by(8))) {
                *byte = (start..start + 8).fold(0, |bits, at| bits << 1 | u8::from(below(at)));
                if *byte != 0 {
                    ack.bitmap_len = len;
                }
            }
        }
        Some(ack)
    }

    /// The largest number, given the number that is sent next.
    pub(crate) fn largest(&self, next: u64) -> Option<PacketNumber> {
        PacketNumber::expand(self.largest, next)
    }

    /// True if `number` is acknowledged, given the largest number in full.
    pub(crate) fn covers(&self, largest: PacketNumber, number: PacketNumber) -> bool {
        let Some(distance) = largest.get().checked_sub(number.get()) else {
            return false;
        };
        let Some(bit) = distance.checked_sub(u64::from(self.run) + 1) else {
            return true;
        };
        let byte = usize::try_from(bit / 8)
            .ok()
            .and_then(|at| self.bitmap.get(at));
        byte.is_some_and(|byte| byte << (bit % 8) & 0x80 != 0)
    }

    /// Length of the encoding.
    pub(crate) fn encoded_len(&self) -> usize {
        4 + usize::from(self.bitmap_len)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.largest.to_be_bytes());
        out.extend_from_slice(&[self.run, self.bitmap_len]);
        out.extend(self.bitmap.iter().take(usize::from(self.bitmap_len)));
    }

    fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&[high, low, run, bitmap_len], rest) = bytes.split_first_chunk()?;
        let (bits, rest) = rest.split_at_checked(usize::from(bitmap_len))?;
        let mut bitmap = [0; MAX_ACK_BITMAP_LEN];
        bitmap.get_mut(..bits.len())?.copy_from_slice(bits);
        let ack = Self {
            largest: u16::from_be_bytes([high, low]),
            run,
            bitmap,
            bitmap_len,
        };
        Some((ack, rest))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn encoded(record: &Record<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        record.encode_head(&mut bytes);
        if let Some(stream) = &record.stream {
            bytes.extend_from_slice(stream.data);
        }
        bytes
    }

    fn window(numbers: &[u64]) -> ReplayWindow {
        let mut window = ReplayWindow::new(PacketNumber::new(0));
        for number in numbers {
            if window.is_fresh(PacketNumber::new(*number)) {
                window.accept(PacketNumber::new(*number));
            }
        }
        window
    }

    #[test]
    fn a_record_without_loss_acknowledges_in_four_bytes() {
        let ack = AckBlock::of(&window(&(0..2_000).collect::<Vec<_>>())).unwrap();
        let record = Record {
            ack: Some(ack),
            ..Record::default()
        };
        assert_eq!(encoded(&record).len(), FLAGS_LEN + 4);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(
            numbers in prop::collection::vec(0u64..400, 0..300),
            credit in any::<Option<u64>>(),
            ping in any::<bool>(),
            offset in any::<u32>(),
            data in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let record = Record {
                ack: AckBlock::of(&window(&numbers)),
                credit,
                ping,
                stream: (!data.is_empty()).then_some(StreamBlock { offset, data: &data }),
            };
            let bytes = encoded(&record);
            prop_assert_eq!(Record::decode(&bytes), Ok(record.clone()));
            for length in 0..bytes.len() {
                let shorter = Record::decode(&bytes[..length]);
                prop_assert_ne!(&shorter, &Ok(record.clone()));
                if record.stream.is_none() {
                    prop_assert!(shorter.is_err());
                }
            }
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert!(encoded(&record).len() == bytes.len());
            }
        }

        #[test]
        fn an_acknowledgement_covers_what_came_and_nothing_else(
            numbers in prop::collection::vec(0u64..400, 1..380),
        ) {
            let window = window(&numbers);
            let largest = window.largest().unwrap();
            let ack = AckBlock::of(&window).unwrap();
            prop_assert_eq!(ack.largest(largest.get() + 7), Some(largest));
            for number in 0..=largest.get() + 3 {
                let covered = ack.covers(largest, PacketNumber::new(number));
                prop_assert!(!covered || window.contains(number));
                if largest.get().saturating_sub(number) <= 64 && number <= largest.get() {
                    prop_assert_eq!(covered, window.contains(number));
                }
            }
        }
    }

    #[test]
    fn unknown_flags_and_empty_streams_are_refused() {
        assert!(Record::decode(&[]).is_err());
        assert!(Record::decode(&[16]).is_err());
        assert!(Record::decode(&[STREAM, 0, 0, 0, 0]).is_err());
        assert!(Record::decode(&[PING, 0]).is_err());
        assert!(Record::decode(&vec![ACK, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert_eq!(Record::decode(&[0]), Ok(Record::default()));
    }
}
