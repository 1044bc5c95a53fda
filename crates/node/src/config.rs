//! How a node is set up.

use alloc::string::String;
use alloc::vec::Vec;

use chappe_gossip::policies::SprayAndPull;
use chappe_wire::{ByteCount, Duration, Lifetime};

/// What one contact can make a node store unless it is set otherwise: 64 MiB, as counted with what each message
/// and chunk costs the store. A file of the largest size takes about 35 MiB of it.
pub const QUOTA_PER_CONTACT: ByteCount = ByteCount::from_mib(64);

/// How a node is set up. The defaults are those of a person's device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeConfig {
    /// Whether there is a person behind this node.
    pub role: Role,
    /// How many bytes of envelopes are carried at most. Default 64 MiB, a relay's 256 MiB.
    pub capacity: ByteCount,
    /// The lifetime of what is written here. Default one week.
    pub lifetime: Lifetime,
    /// Which copies go where. Default [`SprayAndPull::PHONES`], a relay's [`SprayAndPull::RELAYS`].
    pub policy: PolicyChoice,
    /// A recipient lets a receipt go after a random delay up to this. Default 10 s.
    pub receipt_delay: Duration,
    /// The same for contacts that are not verified. Default 60 s.
    pub receipt_delay_unverified: Duration,
    /// Whether contacts that are not verified get receipts at all. Default true.
    pub receipts_to_unverified: bool,
    /// How many bytes of messages and files one contact can make this node store. Default
    /// [`QUOTA_PER_CONTACT`].
    pub quota_per_contact: ByteCount,
    /// Hop keys of relays for which at least half of the store is reserved.
    pub pinned: Vec<[u8; 32]>,
    /// Whether a radio of this node makes groups, so that bulk can move up to it. Default false.
    pub groups: bool,
}

impl NodeConfig {
    /// Whether there is no person behind the node.
    pub const fn is_relay(&self) -> bool {
        matches!(self.role, Role::Relay)
    }

    /// The defaults for a person's device.
    pub fn person(profile: Profile) -> Self {
        Self {
            role: Role::Person(profile),
            capacity: ByteCount::from_mib(64),
            lifetime: Lifetime::default(),
            policy: PolicyChoice::SprayAndPull(SprayAndPull::PHONES),
            receipt_delay: Duration::from_secs(10),
            receipt_delay_unverified: Duration::from_secs(60),
            receipts_to_unverified: true,
            quota_per_contact: QUOTA_PER_CONTACT,
            pinned: Vec::new(),
            groups: false,
        }
    }

    /// The defaults for a relay.
    pub fn relay() -> Self {
        Self {
            role: Role::Relay,
            capacity: ByteCount::from_mib(256),
            policy: PolicyChoice::SprayAndPull(SprayAndPull::RELAYS),
            ..Self::person(Profile {
                name: String::new(),
                jid: None,
                identity: None,
            })
        }
    }
}

/// Whether there is a person behind a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Role {
    /// A person's device: carries for others, and has messages of its own.
    Person(Profile),
    /// Carries for others only. Its hop key is the same at each start; it holds no other key.
    Relay,
}

/// A person. Used when a store is new; later the store knows.
#[derive(Clone)]
pub struct Profile {
    /// The name that contacts see first.
    pub name: String,
    /// The bare JID; `None` makes one from the identity key.
    pub jid: Option<String>,
    /// The seed of an identity that a lost store held; `None` makes a new one.
    pub identity: Option<[u8; 32]>,
}

impl core::fmt::Debug for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Profile(..)")
    }
}

/// Which copies go where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyChoice {
    /// Everything to every neighbour that lacks it.
    Epidemic,
    /// Binary spray-and-wait with sixteen copies, where what has spread the most makes room.
    MeasuredSpray,
    /// A few carriers at once, more the longer it takes; own messages are taken among others.
    SprayAndPull(SprayAndPull),
    /// Binary spray-and-wait with this many copies.
    SprayAndWait {
        /// Copies in all, at least one.
        copies: u32,
    },
}
