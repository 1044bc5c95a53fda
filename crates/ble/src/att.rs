//! What fits into one write or notification of GATT.

/// What a write without response or a notification costs of ATT_MTU: operation and handle (Bluetooth Core 5.4,
/// volume 3, part F, 3.4.5.3 and 3.4.7.1).
const HEADER: u16 = 3;
/// The longest value of an attribute (volume 3, part F, 3.2.9).
const MAX_VALUE: u16 = 512;

/// The longest packet of the attribute protocol on a connection, as both ends have agreed.
///
/// ```
/// use chappe_ble::AttMtu;
///
/// assert_eq!(AttMtu::new(23).payload(), 20);
/// assert_eq!(AttMtu::new(517).payload(), 512);
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
            return MAX_VALUE as usize;
        }
        payload as usize
    }
}
