//! What the router knows of an item, and what the node keeps of it on its disk.

use core::fmt;

use chappe_wire::{Age, ByteCount, Commitment, Header, Instant, ItemId, Lifetime, Preimage};

/// An envelope in custody, without its body. The node persists it with the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// The id.
    pub id: ItemId,
    /// What a carrier can see of it.
    pub header: Header,
    /// Its length, header and body.
    pub size: ByteCount,
    /// Its age at `since`.
    pub age: Age,
    /// When it came here, on the powered clock.
    pub since: Instant,
    /// Whose share of the room it takes.
    pub class: Class,
    /// Which way it came.
    pub ingress: Ingress,
    /// The copy budget that is left here.
    pub copies: Copies,
    /// How many neighbours have taken custody of it from here.
    pub carriers: u32,
}

impl StoredItem {
    /// Its age at `now`.
    pub const fn age_at(&self, now: Instant) -> Age {
        self.age.after(now.since(self.since))
    }

    /// When its lifetime is over. Never later than its lifetime after it came here, whatever age it claimed.
    pub const fn expires(&self) -> Instant {
        let left = self
            .header
            .lifetime
            .as_duration()
            .saturating_sub(self.age.as_duration());
        self.since.after(left)
    }
}

/// The exact memory of an item that was here and is not taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenEntry {
    /// The id.
    pub id: ItemId,
    /// What a receipt for it opens.
    pub commitment: Commitment,
    /// When it may be forgotten, on the powered clock.
    pub until: Instant,
    /// Whose share of the memory it takes.
    pub class: Class,
    /// Which way it came.
    pub ingress: Ingress,
    /// When it first came, if a neighbour's word about its age ended it early: it is taken once more from whoever
    /// says that it is younger.
    pub outlived: Option<Instant>,
}

/// A receipt that is carried on. The node persists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// The receipt.
    pub preimage: Preimage,
    /// The lifetime of the envelope it is for; [`Lifetime::MONTH`] where that is unknown.
    pub lifetime: Lifetime,
    /// Its age at `since`.
    pub age: Age,
    /// When it came here, on the powered clock.
    pub since: Instant,
    /// True if it is for an envelope that was here.
    pub known: bool,
    /// Who brought it.
    pub class: Class,
    /// Which way it came.
    pub ingress: Ingress,
}

impl StoredReceipt {
    /// The id under which neighbours reconcile it.
    pub fn id(&self) -> ItemId {
        self.preimage.commitment().receipt_id()
    }

    /// Its age at `now`.
    pub const fn age_at(&self, now: Instant) -> Age {
        self.age.after(now.since(self.since))
    }

    /// When it has done its work: copies of its envelope have expired everywhere.
    pub const fn expires(&self) -> Instant {
        let left = self
            .lifetime
            .as_duration()
            .saturating_sub(self.age.as_duration());
        self.since.after(left)
    }
}

/// Whose share of the store something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Written here.
    Own,
    /// Brought by a neighbour that the person here has pinned.
    Pinned,
    /// Brought by anyone else.
    Stranger,
}

/// The way by which something came: what fairness between neighbours is measured by. The node chooses it per
/// link, so that links which may belong to one neighbour share one ingress. Never sent to anyone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ingress(u64);

impl Ingress {
    /// The ingress of what is written here.
    pub const OWN: Self = Self(u64::MAX);

    /// The ingress with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Ingress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ingress {}", self.0)
    }
}

/// A copy budget: how many copies of an item a holder may let exist from its own on; 0 under a policy without
/// budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copies(u32);

impl Copies {
    /// No budget.
    pub const NONE: Self = Self(0);

    /// This many copies.
    pub const fn new(copies: u32) -> Self {
        Self(copies)
    }

    /// The number.
    pub const fn count(self) -> u32 {
        self.0
    }

    /// Those beyond the one that stays.
    pub(crate) const fn spare(self) -> u32 {
        self.0.saturating_sub(1)
    }

    /// The sum, or the largest budget.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or none.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
