//! What a routing policy decides. To change how Chappe routes, write another [`Policy`]; nothing else changes.
//!
//! The router reconciles, asks, keeps custody under quotas, carries receipts and counts. A policy answers questions about
//! one item and one neighbour, from what sealed traffic shows: size, age, budget, how many have taken it from here, how
//! many neighbours are met, whether room is short.
//!
//! | question | method |
//! |---|---|
//! | may this neighbour have it, hear of its tag, or neither? | [`Policy::sharing`] |
//! | it is shown by its tag only: take it? | [`Policy::pulls`] |
//! | with how many copies does it begin, and how many go along? | [`Policy::initial_copies`], [`Policy::received_copies`], [`Policy::copies_where_short`], [`Policy::handed_over`] |
//! | what goes first? | [`Policy::priority`] |
//! | what stays longest when room is short? | [`Policy::keeping`] |
//!
//! # To write one
//!
//! A file of its own in `src/policies/`, and one entry in `sim/src/routers.rs`: then `chappe-sim routers` lists it, and
//! `replay`, `run` and `sweep` take its name. Say in its documentation what it tells a neighbour that flooding would not.
//!
//! ```
//! use chappe_gossip::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Shown, Surroundings};
//! use chappe_gossip::{Copies, Draw, Share};
//! use chappe_wire::ByteCount;
//!
//! /// Small things are pushed to everyone. Of large ones the tag is shown, and every fourth node takes them.
//! ///
//! /// It tells a neighbour that who takes a large one is its recipient with a probability of about four in all nodes.
//! struct SmallEagerly;
//!
//! impl Policy for SmallEagerly {
//!     fn initial_copies(&self, _: &Surroundings) -> Copies { Copies::NONE }
//!     fn received_copies(&self, _: Copies) -> Copies { Copies::NONE }
//!     fn handed_over(&self, _: Copies) -> Copies { Copies::NONE }
//!
//!     fn sharing(&self, item: &Candidate<'_>, _: &Neighbour<'_>, _: &Surroundings) -> Sharing {
//!         if item.size <= ByteCount::new(1_024) { Sharing::Push } else { Sharing::TagOnly }
//!     }
//!
//!     fn pulls(&self, _: &Shown<'_>, _: &Neighbour<'_>, _: &Surroundings, draw: Draw) -> bool {
//!         draw.is_within(Share::per_mille(250))
//!     }
//!
//!     fn priority(&self, item: &Candidate<'_>, _: &Neighbour<'_>) -> Priority {
//!         Priority::young_first(item.age)
//!     }
//! }
//!
//! # use chappe_gossip::{Config, Router};
//! let router = Router::new(Config::default(), Box::new(SmallEagerly), [7; 32]);
//! assert_eq!(router.items().len(), 0);
//! ```

use core::any::Any;

use chappe_wire::{Age, ByteCount, Header, Instant, Tag};

use crate::{Class, Copies, Draw};

/// A routing policy: what is offered to whom, in which order, with how large a copy budget.
///
/// Receipts are outside of it: they go to everyone, first.
///
/// The methods without a default are all that sealed traffic needs, and all that the router calls. The others serve
/// the baselines of the literature, which know who a message is for: simulations call them, where destinations are
/// in clear, with one policy to a node.
pub trait Policy: Any {
    /// The copy budget of an item that is written here, where the node is.
    fn initial_copies(&self, surroundings: &Surroundings) -> Copies;

    /// The copy budget of an item that arrives with `declared` on it, which is the word of a stranger.
    fn received_copies(&self, declared: Copies) -> Copies;

    /// How many of `declared` copies an item begins with here, where room is short and whoever brings it may bring `left`
    /// and no more: what it gives on of others counts until it is given on. All of them, unless the policy says otherwise.
    fn copies_where_short(&self, declared: Copies, _left: Copies) -> Copies {
        declared
    }

    /// Whether `neighbour` may have `item`, where this node is. It is asked when a link comes up, when an item comes, and
    /// when one is wanted.
    fn sharing(
        &self,
        item: &Candidate<'_>,
        neighbour: &Neighbour<'_>,
        surroundings: &Surroundings,
    ) -> Sharing;

    /// Whether this node takes an item that `neighbour` only shows ([`Sharing::TagOnly`] there), beside those for the
    /// person here, which are taken anyhow. The neighbour cannot tell the two apart. Among all nodes `draw` is even.
    fn pulls(
        &self,
        _shown: &Shown<'_>,
        _neighbour: &Neighbour<'_>,
        _surroundings: &Surroundings,
        _draw: Draw,
    ) -> bool {
        false
    }

    /// Where `item` stands among those that `neighbour` wants. Keep it coarse: among equals the order is random
    /// for each link, so that two holders of the same items send different ones first. It must not depend on
    /// who wrote an item, for the order is visible; but of somebody who is pinned that need not be hidden.
    fn priority(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Priority;

    /// How many of `copies` go along with the item when it is handed over; the rest stays here.
    fn handed_over(&self, copies: Copies) -> Copies;

    /// Where it differs from a plain store and forward.
    fn habits(&self) -> Habits {
        Habits::default()
    }

    /// A contact with `neighbour` begins. Both ends are told before either [learns](Self::learn).
    fn meet(&mut self, _now: Instant, _neighbour: Endpoint) {}

    /// What `neighbour` knows, `theirs`, being the policy of its own: of the same type as this one.
    fn learn(&mut self, _now: Instant, _neighbour: Endpoint, _theirs: &dyn Any) {}

    /// A contact is over in which `moved` bytes went either way.
    fn part(&mut self, _moved: ByteCount) {}

    /// Which items go last when room is needed: lower stays longer. It must not change with time: it is asked when an
    /// item comes, and when its copies or carriers have changed. Among equals chance decides.
    fn keeping(&self, _item: &Candidate<'_>) -> Priority {
        Priority::new(0)
    }

    /// What is in custody `here`, on this node, is about to be ordered: by [`priority`](Self::priority) for the node
    /// `towards`, or by [`keeping`](Self::keeping), where `towards` is this node. Where [`Habits::ranks_custody`].
    fn survey(&mut self, _here: Endpoint, _towards: Endpoint, _custody: &Custody<'_>) {}
}

/// Where a policy differs from a plain store and forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// It decides by destinations, which sealed traffic hides: for simulations only.
    pub sees_destinations: bool,
    /// [`Policy::sharing`] depends on who the neighbour is and what it knows.
    pub tells_neighbours_apart: bool,
    /// It ranks by [`Policy::priority`]. Otherwise the order is random.
    pub ranks: bool,
    /// [`Policy::keeping`] goes by destinations, after a [`Policy::survey`]: for simulations only, where without it
    /// what came first goes first.
    pub ranks_custody: bool,
    /// A holder keeps its copy when it has handed one over.
    pub keeps_copy: bool,
    /// An item may come back to a node where it has been.
    pub returns: bool,
    /// An item may be handed twice to one node, which has dropped it in between.
    pub repeats: bool,
    /// Who hears that an item was delivered drops it, and tells everyone it meets.
    pub acknowledges: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            sees_destinations: false,
            tells_neighbours_apart: false,
            ranks: true,
            ranks_custody: false,
            keeps_copy: true,
            returns: true,
            repeats: true,
            acknowledges: false,
        }
    }
}

/// A node's name where destinations are in clear. Names are small numbers without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(u32);

impl Endpoint {
    /// The node with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The number as a place in a list.
    pub(crate) const fn place(self) -> usize {
        self.0 as usize
    }
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
    /// How many neighbours have taken custody of it from here.
    pub carriers: u32,
    /// What sealed traffic hides.
    pub clear: Option<Clear>,
}

/// An item that a neighbour keeps for its recipient, as a policy of another node sees it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its recipient tag.
    pub tag: &'a Tag,
    /// Its age, on the neighbour's word.
    pub age: Age,
}

/// What a node knows of where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// How many different neighbours it has met in the last three hours. Rather too few than too many.
    pub met: u32,
    /// Whether it has let something go for lack of room in the last hour. A flood from one neighbour does not count, nor
    /// what is much longer than most that is here.
    pub evicts: bool,
    /// Whether what was written here and is on its way takes more than a 64th of the room.
    pub writes_much: bool,
}

impl Surroundings {
    /// So many neighbours, and room for what they bring.
    pub const fn of(met: u32) -> Self {
        Self {
            met,
            evicts: false,
            writes_much: false,
        }
    }

    /// The same, without room.
    #[must_use]
    pub const fn without_room(self) -> Self {
        Self {
            evicts: true,
            ..self
        }
    }

    /// The same, where a file or more of what was written here is on its way.
    #[must_use]
    pub const fn writing(self, much: bool) -> Self {
        Self {
            writes_much: much,
            ..self
        }
    }
}

/// What can be seen of an item in simulations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clear {
    /// Whom it is for.
    pub destination: Endpoint,
    /// How often it was handed over on its way here.
    pub hops: u32,
}

/// A neighbour, as a policy sees it. There is no name on it in sealed traffic: nothing may depend on a neighbour's
/// lasting identity.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour<'a> {
    /// True if the person here has pinned it.
    pub pinned: bool,
    /// What can be seen of it in simulations only: its name, and what its policy knows.
    pub clear: Option<(Endpoint, &'a dyn Any)>,
}

impl<'a> Neighbour<'a> {
    /// A neighbour without a name.
    pub const fn sealed(pinned: bool) -> Self {
        Self {
            pinned,
            clear: None,
        }
    }

    /// What the neighbour's policy knows, if it is of this type.
    pub fn knowledge<P: Policy>(&self) -> Option<&'a P> {
        let (_, theirs) = self.clear?;
        theirs.downcast_ref()
    }
}

/// What a node holds, as a policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Custody<'a> {
    /// How much it could hold.
    pub capacity: ByteCount,
    /// What it holds.
    pub items: &'a [Candidate<'a>],
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
pub struct Priority(u64);

impl Priority {
    /// The place with this number.
    pub const fn new(place: u32) -> Self {
        Self(place as u64)
    }

    /// What is young and small first: the classes of [`young_first`](Self::young_first), and as many places later each
    /// time that the size doubles from 512 bytes on. So a thing twice as large waits as long as one twice as old.
    pub const fn young_and_small_first(age: Age, size: ByteCount) -> Self {
        let blocks = size.get() / 512;
        let Self(young) = Self::young_first(age);
        Self(young + (u64::BITS - blocks.leading_zeros()) as u64)
    }

    /// So many places later.
    #[must_use]
    pub const fn later(self, places: u32) -> Self {
        Self(self.0.saturating_add(places as u64))
    }

    /// What is most likely to be delivered first. Negative numbers count as zero.
    pub fn likely_first(likelihood: f64) -> Self {
        // The bits of positive floating-point numbers are ordered as the numbers are.
        Self(u64::MAX - likelihood.max(0.0).to_bits())
    }

    /// What costs least first, after all numbered places; among equals the lower `tie`. Negative costs count as zero.
    pub fn cheap_first(cost: f64, tie: u8) -> Self {
        let cost = cost.max(0.0).to_bits() | 0xff;
        Self(cost - u64::from(u8::MAX - tie)).after_places()
    }

    const fn after_places(self) -> Self {
        Self(self.0.saturating_add(1 << u32::BITS))
    }

    /// Young items first, in classes that double: under a minute, under two, under four and so on. The young ones
    /// have the fewest copies.
    pub const fn young_first(age: Age) -> Self {
        let minutes = age.as_duration().as_secs() / 60;
        Self::new(u64::BITS - minutes.leading_zeros())
    }
}
