//! What fits into one write or notification of GATT.

/// What a value costs of ATT_MTU where it goes as one of several notifications in a packet, as it does between two
/// BlueZ: operation, handle, length (Bluetooth Core 5.4, volume 3, part F, 3.4.7.4). Alone it would be two bytes less.
const HEADER: u16 = 5;
/// The longest value that arrives. An attribute may have 512 bytes (volume 3, part F, 3.2.9), but BlueZ before 5.69
/// counts the handle as part of a value that is written, and drops the write without a word.
const MAX_VALUE: u16 = 510;
/// The shortest packet of a link. It fits where notifications go alone; BlueZ, where they do not, agrees on more than
/// 24 bytes.
const MIN_VALUE: u16 = 20;

/// The longest packet of the attribute protocol on a connection, as both ends have agreed.
///
/// ```
/// use chappe_ble::AttMtu;
///
/// assert_eq!(AttMtu::new(23).payload(), 20);
/// assert_eq!(AttMtu::new(517).payload(), 510);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttMtu(u16);

impl AttMtu {
    /// What there is before anything was agreed (volume 3, part G, 5.2.1).
    pub const MIN: Self = Self(23);
    /// What BlueZ, Android and Apple ask for: a value of 512 bytes and the longest header.
    pub const MAX: Self = Self(517);

    /// This many bytes; what lies outside of the two limits counts as the nearer one.
    pub const fn new(bytes: usize) -> Self {
        if bytes <= Self::MIN.0 as usize {
            return Self::MIN;
        }
        if bytes >= Self::MAX.0 as usize {
            return Self::MAX;
        }
        Self(bytes as u16)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> usize {
        self.0 as usize
    }

    /// The longest value of one write or notification in bytes: a link's longest packet.
    pub const fn payload(self) -> usize {
        let payload = self.0 - HEADER;
        if payload > MAX_VALUE {
            MAX_VALUE as usize
        } else if payload < MIN_VALUE {
            MIN_VALUE as usize
        } else {
            payload as usize
        }
    }
}
