//! The secrets that two people share, and the roots of the chains that come from them.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::kdf::hkdf;
use crate::keys::EpochKey;

/// What two devices share once they have a session: 32 bytes that nobody else knows.
///
/// It comes from the key exchange of their OMEMO session, or from wherever an embedder with ratchets of its
/// own takes it. Wiped from memory when dropped, and never printed:
///
/// ```compile_fail,E0277
/// println!("{:?}", chappe_envelope::PairSecret::new([7; 32]));
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairSecret([u8; 32]);

impl PairSecret {
    /// The secret with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for an encrypted store only.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What is in one [`Invite`](crate::Invite), for the first messages of whoever got it: 16 random bytes.
///
/// A secret serves one invite for one person. If two people got hold of the same invite, the envelopes of
/// both stay sealed, but the one that arrives later under a counter that was used already does not open.
/// Wiped from memory when dropped, and never printed:
///
/// ```compile_fail,E0277
/// println!("{:?}", chappe_envelope::InboxSecret::new([7; 16]));
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InboxSecret([u8; 16]);

impl InboxSecret {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// A fresh secret.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The secret with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for an encrypted store or an invite only.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl PartialEq for InboxSecret {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for InboxSecret {}

/// What the receipts of envelopes to a contact URI or to a room depend on besides the chain, which others know too:
/// whoever has seen the URI, and whoever is in the room, cannot make them. Wiped from memory when dropped, and never
/// printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ReceiptSecret(pub(crate) [u8; 32]);

impl ReceiptSecret {
    /// The secret of the session whose key exchange the envelope carries: HKDF-SHA-256 of its pair secret, without
    /// salt, with the info `"chappe inbox receipt v1"`.
    pub fn of_session(secret: &PairSecret) -> Self {
        Self(*hkdf(&secret.0, &[b"chappe inbox receipt v1"]))
    }

    /// The secret of one sender in a room, which tells it to nobody, so that it alone frees what it has sent:
    /// HKDF-SHA-256 of 32 random bytes, without salt, with the info `"chappe room receipt v1"`.
    pub fn of_room_sender(secret: &[u8; 32]) -> Self {
        Self(*hkdf(secret, &[b"chappe room receipt v1"]))
    }
}

/// Which way the envelopes of a pair's chain go. "Initiator" is whoever started the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the initiator of the session to the other side.
    InitiatorToResponder,
    /// Back.
    ResponderToInitiator,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::InitiatorToResponder => Self::ResponderToInitiator,
            Self::ResponderToInitiator => Self::InitiatorToResponder,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::InitiatorToResponder => 0,
            Self::ResponderToInitiator => 1,
        }
    }
}

/// The beginning of a chain: the key of its first epoch.
///
/// The sender's and the receiver's chain of one direction grow from equal roots.
#[derive(Clone)]
pub struct ChainRoot(pub(crate) EpochKey);

impl ChainRoot {
    /// The root of one direction of a pair: HKDF-SHA-256 of the pair secret, without salt, with the info
    /// `"chappe chain v1"` and one byte, 0 from initiator to responder, 1 back.
    pub fn of_pair(secret: &PairSecret, direction: Direction) -> Self {
        let info: [&[u8]; 2] = [b"chappe chain v1", &[direction.code()]];
        Self(EpochKey::new(*hkdf(&secret.0, &info)))
    }

    /// The root of the chain to whoever made an invite: HKDF-SHA-256 of the inbox secret, without salt, with
    /// the info `"chappe inbox v1"`.
    pub fn of_inbox(secret: &InboxSecret) -> Self {
        Self(EpochKey::new(*hkdf(&secret.0, &[b"chappe inbox v1"])))
    }

    /// The root of the chain of one sender in a room: HKDF-SHA-256 of 32 random bytes that it tells the others in the
    /// room, without salt, with the info `"chappe room chain v1"`, the room's id and the sender's identity key (Ed25519
    /// form): whoever says that the secret of somebody else is its own gets other tags.
    pub fn of_room_sender(secret: &[u8; 32], room: &[u8; 16], identity: &[u8; 32]) -> Self {
        let info: [&[u8]; 3] = [b"chappe room chain v1", room, identity];
        Self(EpochKey::new(*hkdf(secret, &info)))
    }
}
