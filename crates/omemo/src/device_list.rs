//! The devices of an account, with names for people that each device has signed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::DeviceId;
use crate::identity::{Identity, IdentityKey, SIGNATURE_LEN};

/// The most devices of one account that a list may name.
pub const MAX_DEVICES: usize = 128;

/// The longest label of a device, in bytes. XEP-0384 advises 53 characters at most.
pub const MAX_LABEL_LEN: usize = 256;

/// The devices of an account. An empty list says that there is none. The list itself is not signed: see
/// [`SignedDeviceList`](crate::record::SignedDeviceList).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList {
    /// The devices, at most [`MAX_DEVICES`].
    pub devices: Vec<ListedDevice>,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// Its id.
    pub id: DeviceId,
    /// What its owner calls it, not checked: see [`SignedLabel::verify`].
    pub label: Option<SignedLabel>,
}

/// A name for a device, and its signature by that device's identity. XEP-0384 0.9 demands it, since whoever
/// keeps the list could else rename devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLabel {
    text: String,
    signature: [u8; SIGNATURE_LEN],
}

impl SignedLabel {
    /// Signs a label for this identity's device.
    ///
    /// # Errors
    /// [`LabelError`] says why it cannot be one.
    pub fn sign(identity: &Identity, text: &str) -> Result<Self, LabelError> {
        if text.len() > MAX_LABEL_LEN {
            return Err(LabelError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(LabelError::Control);
        }
        // The XEP signs nothing but the text: one as long as a prekey could be taken for one.
        if matches!(text.len(), 32 | 33) {
            return Err(LabelError::Ambiguous);
        }
        Ok(Self {
            text: text.into(),
            signature: identity.sign(text.as_bytes()),
        })
    }

    /// A label as it came.
    pub const fn unverified(text: String, signature: [u8; SIGNATURE_LEN]) -> Self {
        Self { text, signature }
    }

    /// The label, if the device with this identity signed it. Others are not to be shown.
    pub fn verify(&self, identity: &IdentityKey) -> Option<&str> {
        let fit = self.text.len() <= MAX_LABEL_LEN && !self.text.chars().any(char::is_control);
        let signed = fit && identity.verify(self.text.as_bytes(), &self.signature);
        signed.then_some(&*self.text)
    }

    /// The text, which nobody may have signed: for writing it on.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature.
    pub const fn signature(&self) -> &[u8; SIGNATURE_LEN] {
        &self.signature
    }
}

/// Why a text cannot be a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// More than [`MAX_LABEL_LEN`] bytes.
    #[error("a label has at most {MAX_LABEL_LEN} bytes")]
    TooLong,
    /// A control character.
    #[error("a label has no control characters")]
    Control,
    /// 32 or 33 bytes: its signature would be one of a prekey, too.
    #[error("a label of 32 or 33 bytes could be taken for a key: make it longer or shorter")]
    Ambiguous,
}
