//! A capture of hwsim's air: what radios sent, frame by frame.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

/// The capture's first bytes, and the kind of its packets: radiotap, then a frame of IEEE 802.11.
const HEADER: usize = 24;
const MAGIC: [u8; 4] = 0xa1b2_c3d4_u32.to_le_bytes();
const RADIOTAP: u32 = 127;
/// Before each packet: time, and lengths.
const RECORD: usize = 16;
/// Where the addresses of a frame end. In an encrypted one only counters follow, which begin anew with the group's interface
/// and key.
const ADDRESSES_END: usize = 4 + 3 * 6;
/// What the name of a group begins with; two random letters follow (Wi-Fi Direct 1.9, 3.2.1).
const GROUP_NAME: &[u8] = b"DIRECT-";

/// An address of a radio.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mac([u8; 6]);

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Control,
    Data,
    Management,
}

/// A frame that somebody sent.
#[derive(Debug)]
pub(crate) struct Frame {
    /// When it was sent, since the epoch of the guest's clock.
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
    /// Who sent it. Acknowledgements do not tell.
    pub(crate) from: Option<Mac>,
    /// The random letters of the group's name in it.
    pub(crate) letters: Option<[u8; 2]>,
    /// Its beginning, as far as it was captured, without those letters.
    bytes: Vec<u8>,
    len: usize,
}

impl Frame {
    /// Bytes on air, without the preamble and the checksum.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// What is readable for everybody behind the addresses: all of a management frame, and of a data frame what is not
    /// encrypted. The letters of a group's name are left out: there are so few of them that they recur by chance.
    pub(crate) fn readable(&self) -> &[u8] {
        /// The flag of a frame whose body is encrypted.
        const PROTECTED: u8 = 0x40;
        let encrypted = self
            .bytes
            .get(1)
            .is_some_and(|flags| flags & PROTECTED != 0);
        let end = if encrypted {
            ADDRESSES_END
        } else {
            self.bytes.len()
        };
        // Frame control, duration and the sequence number are counters; addresses are looked at by themselves too.
        self.bytes
            .get(4..end.min(self.bytes.len()))
            .unwrap_or_default()
    }

    /// A packet of the capture: radiotap, then the frame; of `len` bytes before it was cut.
    pub(crate) fn parse(at: Duration, packet: &[u8], len: usize) -> Option<Self> {
        let radiotap = u16::from_le_bytes([*packet.get(2)?, *packet.get(3)?]);
        let bytes = packet.get(usize::from(radiotap)..)?;
        let kind = match (bytes.first()? >> 2) & 3 {
            0 => Kind::Management,
            1 => Kind::Control,
            2 => Kind::Data,
            _ => return None,
        };
        let from = bytes.get(10..16).and_then(|bytes| bytes.try_into().ok());
        let mut bytes = bytes.to_vec();
        let letters = take_letters(&mut bytes);
        Some(Self {
            at,
            kind,
            from: from.map(Mac).filter(|_| kind != Kind::Control),
            letters,
            bytes,
            len: len.checked_sub(usize::from(radiotap))?,
        })
    }
}

/// Blanks the letters of each group's name in a frame, and gives the first ones. Who only looks for groups names none.
fn take_letters(bytes: &mut [u8]) -> Option<[u8; 2]> {
    let length = GROUP_NAME.len();
    let mut first = None;
    for at in 0..bytes.len() {
        let Some(name) = bytes.get_mut(at..at + length + 2) else {
            break;
        };
        if let Some((GROUP_NAME, _)) = name.split_at_checked(length)
            && let Some(letters) = name.get_mut(length..)
            && let [one, other] = letters
            && one.is_ascii_alphanumeric()
            && other.is_ascii_alphanumeric()
        {
            first = first.or(Some([*one, *other]));
            letters.fill(b'?');
        }
    }
    first
}

/// All frames of a capture, in order. One that is cut off ends it: the capture goes on.
///
/// # Errors
/// When it cannot be read, or is another kind of capture.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Frame>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is no capture of hwsim", path.display()))
}

fn parse(bytes: &[u8]) -> Option<Vec<Frame>> {
    let (header, mut rest) = bytes.split_at_checked(HEADER)?;
    let kind = header.get(20..24)?.try_into().ok()?;
    if !header.starts_with(&MAGIC) || u32::from_le_bytes(kind) != RADIOTAP {
        return None;
    }
    let mut frames = Vec::new();
    while let Some((record, packets)) = rest.split_at_checked(RECORD) {
        let (words, _) = record.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let (seconds, micros) = (words.next()?, words.next()?);
        let at = Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into());
        let (here, len) = (words.next()?, usize::try_from(words.next()?).ok()?);
        let Some((packet, after)) = packets.split_at_checked(usize::try_from(here).ok()?) else {
            break;
        };
        frames.extend(Frame::parse(at, packet, len));
        rest = after;
    }
    Some(frames)
}

impl std::str::FromStr for Mac {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut bytes = [0; 6];
        let mut words = text.split(':');
        for byte in &mut bytes {
            let word = words.next().context("an address of a radio")?;
            *byte = u8::from_str_radix(word, 16)?;
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, rest @ ..] = &self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that cannot go on fails"
    )]

    use super::*;

    fn capture(frames: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]);
        bytes.extend(RADIOTAP.to_le_bytes());
        for frame in frames {
            let length = u32::try_from(8 + frame.len()).unwrap().to_le_bytes();
            bytes.extend([7, 0, 0, 0, 1, 0, 0, 0]);
            bytes.extend(length);
            bytes.extend(length);
            bytes.extend([0, 0, 8, 0, 0, 0, 0, 0]);
            bytes.extend(*frame);
        }
        bytes
    }

    #[test]
    fn frames_are_read_with_their_senders() {
        let mut beacon = vec![0x80, 0, 0, 0];
        beacon.extend([0xff; 6]);
        beacon.extend([2, 0, 0, 0, 0, 1]);
        beacon.extend([9; 20]);
        let ack = [0xd4, 0, 0, 0, 1, 1, 1, 1, 1, 1];
        let mut bytes = capture(&[&beacon, &ack]);
        bytes.extend([0; 20]);
        let frames = parse(&bytes).unwrap();
        assert_eq!(frames[0].kind, Kind::Management);
        assert_eq!(frames[0].from, Some("02:00:00:00:00:01".parse().unwrap()));
        assert_eq!(frames[0].at, Duration::from_micros(7_000_001));
        assert_eq!((frames[0].len(), frames[0].readable().len()), (36, 32));
        assert_eq!((frames[1].kind, frames[1].from), (Kind::Control, None));
    }

    #[test]
    fn the_body_of_an_encrypted_frame_is_not_read() {
        let mut data = vec![0x88, 0x41];
        data.extend([7; 200]);
        let frames = parse(&capture(&[&data])).unwrap();
        assert_eq!((frames[0].kind, frames[0].len()), (Kind::Data, 202));
        assert_eq!(frames[0].readable().len(), ADDRESSES_END - 4);
    }

    #[test]
    fn the_letters_of_a_groups_name_are_told_apart() {
        let mut beacon = vec![0x80, 0, 0, 0];
        beacon.extend([2; 20]);
        beacon.extend(*b"DIRECT-x7 and DIRECT-\x01\x08 and DIRECT-x7, DIRECT");
        let frames = parse(&capture(&[&beacon])).unwrap();
        assert_eq!(frames[0].letters, Some(*b"x7"));
        let readable = frames[0].readable();
        assert!(readable.ends_with(b"DIRECT-?? and DIRECT-\x01\x08 and DIRECT-??, DIRECT"));
        let mut request = vec![0x40, 0, 0, 0];
        request.extend([2; 20]);
        request.extend(*b"DIRECT-\x01\x08");
        assert_eq!(parse(&capture(&[&request])).unwrap()[0].letters, None);
    }

    #[test]
    fn what_is_no_capture_is_refused() {
        assert!(parse(b"").is_none());
        assert!(parse(&[0; 100]).is_none());
        let cut = &capture(&[&[0x80; 30]])[..50];
        assert_eq!(parse(cut).unwrap().len(), 0);
    }
}
