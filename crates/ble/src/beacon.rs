//! What a node advertises.

use std::num::NonZeroU8;

use crate::token::{TOKEN_LEN, Token};

/// The service, as a 128-bit UUID.
pub const SERVICE: u128 = 0x43ae_9f00_6c68_4d5a_9d0e_6368_6170_7065;
/// Length of an encoded beacon in bytes.
pub const BEACON_LEN: usize = 2 + TOKEN_LEN;
/// The only version so far.
const VERSION: u8 = 1;

/// What is advertised as data of [`SERVICE`]: 31 bytes with what the radio adds, all that legacy advertising
/// carries. All of it changes when the address does.
///
/// ```
/// use chappe_ble::{Beacon, Psm, Token};
///
/// let beacon = Beacon { psm: Psm::new(0x80), token: Token::new([7; 8]) };
/// assert_eq!(Beacon::decode(&beacon.encode()), Ok(beacon));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Where the node listens for L2CAP channels; `None` if it takes GATT only.
    pub psm: Option<Psm>,
    /// What the node is called for now.
    pub token: Token,
}

impl Beacon {
    /// The bytes of the service data.
    ///
    /// ```text
    /// +------------+--------+-----------+
    /// | version: 1 | psm: 1 | token: 8  |    psm 0: no L2CAP
    /// +------------+--------+-----------+
    /// ```
    pub fn encode(&self) -> [u8; BEACON_LEN] {
        let mut bytes = [0; BEACON_LEN];
        let psm = self.psm.map_or(0, |psm| psm.0.get());
        let parts = [VERSION, psm].into_iter().chain(*self.token.as_bytes());
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads service data. What a later version appends is ignored.
    ///
    /// # Errors
    /// [`BeaconError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, BeaconError> {
        let ([version, psm], rest) = bytes.split_first_chunk().ok_or(BeaconError::Short)?;
        if *version != VERSION {
            return Err(BeaconError::Version(*version));
        }
        let token = rest.first_chunk().ok_or(BeaconError::Short)?;
        let psm = match *psm {
            0 => None,
            psm => Some(Psm::new(psm).ok_or(BeaconError::Psm(psm))?),
        };
        Ok(Self {
            psm,
            token: Token::new(*token),
        })
    }
}

/// A dynamic protocol/service multiplexer of LE: 0x80 to 0xff (Bluetooth Core 5.4, volume 3, part A, 4.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Psm(NonZeroU8);

impl Psm {
    /// The smallest number.
    pub const FIRST: u8 = 0x80;

    /// The multiplexer of this number, if it is a dynamic one.
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(psm) if number >= Self::FIRST => Some(Self(psm)),
            _ => None,
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0.get() as u16
    }
}

/// Why service data is no beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeaconError {
    /// Not a dynamic multiplexer.
    #[error("the PSM {0:#x} is not dynamic")]
    Psm(u8),
    /// Less than [`BEACON_LEN`] bytes.
    #[error("the beacon is too short")]
    Short,
    /// A version that is not known here.
    #[error("the beacon has the unknown version {0}")]
    Version(u8),
}
