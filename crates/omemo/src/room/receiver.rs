//! The key that another device speaks with in a room, as we know it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{HEADER_LEN, RoomError, SenderKeyId, VERSION, decrypt, signed};
use crate::chain::{Chain, MessageKey};
use crate::identity::{IdentityKey, SIGNATURE_LEN};
use crate::stack;
use crate::state::{Reader, StateError, Writer};

/// How many messages one may jump over. It is signed by then, so only the sender can make one jump.
pub const MAX_ROOM_JUMP: u32 = 10_000;

/// The most keys of messages that were jumped over. The oldest go first.
pub const MAX_ROOM_SKIPPED: usize = 1_000;

/// What reads the messages of one sender key. From whom it came in an OMEMO message, that device speaks with
/// it.
pub struct RoomKey {
    id: SenderKeyId,
    /// Boxed: moving it leaves no copies behind.
    chain: Box<Chain>,
    signer: IdentityKey,
    /// Oldest first.
    skipped: VecDeque<Box<(u32, MessageKey)>>,
}

impl RoomKey {
    /// Takes what [`SenderKey::to_distribution`](super::SenderKey::to_distribution) gave.
    ///
    /// # Errors
    /// [`RoomError::Unreadable`] for anything else.
    pub fn from_distribution(bytes: &[u8]) -> Result<Self, RoomError> {
        let read = |mut from: Reader<'_>| {
            let id = SenderKeyId(*from.array()?);
            let next = from.number()?;
            let chain = Box::new(Chain::at(from.secret()?, next));
            let signer = IdentityKey::from_bytes(*from.array()?)?;
            from.end()?;
            Ok::<_, StateError>(Self {
                id,
                chain,
                signer,
                skipped: VecDeque::new(),
            })
        };
        stack::wiped(|| Reader::new(VERSION, bytes).and_then(read))
            .map_err(|_| RoomError::Unreadable)
    }

    /// The id of the sender key.
    pub const fn id(&self) -> SenderKeyId {
        self.id
    }

    /// The number of the next message that has not been seen: at first, of the first that can be read at all.
    pub const fn next(&self) -> u32 {
        self.chain.next()
    }

    /// Reads a message, once. The signature is checked before anything else is computed.
    ///
    /// # Errors
    /// [`RoomError`]; nothing has changed then.
    pub fn open(
        &mut self,
        context: &[u8],
        message: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RoomError> {
        let (body, signature) = message
            .split_last_chunk::<SIGNATURE_LEN>()
            .ok_or(RoomError::Unreadable)?;
        let (header, ciphertext) = body
            .split_at_checked(HEADER_LEN)
            .ok_or(RoomError::Unreadable)?;
        let mut from = Reader::new(VERSION, header).map_err(|_| RoomError::Unreadable)?;
        let id = from.array().map_err(|_| RoomError::Unreadable)?;
        let number = from.number().map_err(|_| RoomError::Unreadable)?;
        if *id != self.id.0 || !self.signer.verify(&signed(context, body), signature) {
            return Err(RoomError::Unreadable);
        }
        stack::wiped(|| self.open_number(number, header, ciphertext))
    }

    /// Reads a message that was signed.
    fn open_number(
        &mut self,
        number: u32,
        header: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RoomError> {
        if number < self.chain.next() {
            return self.open_skipped(number, header, ciphertext);
        }
        let at = self
            .chain
            .forward_to(number, &mut MAX_ROOM_JUMP.clone())
            .ok_or(RoomError::Jump)?;
        let (key, after) = at.step().ok_or(RoomError::Jump)?;
        let content = decrypt(&key, header, ciphertext).ok_or(RoomError::Unreadable)?;
        self.keep_keys(number);
        *self.chain = after;
        Ok(content)
    }

    fn open_skipped(
        &mut self,
        number: u32,
        header: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RoomError> {
        let place = self.skipped.iter().position(|skipped| skipped.0 == number);
        let found = place.and_then(|place| Some((place, self.skipped.get(place)?)));
        let (place, skipped) = found.ok_or(RoomError::Spent)?;
        let content = decrypt(&skipped.1, header, ciphertext).ok_or(RoomError::Unreadable)?;
        self.skipped.remove(place);
        Ok(content)
    }

    /// Keeps the keys of the messages before `end` that have not come, of the last ones.
    fn keep_keys(&mut self, end: u32) {
        let start = end.saturating_sub(MAX_ROOM_SKIPPED as u32);
        let from = start.max(self.chain.next());
        let Some(mut chain) = self.chain.forward_to(from, &mut MAX_ROOM_JUMP.clone()) else {
            return;
        };
        while chain.next() < end {
            let number = chain.next();
            let Some((key, after)) = chain.step() else {
                return;
            };
            while self.skipped.len() >= MAX_ROOM_SKIPPED {
                self.skipped.pop_front();
            }
            self.skipped.push_back(Box::new((number, key)));
            chain = after;
        }
    }

    /// The secret state, wiped on drop.
    ///
    /// ```text
    /// version 1 | id 16 | next number 4 | chain key 32 | signing key 32 | #skipped 2 | (number 4 | key 32) ...
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::new(VERSION, 96 + self.skipped.len() * 36);
        out.bytes(&self.id.0);
        out.number(self.chain.next());
        out.bytes(self.chain.key());
        out.bytes(self.signer.as_bytes());
        out.count(self.skipped.len());
        for skipped in &self.skipped {
            out.number(skipped.0);
            out.bytes(skipped.1.as_bytes());
        }
        out.finish()
    }

    /// Reads what [`RoomKey::to_bytes`] wrote.
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
        let signer = IdentityKey::from_bytes(*from.array()?)?;
        let mut skipped = VecDeque::new();
        for _ in 0..from.count(MAX_ROOM_SKIPPED)? {
            let number = from.number()?;
            skipped.push_back(Box::new((number, MessageKey::new(from.secret()?))));
        }
        from.end()?;
        Ok(Self {
            id,
            chain,
            signer,
            skipped,
        })
    }
}
