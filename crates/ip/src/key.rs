//! Keys of libp2p that live as long as one group.

use std::fmt;

use libp2p::identity::{Keypair, PeerId, PublicKey, ed25519};

/// The key pair by which a node is known within one group, and nowhere else. Make a fresh one for each group and
/// epoch: whoever is in the group sees its public half.
#[derive(Clone)]
pub struct GroupKey(Keypair);

impl GroupKey {
    /// A fresh key pair.
    pub fn fresh() -> Self {
        Self(ed25519::Keypair::generate().into())
    }

    /// The public half.
    pub fn public(&self) -> MemberKey {
        // Made of Ed25519 above; another kind is an all-zero key, which nobody can use.
        let public = self.0.public().try_into_ed25519();
        MemberKey(public.map(|key| key.to_bytes()).unwrap_or_default())
    }

    pub(crate) const fn pair(&self) -> &Keypair {
        &self.0
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKey(..)")
    }
}

/// The public half of a [`GroupKey`]: an Ed25519 key of 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey([u8; 32]);

impl MemberKey {
    /// The key of these bytes. Whether it is one shows when somebody is dialled.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What libp2p calls its owner; `None` if it is no key.
    pub(crate) fn peer(&self) -> Option<PeerId> {
        let key = ed25519::PublicKey::try_from_bytes(&self.0).ok()?;
        Some(PublicKey::from(key).to_peer_id())
    }
}

impl fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberKey({self})")
    }
}

impl fmt::Display for MemberKey {
    /// The first four bytes, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
