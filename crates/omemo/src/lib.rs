//! OMEMO without a server: sessions between two devices in both flavours that people use, `urn:xmpp:omemo:2`
//! (XEP-0384 0.9.1) and `eu.siacs.conversations.axolotl` (0.3.0), and the content that they carry (XEP-0420).
//!
//! [`Device`] holds our keys and makes the [`Bundle`] that others start from; [`Sessions`] is all that we
//! know of one remote device and turns plaintext into `<key/>` and `<payload/>` bytes and back. The bytes
//! are those of the XEP, so they can be put on XMPP as they are; the module `xml`, behind a feature, does.
//!
//! Nothing here reads a clock, a generator or a file. A decryption that fails changes nothing.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod bundle;
mod chain;
mod cipher;
pub mod ciphermachine;
mod curve;
mod decrypt_error;
mod device;
mod device_list;
mod fan_out;
mod flavour;
mod id;
mod identity;
mod kdf;
mod key_element;
#[cfg(test)]
mod known_answers;
pub mod media;
mod message;
mod payload;
mod ratchet;
mod receive;
pub mod record;
pub mod room;
pub mod sce;
mod session;
mod sessions;
mod sessions_state;
mod skipped;
mod state;
mod storage;
pub mod trust;
mod x3dh;
#[cfg(feature = "xml")]
pub mod xml;

pub use bundle::{Bundle, BundleError, MAX_BUNDLE_PREKEYS, PreKey, VerifiedBundle};
pub use curve::{KeyError, PublicKey};
pub use decrypt_error::{DecryptError, Reason};
pub use device::{
    Device, MAX_OLD_SIGNED_PREKEYS, MAX_PREKEYS, MAX_SHARED_STARTS, PreKeysExhausted,
};
pub use device_list::{
    DeviceList, LabelError, ListedDevice, MAX_DEVICES, MAX_LABEL_LEN, SignedLabel,
};
pub use fan_out::{FanOut, Recipient, Unreachable};
pub use flavour::{Flavour, NAMESPACE};
pub use id::{DeviceId, MAX_ID, PreKeyId, SessionId, SignedPreKeyId};
pub use identity::{Fingerprint, Identity, IdentityKey};
pub use key_element::{
    AuthenticatedMessage, KeyElementError, KeyExchange, KeyExchangeHeader, MAX_KEY_ELEMENT_LEN,
    RatchetMessage,
};
pub use message::{DeviceKey, Message};
pub use payload::{ContentError, Iv, MAX_PLAINTEXT_LEN, Payload};
pub use ratchet::{MAX_JUMP, MAX_PROVEN_JUMP, MAX_RECEIVING_CHAINS};
pub use receive::{Decrypted, Incoming};
pub use session::EncryptedKey;
pub use sessions::{EncryptError, Encrypted, MAX_REMEMBERED, MAX_SESSIONS, Sessions, StartError};
pub use skipped::MAX_SKIPPED_KEYS;
pub use state::StateError;
pub use storage::{Address, Restored, Storage, StorageError};
