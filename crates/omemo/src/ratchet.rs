//! The Double Ratchet (Signal, "The Double Ratchet Algorithm", revision 1) of one session.
//!
//! Receiving has two phases. [`Ratchet::open`] changes nothing and says what would change; only when all
//! else was verified too, [`Ratchet::commit`] makes the change.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::chain::{Chain, MessageKey};
use crate::curve::{KeyError, KeyPair, PublicKey};
use crate::decrypt_error::Reason;
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::kdf::{Secret, hkdf};
use crate::key_element::{AuthenticatedMessage, RatchetMessage};
use crate::skipped::{MAX_SKIPPED_KEYS, SkippedKey, SkippedKeys};

/// How many messages of a chain one message may jump over if nothing is known of it beforehand. The keys are
/// stepped over before anything is proven (about 0.25 microseconds each on a server, more on a small board),
/// so this bounds what a forged message costs.
pub const MAX_JUMP: u32 = 1_500;

/// How many messages one message may jump over that came under a proof of its own: see
/// [`Incoming::proven`](crate::Incoming::proven). So 5,000 messages may be lost in a row and the next one is
/// read. A message that jumps further is refused; the chain after the next answer is read again.
pub const MAX_PROVEN_JUMP: u32 = 5_000;

/// Receiving chains that are kept: the current one and five before it.
pub const MAX_RECEIVING_CHAINS: usize = 6;

/// What each message of a session is bound to.
pub(crate) struct Binding<'a> {
    pub(crate) flavour: Flavour,
    pub(crate) first: &'a IdentityKey,
    pub(crate) second: &'a IdentityKey,
}

impl<'a> Binding<'a> {
    /// The associated data, and after it the message.
    fn before(&self, message: &'a [u8]) -> [&'a [u8]; 5] {
        let prefix = self.flavour.key_prefix();
        let identity = |identity: &'a IdentityKey| &identity.associated(self.flavour)[..];
        [
            prefix,
            identity(self.first),
            prefix,
            identity(self.second),
            message,
        ]
    }
}

/// One side of a session's ratchet.
pub(crate) struct Ratchet {
    pub(crate) root: Secret,
    pub(crate) own: KeyPair,
    /// `None`: the other side has a new ratchet key, and this side answers it when it has something to send.
    pub(crate) sending: Option<Chain>,
    /// The length of the sending chain before the current or next one.
    pub(crate) previous_length: u32,
    /// Oldest first, the current one last.
    pub(crate) receiving: VecDeque<Box<ReceivingChain>>,
    pub(crate) skipped: SkippedKeys,
}

#[derive(Clone)]
pub(crate) struct ReceivingChain {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) chain: Chain,
}

/// What a message that was opened changes.
pub(crate) enum Change {
    /// The key of a skipped message is spent.
    Skipped { ratchet_key: PublicKey, number: u32 },
    /// A known chain goes on to `after`.
    Forward { index: usize, after: Chain },
    /// The other side has a new ratchet key.
    Step {
        root: Secret,
        first: ReceivingChain,
        after: Chain,
        previous_length: u32,
    },
}

impl Change {
    /// Whether the message is the newest of its session so far, not a late one.
    pub(crate) const fn is_advance(&self) -> bool {
        !matches!(self, Self::Skipped { .. })
    }
}

impl Ratchet {
    /// The initiator's side: it can send at once.
    ///
    /// # Errors
    /// [`KeyError::LowOrder`] if the agreement is zero.
    pub(crate) fn initiate(
        rng: &mut impl CryptoRng,
        flavour: Flavour,
        root: &Secret,
        signed_prekey: &PublicKey,
    ) -> Result<Self, KeyError> {
        let own = KeyPair::generate(rng);
        let (root, key) = root_step(flavour, root, &own, signed_prekey)?;
        Ok(Self {
            sending: Some(Chain::new(key)),
            ..Self::respond(root, own)
        })
    }

    /// The responder's side, whose first ratchet key is its signed prekey.
    pub(crate) fn respond(root: Secret, signed_prekey: KeyPair) -> Self {
        Self {
            root,
            own: signed_prekey,
            sending: None,
            previous_length: 0,
            receiving: VecDeque::new(),
            skipped: SkippedKeys::default(),
        }
    }

    /// Whether nothing was sent since the other side's current ratchet key came.
    pub(crate) const fn owes_step(&self) -> bool {
        self.sending.is_none()
    }

    /// Encrypts `material`: an encoded [`AuthenticatedMessage`]. On an error nothing has changed.
    pub(crate) fn encrypt(
        &mut self,
        rng: &mut impl CryptoRng,
        binding: &Binding<'_>,
        material: &[u8],
    ) -> Result<Vec<u8>, SendError> {
        let step = match self.sending {
            Some(_) => None,
            None => Some(self.sending_step(rng, binding.flavour)?),
        };
        let (own, chain) = match (&step, &self.sending) {
            (Some((_, own, chain)), _) => (own, chain),
            (None, Some(chain)) => (&self.own, chain),
            (None, None) => return Err(SendError::Exhausted),
        };
        let (key, after) = chain.step().ok_or(SendError::Exhausted)?;

        let keys = key.cipher(binding.flavour);
        let bytes = RatchetMessage {
            number: chain.next(),
            previous_length: self.previous_length,
            ratchet_key: own.public(),
            ciphertext: &keys.encrypt(material),
        }
        .encode(binding.flavour);
        let tag = keys.tag(&binding.before(&bytes));

        if let Some((root, own, _)) = step {
            self.root = root;
            self.own = own;
        }
        self.sending = Some(after);
        Ok(AuthenticatedMessage::encode(binding.flavour, &tag, &bytes))
    }

    /// Decrypts a message and says what it changes. Steps along chains are taken from `budget`.
    pub(crate) fn open(
        &self,
        binding: &Binding<'_>,
        message: &AuthenticatedMessage<'_>,
        budget: &mut u32,
    ) -> Result<(Zeroizing<Vec<u8>>, Change), Reason> {
        let header = &message.message;
        if let Some(key) = self.skipped.find(&header.ratchet_key, header.number) {
            let change = Change::Skipped {
                ratchet_key: header.ratchet_key,
                number: header.number,
            };
            return Ok((unseal(key, binding, message)?, change));
        }

        let known = self
            .receiving
            .iter()
            .position(|known| known.ratchet_key == header.ratchet_key);
        let step = match known {
            Some(_) => None,
            None => Some(self.receiving_step(binding.flavour, &header.ratchet_key)?),
        };
        let chain = match (&step, known.and_then(|index| self.receiving.get(index))) {
            (Some((_, chain)), _) => chain,
            (None, Some(known)) => &known.chain,
            (None, None) => return Err(Reason::Authentication),
        };

        if header.number < chain.next() {
            return Err(Reason::Spent);
        }
        let at = chain
            .forward_to(header.number, budget)
            .ok_or(Reason::Jump)?;
        let (key, after) = at.step().ok_or(Reason::Jump)?;
        let material = unseal(&key, binding, message)?;
        let change = match (step, known) {
            (Some((root, chain)), _) => Change::Step {
                root,
                first: ReceivingChain {
                    ratchet_key: header.ratchet_key,
                    chain,
                },
                after,
                previous_length: header.previous_length,
            },
            (None, index) => Change::Forward {
                index: index.unwrap_or_default(),
                after,
            },
        };
        Ok((material, change))
    }

    /// Makes the change. The message is authentic by now, so this may derive keys of skipped messages.
    pub(crate) fn commit(&mut self, change: Change) {
        match change {
            Change::Skipped {
                ratchet_key,
                number,
            } => self.skipped.remove(&ratchet_key, number),
            Change::Forward { index, after } => self.forward(index, after),
            Change::Step {
                root,
                first,
                after,
                previous_length,
            } => {
                self.finish_chain(previous_length);
                self.root = root;
                self.previous_length = self.sending.as_ref().map_or(0, Chain::next);
                // Not `take`, which would leave the key where it was.
                self.sending = None;
                self.receiving.push_back(Box::new(first));
                if self.receiving.len() > MAX_RECEIVING_CHAINS {
                    self.receiving.pop_front();
                }
                self.forward(self.receiving.len().saturating_sub(1), after);
            }
        }
    }

    /// Keeps the keys of the messages of the current chain that have not come. The chain itself stays too:
    /// some senders announce one message too few.
    fn finish_chain(&mut self, length: u32) {
        let index = self.receiving.len().saturating_sub(1);
        let Some(last) = self.receiving.get(index) else {
            return;
        };
        if last.chain.next() == length {
            return;
        }
        if let Some(end) = last.chain.forward_to(length, &mut MAX_PROVEN_JUMP.clone()) {
            self.keep_keys(index, length);
            if let Some(last) = self.receiving.get_mut(index) {
                last.chain = end;
            }
        }
    }

    /// Brings the chain to `after`, keeping the keys of all messages but the last that lie between.
    fn forward(&mut self, index: usize, after: Chain) {
        self.keep_keys(index, after.next().saturating_sub(1));
        if let Some(receiving) = self.receiving.get_mut(index) {
            receiving.chain = after;
        }
    }

    /// Keeps the keys of the messages before `end`, of at most [`MAX_SKIPPED_KEYS`] of them: the last ones.
    fn keep_keys(&mut self, index: usize, end: u32) {
        let Some(receiving) = self.receiving.get(index) else {
            return;
        };
        let ratchet_key = receiving.ratchet_key;
        let start = end.saturating_sub(MAX_SKIPPED_KEYS as u32);
        let from = start.max(receiving.chain.next());
        if from >= end {
            return; // nearly always: nothing was jumped over
        }
        let Some(mut chain) = receiving
            .chain
            .forward_to(from, &mut MAX_PROVEN_JUMP.clone())
        else {
            return;
        };
        while chain.next() < end {
            let number = chain.next();
            let Some((key, after)) = chain.step() else {
                return;
            };
            self.skipped.push(SkippedKey {
                ratchet_key,
                number,
                key,
            });
            chain = after;
        }
    }

    /// A new ratchet key of our own, in answer to the other side's current one.
    fn sending_step(
        &self,
        rng: &mut impl CryptoRng,
        flavour: Flavour,
    ) -> Result<(Secret, KeyPair, Chain), SendError> {
        let remote = self.receiving.back().ok_or(SendError::Exhausted)?;
        let own = KeyPair::generate(rng);
        let (root, key) = root_step(flavour, &self.root, &own, &remote.ratchet_key)?;
        Ok((root, own, Chain::new(key)))
    }

    /// The chain that belongs to a new ratchet key of the other side. It can only be the answer to our
    /// current one: if that was never sent, there is nothing to compute.
    fn receiving_step(
        &self,
        flavour: Flavour,
        theirs: &PublicKey,
    ) -> Result<(Secret, Chain), Reason> {
        if self.sending.is_none() && !self.receiving.is_empty() {
            return Err(Reason::Authentication);
        }
        let (root, key) = root_step(flavour, &self.root, &self.own, theirs)
            .map_err(|_| Reason::Authentication)?;
        Ok((root, Chain::new(key)))
    }
}

/// Why nothing could be encrypted.
pub(crate) enum SendError {
    /// The chain has no message numbers left.
    Exhausted,
    Key(KeyError),
}

impl From<KeyError> for SendError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// `HKDF(DH, salt root key, the flavour's info)`: the next root key and a chain key.
fn root_step(
    flavour: Flavour,
    root: &Secret,
    own: &KeyPair,
    theirs: &PublicKey,
) -> Result<(Secret, Secret), KeyError> {
    let shared = own.agree(theirs)?;
    let okm = hkdf::<64>(&*shared, root, flavour.info_root());
    let (mut next, mut key) = (Secret::default(), Secret::default());
    let (left, right) = okm.split_at(32);
    next.copy_from_slice(left);
    key.copy_from_slice(right);
    Ok((next, key))
}

fn unseal(
    key: &MessageKey,
    binding: &Binding<'_>,
    message: &AuthenticatedMessage<'_>,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let keys = key.cipher(binding.flavour);
    if !keys.verify(&binding.before(message.bytes), message.tag) {
        return Err(Reason::Authentication);
    }
    keys.decrypt(message.message.ciphertext)
        .ok_or(Reason::Authentication)
}
