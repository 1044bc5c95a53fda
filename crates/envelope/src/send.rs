//! The sending end of a chain.

use alloc::vec::Vec;

use chappe_wire::{Commitment, Envelope, Lifetime, Preimage};
use zeroize::Zeroizing;

use crate::counter::Slot;
use crate::keys::{EpochKey, MessageKeys};
use crate::reader::Reader;
use crate::seal::{body_size, seal};
use crate::{ChainRoot, Counter, ReceiptSecret, SealError, StateError};

const STATE_VERSION: u8 = 1;

/// The sending end of a chain: seals one envelope per counter.
///
/// Keep the new state on the disk before the envelope leaves: it is 41 bytes. Should an older state be restored
/// all the same, the receiver misses what is sealed under counters that it has seen, but no key stream
/// repeats.
///
/// ```
/// use chappe_envelope::{ChainRoot, Direction, PairSecret, ReceiveChain, SendChain};
/// use chappe_wire::Lifetime;
///
/// let secret = PairSecret::new([7; 32]);
/// let root = ChainRoot::of_pair(&secret, Direction::InitiatorToResponder);
/// let mut north = SendChain::new(root.clone());
/// let mut south = ReceiveChain::new(root);
///
/// let (envelope, _) = north.seal(Lifetime::WEEK, b"the fog lifts")?;
/// let known = south.expected().find(|(tag, _)| *tag == envelope.header().tag);
/// let (_, counter) = known.ok_or("a tag of somebody else")?;
/// let opened = south.open(counter, &envelope)?;
/// assert_eq!(*opened.plaintext, b"the fog lifts");
/// assert_eq!(opened.preimage.commitment(), envelope.header().commitment);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SendChain {
    next: u64,
    /// Of the epoch of `next`.
    key: EpochKey,
}

/// What the sender keeps of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// Its place in the chain.
    pub counter: Counter,
    /// What the receipt for it will open.
    pub commitment: Commitment,
    /// That receipt: for who seals for several, and is the only one who can let it go.
    pub preimage: Preimage,
}

impl SendChain {
    /// A chain that has sealed nothing yet.
    pub fn new(root: ChainRoot) -> Self {
        Self {
            next: 0,
            key: root.0,
        }
    }

    /// Seals `plaintext` under the next counter, in the smallest body that holds it.
    ///
    /// # Errors
    /// [`SealError`]; the chain has not moved.
    pub fn seal(
        &mut self,
        lifetime: Lifetime,
        plaintext: &[u8],
    ) -> Result<(Envelope, Sealed), SealError> {
        self.seal_with(lifetime, plaintext, |keys| keys)
    }

    /// The same on a chain that others know: the receipt takes a secret as well. On the chain to whoever made an invite
    /// that is of the session whose key exchange is in `plaintext`; on the chain of a sender in a room it is the sender's own.
    ///
    /// # Errors
    /// [`SealError`]; the chain has not moved.
    pub fn seal_with_receipt_of(
        &mut self,
        lifetime: Lifetime,
        plaintext: &[u8],
        secret: &ReceiptSecret,
    ) -> Result<(Envelope, Sealed), SealError> {
        self.seal_with(lifetime, plaintext, |keys| keys.with_receipt_of(secret))
    }

    fn seal_with(
        &mut self,
        lifetime: Lifetime,
        plaintext: &[u8],
        receipt: impl FnOnce(MessageKeys) -> MessageKeys,
    ) -> Result<(Envelope, Sealed), SealError> {
        let counter = Counter::new(self.next).ok_or(SealError::Exhausted)?;
        let size = body_size(plaintext.len())?;
        let keys = self.key.slots().keys(&counter.slot().to_bytes());
        let (envelope, preimage) = seal(&receipt(keys), lifetime, size, plaintext)?;
        self.pass(counter);
        let commitment = envelope.header().commitment;
        Ok((
            envelope,
            Sealed {
                counter,
                commitment,
                preimage,
            },
        ))
    }

    /// How many envelopes were sealed.
    pub const fn sealed(&self) -> u64 {
        self.next
    }

    /// The state as bytes, for an encrypted store only; [`SendChain::from_bytes`] reads it.
    ///
    /// ```text
    ///  0       1             9                    41
    ///  +-------+-------------+--------------------+
    ///  | 1     | next counter| epoch key          |
    ///  | 1     | 8, BE       | 32                 |
    ///  +-------+-------------+--------------------+
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(41));
        bytes.push(STATE_VERSION);
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes
    }

    /// Reads what [`SendChain::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut reader = Reader::new(bytes);
        StateError::check_version(reader.u8(), STATE_VERSION)?;
        let next = reader.u64().filter(|next| *next <= Counter::LIMIT);
        let chain = Self {
            next: next.ok_or(StateError::Malformed)?,
            key: EpochKey::new(reader.array().ok_or(StateError::Malformed)?),
        };
        reader.end().ok_or(StateError::Malformed)?;
        Ok(chain)
    }

    /// Moves past `counter`; after the last of an epoch its key is gone.
    fn pass(&mut self, counter: Counter) {
        self.next = counter.get() + 1;
        if counter.slot() == Slot::LAST {
            self.key = self.key.next();
        }
    }
}
