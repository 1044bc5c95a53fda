//! A message for several devices, as it travels: content once, its key for each device.

use alloc::string::String;
use alloc::vec::Vec;

use crate::DeviceId;
use crate::flavour::Flavour;
use crate::payload::Iv;
use crate::receive::Incoming;
use crate::session::EncryptedKey;

/// An `<encrypted/>` element. Nothing in it is checked before [`Sessions::decrypt`] has read it.
///
/// [`Sessions::decrypt`]: crate::Sessions::decrypt
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The flavour that it is written in.
    pub flavour: Flavour,
    /// The sender's device (`sid`).
    pub sender: DeviceId,
    /// The key to the content, for each device.
    pub keys: Vec<DeviceKey>,
    /// The content, unless the message is empty.
    pub payload: Option<Vec<u8>>,
    /// The `<iv/>`, which the legacy flavour has and no other.
    pub iv: Option<Iv>,
}

/// The key to a content, for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// The address of the account that the device is of. Not there in the legacy flavour.
    pub jid: Option<String>,
    /// The device (`rid`).
    pub device: DeviceId,
    /// What is for it.
    pub key: EncryptedKey,
}

impl Message {
    /// What is for this device, ready for [`Sessions::decrypt`](crate::Sessions::decrypt). `None`: nothing
    /// is.
    pub fn incoming(&self, jid: &str, device: DeviceId) -> Option<Incoming<'_>> {
        let key = self.keys.iter().find(|key| {
            key.device == device && key.jid.as_deref().is_none_or(|named| named == jid)
        })?;
        Some(Incoming {
            payload: self.payload.as_deref(),
            iv: self.iv,
            ..Incoming::new(key.key.key_exchange, &key.key.key)
        })
    }
}
