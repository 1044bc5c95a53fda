//! The key that a device speaks with in a room.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{HEADER_LEN, RoomError, SENDER_KEY_ID_LEN, SenderKeyId, VERSION, encrypt, signed};
use crate::chain::Chain;
use crate::identity::Identity;
use crate::kdf::Secret;
use crate::payload::MAX_PLAINTEXT_LEN;
use crate::stack;
use crate::state::{Reader, StateError, Writer};

/// Length of what the others get, in bytes.
pub const DISTRIBUTION_LEN: usize = HEADER_LEN + 32 + 32;

/// What a device seals with in one room. It must be stored after each message, before the message leaves.
pub struct SenderKey {
    id: SenderKeyId,
    /// Boxed: moving it leaves no copies behind.
    chain: Box<Chain>,
    /// For this key alone: what it signs is tied to nobody's identity but by how the key was handed over.
    signing: Identity,
}

impl SenderKey {
    /// Draws a key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut id = [0; SENDER_KEY_ID_LEN];
        rng.fill_bytes(&mut id);
        let chain = stack::wiped(|| {
            let mut key = Secret::default();
            rng.fill_bytes(&mut *key);
            Box::new(Chain::new(key))
        });
        Self {
            id: SenderKeyId(id),
            chain,
            signing: Identity::generate(rng),
        }
    }

    /// Its id.
    pub const fn id(&self) -> SenderKeyId {
        self.id
    }

    /// How many messages were sealed with it.
    pub const fn count(&self) -> u32 {
        self.chain.next()
    }

    /// What another device needs to read from the next message on: to be sent in an OMEMO message.
    ///
    /// ```text
    /// version 1 | id 16 | next number 4 | chain key 32 | public signing key 32
    /// ```
    pub fn to_distribution(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new(VERSION, DISTRIBUTION_LEN);
        out.bytes(&self.id.0);
        out.number(self.chain.next());
        out.bytes(self.chain.key());
        out.bytes(self.signing.public().as_bytes());
        out.finish()
    }

    /// Encrypts and signs a content for the room that `context` names.
    ///
    /// ```text
    /// version 1 | id 16 | number 4 | AES-256-GCM over the content, tag at the end | Ed25519 signature 64
    /// ```
    ///
    /// # Errors
    /// [`RoomError::Exhausted`]; nothing has changed then.
    pub fn seal(&mut self, context: &[u8], content: &[u8]) -> Result<Vec<u8>, RoomError> {
        if content.len() > MAX_PLAINTEXT_LEN {
            return Err(RoomError::Exhausted);
        }
        stack::wiped(|| self.seal_next(context, content))
    }

    fn seal_next(&mut self, context: &[u8], content: &[u8]) -> Result<Vec<u8>, RoomError> {
        let (key, after) = self.chain.step().ok_or(RoomError::Exhausted)?;
        let mut out = Vec::with_capacity(content.len().saturating_add(HEADER_LEN + 80));
        out.push(VERSION);
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.chain.next().to_be_bytes());
        let ciphertext = encrypt(&key, &out, content).ok_or(RoomError::Exhausted)?;
        out.extend_from_slice(&ciphertext);
        let signature = self.signing.sign(&signed(context, &out));
        out.extend_from_slice(&signature);
        *self.chain = after;
        Ok(out)
    }

    /// The secret state, wiped on drop.
    ///
    /// ```text
    /// version 1 | id 16 | next number 4 | chain key 32 | secret signing key 32
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new(VERSION, DISTRIBUTION_LEN);
        out.bytes(&self.id.0);
        out.number(self.chain.next());
        out.bytes(self.chain.key());
        out.bytes(self.signing.seed());
        out.finish()
    }

    /// Reads what [`SenderKey::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        stack::wiped(|| Self::read(bytes))
    }

    fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(VERSION, bytes)?;
        let id = SenderKeyId(*from.array()?);
        let next = from.number()?;
        let chain = Box::new(Chain::at(from.secret()?, next));
        let signing = Identity::from_seed(&*from.secret()?);
        from.end()?;
        Ok(Self { id, chain, signing })
    }
}
