//! What the owner of a group tells its members: who else is there, and where.

use std::net::{Ipv6Addr, SocketAddrV6};

use crate::key::MemberKey;

/// The most members that a roster names.
pub const MAX_MEMBERS: usize = 16;
/// Bytes of one member.
const MEMBER_LEN: usize = 32 + 16 + 2;
/// The longest roster, in bytes.
pub const MAX_ROSTER_LEN: usize = MAX_MEMBERS * MEMBER_LEN;

/// The members of a group apart from its owner, and from the one who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    members: Vec<Member>,
}

/// Where a member listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub key: MemberKey,
    /// Its address on the group's interface; the scope is each listener's own.
    pub address: Ipv6Addr,
    /// Its port.
    pub port: u16,
}

impl Member {
    /// The address for a socket, without a scope.
    pub(crate) const fn socket_address(&self) -> SocketAddrV6 {
        SocketAddrV6::new(self.address, self.port, 0, 0)
    }
}

impl Roster {
    /// The roster of these members; beyond [`MAX_MEMBERS`] they are left out.
    pub fn new(members: impl IntoIterator<Item = Member>) -> Self {
        Self {
            members: members.into_iter().take(MAX_MEMBERS).collect(),
        }
    }

    /// The members.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The same without one of them.
    pub(crate) fn without(&self, key: &MemberKey) -> Self {
        Self::new(self.members.iter().filter(|one| one.key != *key).copied())
    }

    /// Encodes it: the members one after the other.
    ///
    /// ```text
    ///  0            32              48     50
    /// +------------+---------------+------+
    /// | key        | IPv6 address  | port |     port: 16 bits, big-endian
    /// +------------+---------------+------+
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.members.len() * MEMBER_LEN);
        for member in &self.members {
            bytes.extend(member.key.as_bytes());
            bytes.extend(member.address.octets());
            bytes.extend(member.port.to_be_bytes());
        }
        bytes
    }

    /// Decodes it.
    ///
    /// # Errors
    /// [`RosterError`] if the length is no multiple of a member's, or more than [`MAX_ROSTER_LEN`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RosterError> {
        let (members, rest) = bytes.as_chunks::<MEMBER_LEN>();
        if !rest.is_empty() || members.len() > MAX_MEMBERS {
            return Err(RosterError);
        }
        let members = members.iter().map(|bytes| parse_member(bytes));
        let members: Option<Vec<_>> = members.collect();
        members.map(|members| Self { members }).ok_or(RosterError)
    }
}

fn parse_member(bytes: &[u8]) -> Option<Member> {
    let (key, bytes) = bytes.split_first_chunk::<32>()?;
    let (address, bytes) = bytes.split_first_chunk::<16>()?;
    let (port, _) = bytes.split_first_chunk::<2>()?;
    Some(Member {
        key: MemberKey::new(*key),
        address: Ipv6Addr::from(*address),
        port: u16::from_be_bytes(*port),
    })
}

/// Bytes that are no roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a roster is at most {MAX_MEMBERS} members of {MEMBER_LEN} bytes each")]
pub struct RosterError;
