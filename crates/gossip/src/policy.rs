//! What a routing policy decides. To change how Chappe routes, write another [`Policy`]; nothing else changes.

use chappe_wire::{Age, ByteCount, Header};

use crate::{Class, Copies};

/// A routing policy: what is offered to whom, in which order, with how large a copy budget.
///
/// Receipts are outside of it: they go to everyone, first.
pub trait Policy {
    /// The copy budget of an item that is written here.
    fn initial_copies(&self) -> Copies;

    /// The copy budget of an item that arrives with `declared` on it, which is the word of a stranger.
    fn received_copies(&self, declared: Copies) -> Copies;

    /// Whether `neighbour` may have `item`.
    fn sharing(&self, item: &Candidate<'_>, neighbour: &Neighbour) -> Sharing;

    /// Where `item` stands among those that `neighbour` wants. Keep it coarse: among equals the order is random
    /// for each link, so that two holders of the same items send different ones first. It must not depend on
    /// who wrote an item, for the order is visible.
    fn priority(&self, item: &Candidate<'_>, neighbour: &Neighbour) -> Priority;

    /// How many of `copies` go along with the item when it is handed over; the rest stays here.
    fn handed_over(&self, copies: Copies) -> Copies;
}

/// An item, as a policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// What a carrier can see of it.
    pub header: &'a Header,
    /// Its length.
    pub size: ByteCount,
    /// Its age now.
    pub age: Age,
    /// Whose it is.
    pub class: Class,
    /// The copy budget that is left here.
    pub copies: Copies,
}

/// A neighbour, as a policy sees it. There is no name on it: nothing may depend on a neighbour's lasting identity.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    /// True if the person here has pinned it.
    pub pinned: bool,
}

/// Whether a neighbour may have an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It is offered.
    Push,
    /// Only its tag is shown; whoever asks by the tag gets it.
    TagOnly,
    /// It is not mentioned.
    Withhold,
}

/// A place in the order of sending: lower goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u32);

impl Priority {
    /// The place with this number.
    pub const fn new(place: u32) -> Self {
        Self(place)
    }

    /// Young items first, in classes that double: under a minute, under two, under four and so on. The young ones
    /// have the fewest copies.
    pub const fn young_first(age: Age) -> Self {
        let minutes = age.as_duration().as_secs() / 60;
        Self(u64::BITS - minutes.leading_zeros())
    }
}
