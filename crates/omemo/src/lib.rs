//! OMEMO without a server: sessions between two devices in both flavours that people use, `urn:xmpp:omemo:2`
//! (XEP-0384 0.9.1) and `eu.siacs.conversations.axolotl` (0.3.0), the content that they carry (XEP-0420
//! 0.5.0), who is trusted (XEP-0434 0.6.0, XEP-0450 0.4.0), and the rules that replace the server in a mesh.
//!
//! Two devices in memory, from a bundle to the first answer:
//!
//! ```
//! use chappe_omemo::sce::{Content, Padding};
//! use chappe_omemo::{Device, DeviceId, Sessions};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
//!
//! // Each side has a device: an identity, and prekeys that others start from.
//! let mut north = Device::generate(&mut rng, DeviceId::new(1).ok_or("id")?, 100);
//! let mut south = Device::generate(&mut rng, DeviceId::new(2).ok_or("id")?, 100);
//!
//! // North has south's bundle, by QR code or over a link, and has compared the fingerprint.
//! let bundle = south.bundle().verify()?;
//! println!("is this south? {}", bundle.identity().fingerprint());
//! let mut to_south = Sessions::new();
//! to_south.start(&mut rng, &north, &bundle)?;
//!
//! // A text goes into an envelope, and the envelope into a message.
//! let content = Content::text("north@example.org", "fog on the hill");
//! let xml = content.to_xml(&mut rng, Padding::Random)?;
//! let sent = to_south.encrypt(&mut rng, Some(xml.as_bytes()))?;
//!
//! // South reads it. Now both hold a session; the state of both is stored before anything is sent.
//! let mut to_north = Sessions::new();
//! let read = to_north.decrypt(&mut south, &sent.incoming())?;
//! let envelope = Content::from_xml(&read.plaintext.ok_or("empty")?)?;
//! assert_eq!(envelope.content.body.as_deref(), Some("fog on the hill"));
//! assert_eq!(envelope.content.from, "north@example.org"); // compare it with whose message it was
//!
//! // An answer, if only an empty one, ends the key exchange.
//! let answer = to_north.encrypt(&mut rng, None)?;
//! to_south.decrypt(&mut north, &answer.incoming())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Device`] holds our keys and makes the [`Bundle`] that others start from; [`Sessions`] is all that we know
//! of one remote device; [`Message::encrypt`] writes to many. Module [`trust`] knows whose key is whose,
//! [`record`] has what strangers carry, [`room`] sender keys for large rooms, [`ciphermachine`] a further
//! layer. The bytes are those of the XEPs; the module `xml`, behind the feature of this name, puts them on
//! XMPP as they are. Nothing here reads a clock, a generator or a file. A decryption that fails changes
//! nothing.
//!
//! # What is promised, and what is not
//!
//! It speaks the message and bundle formats of XEP-0384 and reads and is read by other implementations; it
//! is not an implementation of all of the XEP, which needs a server. There is no security against quantum
//! computers ([`ciphermachine`] apart), no secrecy of who talks to whom (that is the envelope's work), and
//! nobody from outside has audited it. Before the first answer a session is only as safe as the receiver's
//! prekeys. The legacy flavour encrypts nothing but the text of a message.
//!
//! What takes the server's place, and what it weakens:
//!
//! | on XMPP | here | what is weaker |
//! |---|---|---|
//! | the server hands out each prekey once | a bundle with a prekey reserved for its receiver: [`Device::reserve_prekey`] | nothing |
//! | anybody can fetch a bundle | an opt-in record: [`record::ReachableRecord`], [`Device::open_to_strangers`] | several people use one prekey, which is kept for up to [`MAX_OLD_SIGNED_PREKEYS`] rotations: until the first answer, and only there, a stolen device opens what was sent |
//! | the server refills prekeys | one of last resort, used again until the next rotation | the same, for more people |
//! | the bundle is fetched fresh | old signed prekeys are kept longer | first messages are safe from a stolen device that much later |
//! | the server vouches for the device list | a device of the account vouches, and says which were lost: [`record::SignedDeviceList`], [`trust::TrustBook::admit`] | a stolen device can add others, which are as trusted as it was, until it is removed, and they with it; it can remove the others before they remove it |
//! | the server vouches for addresses | nobody does: [`trust::Trust::FirstUse`] until a person compares | whoever hands over the first key can be in the middle |
//! | messages come in order, once | late and lost ones are normal: [`MAX_PROVEN_JUMP`], [`MAX_SKIPPED_KEYS`] | keys of missing messages are kept longer |
//! | group chats encrypt for each device | the same; above about ten devices [`room`] | sender keys heal only when they are rotated |
//!
//! # Deviations from the XEPs
//!
//! Key elements have exactly one encoding, so unknown protobuf fields are refused. Prekey ids are from 1 to
//! 2^31 - 1 in both flavours. Public keys must be canonical, of no low order, and ephemeral ones free of
//! torsion. A legacy message needs a text, and one without payload is read only if its key is 16 bytes long.
//! An answer to a key exchange is for the caller to send, after a random while rather than at once.
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
mod stack;
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
