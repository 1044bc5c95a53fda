//! The keys of the records: sealing in place, opening, and a new key after every 2^20 records.

use alloc::vec::Vec;

use chacha20poly1305::{
    AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce, Tag, aead::inout::InOutBuf,
};
use zeroize::Zeroize as _;

use crate::packet_number::{PacketNumber, REPLAY_WINDOW};

/// Length of the authentication tag of a record.
pub(crate) const TAG_LEN: usize = 16;
/// How many records one key seals; a power of two.
pub const RECORDS_PER_KEY: u64 = 1 << 20;
/// The nonce that Noise reserves for deriving the next key.
const REKEY_NONCE: u64 = u64::MAX;

/// One ChaCha20-Poly1305 key with Noise's nonces: four zero bytes, then 64 bits little-endian. Wiped on drop.
pub(crate) struct NoiseKey {
    cipher: ChaCha20Poly1305,
}

impl NoiseKey {
    /// The key with these bytes.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(key.into()),
        }
    }

    /// Encrypts `buffer` in place. `None` if it is too long for the cipher (256 GiB).
    pub(crate) fn seal_in_place(
        &self,
        nonce: u64,
        associated: &[u8],
        buffer: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let buffer = InOutBuf::from(buffer);
        self.cipher
            .encrypt_inout_detached(&noise_nonce(nonce), associated, buffer)
            .ok()
            .map(Into::into)
    }

    /// Decrypts `sealed` (ciphertext, then tag) into the start of `out`; returns the plaintext. `None` if it is
    /// not authentic or `out` is too short.
    pub(crate) fn open<'out>(
        &self,
        nonce: u64,
        associated: &[u8],
        sealed: &[u8],
        out: &'out mut [u8],
    ) -> Option<&'out [u8]> {
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
        let out = out.get_mut(..ciphertext.len())?;
        let buffer = InOutBuf::new(ciphertext, &mut *out).ok()?;
        self.cipher
            .decrypt_inout_detached(&noise_nonce(nonce), associated, buffer, &Tag::from(*tag))
            .ok()?;
        Some(out)
    }

    /// The key after this one: REKEY of the Noise specification, section 4.2.
    fn next(&self) -> Self {
        let mut key = [0; 32];
        // 32 bytes are never too long, so this cannot fail.
        let _ = self.seal_in_place(REKEY_NONCE, &[], &mut key);
        let next = Self::new(&key);
        key.zeroize();
        next
    }
}

/// The key with which this end seals.
pub(crate) struct SealingKey {
    epoch: u64,
    key: NoiseKey,
}

impl SealingKey {
    /// `key` seals the records of the epoch of `first`.
    pub(crate) fn new(key: NoiseKey, first: PacketNumber) -> Self {
        Self {
            epoch: epoch_of(first),
            key,
        }
    }

    /// Seals the part of `record` from `start` on and appends the tag. Numbers never go down. On `None` the
    /// record is not sealed and must not be sent.
    #[must_use]
    pub(crate) fn seal(
        &mut self,
        number: PacketNumber,
        record: &mut Vec<u8>,
        start: usize,
    ) -> Option<()> {
        while self.epoch < epoch_of(number) {
            self.key = self.key.next();
            self.epoch += 1;
        }
        let plaintext = record.get_mut(start..)?;
        let tag = self.key.seal_in_place(number.get(), &[], plaintext)?;
        record.extend_from_slice(&tag);
        Some(())
    }
}

/// The keys with which this end opens: the current one, the next one, and the one before for as long as a
/// record under it may still come.
pub(crate) struct OpeningKeys {
    epoch: u64,
    previous: Option<NoiseKey>,
    current: NoiseKey,
    next: NoiseKey,
}

impl OpeningKeys {
    /// `key` opens the records of the epoch of `first`.
    pub(crate) fn new(key: NoiseKey, first: PacketNumber) -> Self {
        Self {
            epoch: epoch_of(first),
            previous: None,
            next: key.next(),
            current: key,
        }
    }

    /// Opens a record and changes nothing. `None` if it is not authentic.
    pub(crate) fn open<'out>(
        &self,
        number: PacketNumber,
        sealed: &[u8],
        out: &'out mut [u8],
    ) -> Option<&'out [u8]> {
        let epoch = epoch_of(number);
        let key = if epoch == self.epoch {
            &self.current
        } else if epoch == self.epoch.saturating_add(1) {
            &self.next
        } else if epoch.saturating_add(1) == self.epoch {
            self.previous.as_ref()?
        } else {
            return None;
        };
        key.open(number.get(), &[], sealed, out)
    }

    /// Moves on to the key of `number`, a record that was authentic, and forgets keys that are no longer needed.
    pub(crate) fn advance(&mut self, number: PacketNumber) {
        if epoch_of(number) > self.epoch {
            let after = self.next.next();
            let current = core::mem::replace(&mut self.next, after);
            self.previous = Some(core::mem::replace(&mut self.current, current));
            self.epoch += 1;
        }
        if number.get() % RECORDS_PER_KEY >= REPLAY_WINDOW && epoch_of(number) == self.epoch {
            self.previous = None;
        }
    }
}

fn epoch_of(number: PacketNumber) -> u64 {
    number.get() / RECORDS_PER_KEY
}

fn noise_nonce(nonce: u64) -> Nonce {
    let mut bytes = [0; 12];
    if let Some(counter) = bytes.last_chunk_mut::<8>() {
        *counter = nonce.to_le_bytes();
    }
    Nonce::from(bytes)
}
