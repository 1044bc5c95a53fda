//! Rooms of more than about ten devices, with sender keys: Chappe's own extension, not OMEMO.
//!
//! Each device has a key for what it says in a room and hands it to the others inside OMEMO sessions. A
//! message is then encrypted and signed once for all. What it costs beside OMEMO: a stolen key stays good
//! until it is rotated, since nobody answers with fresh keys; and a signature proves to all members, for
//! good, who said what.
//!
//! ```
//! use chappe_omemo::room::{RoomKey, SenderKey};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
//! let mut north = SenderKey::generate(&mut rng);
//! let handed_over = north.to_distribution(); // goes to each device in an OMEMO message
//! let mut known = RoomKey::from_distribution(&handed_over)?;
//!
//! let sent = north.seal(b"room@example.org", b"fog on the hill")?;
//! assert_eq!(&known.open(b"room@example.org", &sent)?[..], b"fog on the hill");
//! assert!(known.open(b"room@example.org", &sent).is_err()); // nothing is read twice
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod members;
mod receiver;
mod sender;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use alloc::vec::Vec;
use zeroize::Zeroizing;

pub use members::{MAX_MEMBER_DEVICES, Members};
pub use receiver::{MAX_ROOM_JUMP, MAX_ROOM_SKIPPED, RoomKey};
pub use sender::{DISTRIBUTION_LEN, SenderKey};

use crate::chain::MessageKey;
use crate::kdf::hkdf;

/// Names a sender key; another one after each rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderKeyId([u8; SENDER_KEY_ID_LEN]);

impl SenderKeyId {
    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; SENDER_KEY_ID_LEN] {
        &self.0
    }

    /// The key that a message was sealed with, as it says: to find it among the known ones.
    pub fn of_message(message: &[u8]) -> Option<Self> {
        let (_, rest) = message.split_first()?;
        rest.first_chunk().map(|id| Self(*id))
    }
}

/// Why a room's message or key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoomError {
    /// The bytes are not a message or a key of a room, or not one that can be read with this key.
    #[error("the message cannot be read with this key of the room")]
    Unreadable,
    /// The message was read before, or its key is no longer kept.
    #[error("the message was read before, or is too old")]
    Spent,
    /// The message jumps over more than [`MAX_ROOM_JUMP`] others.
    #[error("the message is too far ahead")]
    Jump,
    /// The content is too long, or the key has no numbers left: rotate it.
    #[error("the content is too long, or the key is used up")]
    Exhausted,
    /// There are [`MAX_MEMBER_DEVICES`] already.
    #[error("the room has {MAX_MEMBER_DEVICES} devices already")]
    Full,
}

const SENDER_KEY_ID_LEN: usize = 16;
const VERSION: u8 = 1;
/// Version, id and number.
const HEADER_LEN: usize = 1 + SENDER_KEY_ID_LEN + 4;
const INFO_MESSAGE: &[u8] = b"Chappe room message";
const SIGNATURE_CONTEXT: &[u8] = b"Chappe room message signature\0";

/// What the signature covers: with the lengths in it nothing can move from one part to another.
fn signed(context: &[u8], message: &[u8]) -> Vec<u8> {
    let length = (context.len() as u64).to_be_bytes();
    [SIGNATURE_CONTEXT, &length, context, message].concat()
}

fn encrypt(key: &MessageKey, header: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let (cipher, nonce) = cipher(key);
    let (msg, aad) = (content, header);
    cipher.encrypt(&nonce, Payload { msg, aad }).ok()
}

fn decrypt(key: &MessageKey, header: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (cipher, nonce) = cipher(key);
    let (msg, aad) = (ciphertext, header);
    let content = cipher.decrypt(&nonce, Payload { msg, aad }).ok()?;
    Some(Zeroizing::new(content))
}

fn cipher(key: &MessageKey) -> (Aes256Gcm, Nonce<U12>) {
    let okm = hkdf::<44>(key.as_bytes(), &[0; 32], INFO_MESSAGE);
    let (key, nonce) = okm.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let nonce = nonce.first_chunk().copied().unwrap_or_default();
    (Aes256Gcm::new(key.into()), Nonce::from(nonce))
}
