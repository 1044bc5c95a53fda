//! An invitation to a Wi-Fi Direct group.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use prost::Message as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::proto;

/// The longest encoded invitation.
pub const MAX_INVITATION_LEN: usize = 256;
/// The longest name of a group, in bytes (IEEE 802.11).
const MAX_SSID_LEN: usize = 32;
/// The longest passphrase, in bytes (WPA2).
const MAX_PASSPHRASE_LEN: usize = 63;

/// How a Wi-Fi Direct group is joined, and where its owner is met. It is told inside an encrypted hop, and to
/// nobody else.
///
/// ```
/// use chappe_wire::Invitation;
///
/// let told = Invitation {
///     ssid: "DIRECT-ab".into(),
///     passphrase: "not a secret".into(),
///     frequency: 2437,
///     address: [0xfe; 16],
///     port: 4001,
///     key: [7; 32],
/// };
/// assert_eq!(Invitation::decode(&told.encode())?, told);
/// # Ok::<(), chappe_wire::InvitationError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Invitation {
    /// The group's name, at most 32 bytes.
    pub ssid: String,
    /// Its passphrase, at most 63 bytes. Whoever uses them checks what is in the two.
    pub passphrase: String,
    /// The channel's frequency in MHz; 0 if it is not known.
    pub frequency: u16,
    /// The owner's IPv6 address on the group's interface.
    pub address: [u8; 16],
    /// The owner's TCP port.
    pub port: u16,
    /// The owner's key for this group.
    pub key: [u8; 32],
}

impl Invitation {
    /// Encodes it as `chappe.v1.Invitation`.
    pub fn encode(&self) -> Vec<u8> {
        self.to_proto().encode_to_vec()
    }

    /// Decodes it; unknown fields are ignored.
    ///
    /// # Errors
    /// [`InvitationError`] if it is none, or a field is out of bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvitationError> {
        if bytes.len() > MAX_INVITATION_LEN {
            return Err(InvitationError);
        }
        let told = proto::Invitation::decode(bytes).map_err(|_| InvitationError)?;
        Self::from_proto(&told)
    }

    /// As it stands in a frame.
    pub fn to_proto(&self) -> proto::Invitation {
        proto::Invitation {
            ssid: self.ssid.to_string(),
            passphrase: self.passphrase.to_string(),
            frequency: u32::from(self.frequency),
            address: self.address.to_vec(),
            port: u32::from(self.port),
            key: self.key.to_vec(),
        }
    }

    /// Out of a frame.
    ///
    /// # Errors
    /// [`InvitationError`] if a field is out of bounds.
    pub fn from_proto(told: &proto::Invitation) -> Result<Self, InvitationError> {
        if told.ssid.len() > MAX_SSID_LEN || told.passphrase.len() > MAX_PASSPHRASE_LEN {
            return Err(InvitationError);
        }
        let small = |number: u32| u16::try_from(number).map_err(|_| InvitationError);
        Ok(Self {
            frequency: small(told.frequency)?,
            address: told
                .address
                .as_slice()
                .try_into()
                .map_err(|_| InvitationError)?,
            port: small(told.port)?,
            key: told
                .key
                .as_slice()
                .try_into()
                .map_err(|_| InvitationError)?,
            ssid: told.ssid.clone(),
            passphrase: told.passphrase.clone(),
        })
    }
}

impl fmt::Debug for Invitation {
    /// Without the passphrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({}, ..)", self.ssid)
    }
}

impl fmt::Debug for proto::Invitation {
    /// Without the passphrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({}, ..)", self.ssid)
    }
}

/// Bytes that are no invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no invitation to a Wi-Fi Direct group")]
pub struct InvitationError;
