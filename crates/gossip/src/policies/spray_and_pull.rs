//! A few carriers at once, more the longer a message is on its way, and no telling who it is for.

use chappe_wire::{Age, ByteCount, Duration, MAX_ENVELOPE_LEN};

use crate::policies::spread;
use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Shown, Surroundings};
use crate::{Class, Copies, Draw, Share};

/// Spray and pull. A message starts like in [spray and wait](super::SprayAndWait): a holder of n > 1 copies hands half
/// of them to the next neighbour. A holder of the last copy only shows the tag. The recipient takes it, and so do
/// others, each by its own lot: `cover` of those whom a node has met lately, more the older the message is, in the end
/// all.
///
/// - *Private*: who takes a message that is shown is its recipient with a probability of at most 1 / (1 + `cover`), for
///   nobody has met more nodes than there are. `PRIVACY.md` has the figures, and what remains.
/// - *Useful*: who takes a message without being its recipient carries it from then on. Messages that are hard to
///   deliver get more carriers, until receipts end that. Who meets few others takes all: a small mesh, a chain of nodes
///   that stand still and a village are flooded; a crowd is not.
/// - *Short*: what all those take who have met as many others as the holder is offered by its short id, like any other
///   item: its tag need not be shown.
/// - *Sparing*: who runs out of room lets go first of what takes the most room in all its copies, as far as it has
///   spread, and while room is short no more take a message because it is old. What is long makes room for what is
///   short and goes after it, so who floods with large things holds up large things.
/// - *Spreading first*: what has more of its copies left goes before what has fewer, then what is young and short.
/// - *Among friends*: whom one has pinned carries all that one writes, and gets it first, then what other pinned
///   neighbours brought: strangers who flood hold up strangers.
///
/// What it tells a neighbour that flooding would not: that a message has been sprayed (its tag is shown in place of an
/// offer), and that who takes one of these is more likely its recipient than any other node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SprayAndPull {
    /// The budget of an item that is written here, at least 1; where room is short, another one.
    pub copies: Copies,
    /// How many of those whom it has met lately this node expects to take an item that is shown and new, besides the
    /// recipient. `0`: nobody else ever does. [`u32::MAX`]: all do.
    pub cover: u32,
    /// How long it takes their number to double as an item ages; zero for never.
    pub doubling: Duration,
}

impl SprayAndPull {
    /// The default: people's devices.
    pub const PHONES: Self = Self {
        copies: Copies::new(16),
        cover: 9,
        doubling: Duration::from_minutes(60),
    };

    /// Unattended relays take all that they are shown. They have the room, and nothing is for them.
    pub const RELAYS: Self = Self {
        cover: u32::MAX,
        ..Self::PHONES
    };

    /// Where everyone is to carry everything, however many they are. Phones come to the same by themselves where they
    /// meet no more than nine others.
    pub const SMALL_MESH: Self = Self::RELAYS;

    /// The fewest transmissions: only recipients take what is shown, which tells the holder who they are.
    pub const SELECTIVE: Self = Self {
        copies: Copies::new(20),
        cover: 0,
        doubling: Duration::ZERO,
    };

    /// The largest budget that is believed of an item that arrives: half of the largest that one begins with.
    pub const MAX_COPIES: Copies = Copies::new(32);

    /// The budget of an item that is written where room is short, if there is cover and much is written.
    pub const COPIES_WITHOUT_ROOM: Copies = Copies::new(1);

    /// The budget of an item that is written where room is short, if there is cover and little is written. Little is a 64th of
    /// the room: where all have as much room, the copies in all take no more than who writes has brought along.
    pub const COPIES_AMONG_JUNK: Copies = Copies::new(64);

    /// The least share of new items that a node with cover takes, however many names its neighbours have shown to it.
    pub const LEAST_SHARE: Share = Share::per_mille(20);

    /// The share of nodes like this one that take an item of this age.
    pub const fn share_at(&self, age: Age, surroundings: &Surroundings) -> Share {
        if self.cover == 0 {
            return Share::NONE;
        }
        let share = Share::ratio(self.cover, surroundings.met).at_least(Self::LEAST_SHARE);
        let (age, doubling) = (age.as_duration().as_micros(), self.doubling.as_micros());
        match (age.checked_div(doubling), age.checked_rem(doubling)) {
            (Some(times), Some(part)) => share.doubled(times, part, doubling),
            _ => share,
        }
    }
}

impl SprayAndPull {
    /// Whether a person's device that has met as many others takes an item of this age in any case. Then it is offered
    /// like any other: that costs fewer bytes than its tag, and who takes it tells nothing. Without room the neighbour is
    /// left the choice; and of what is longer than an envelope, as in simulations, for the tag is short then beside it.
    fn all_take(&self, item: &Candidate<'_>, surroundings: &Surroundings) -> bool {
        let person = Self {
            cover: self.cover.min(Self::PHONES.cover),
            ..*self
        };
        item.size <= ByteCount::new(MAX_ENVELOPE_LEN as u64)
            && !surroundings.evicts
            && person.share_at(item.age, surroundings) == Share::ALL
    }

    /// How often a budget that begins here was halved until so many copies were left: 16, 8, 4, 2, 1. Larger budgets than
    /// one's own count for nothing, whoever declares them.
    fn halvings(&self, left: Copies) -> u32 {
        let [all, left] = [self.copies, left].map(|copies| copies.count().max(1).ilog2());
        all.saturating_sub(left)
    }

    /// The age by which takers grow in number. Without room a taker would push out what somebody else waits for: cover
    /// there has to be, growth not.
    const fn growing(&self, age: Age, surroundings: &Surroundings) -> Age {
        if surroundings.evicts { Age::NEW } else { age }
    }
}

/// More places than ages and sizes have.
const BEHIND: u32 = 256;
/// More places than halvings, ages and sizes have.
const BEHIND_ALL: u32 = 32 * BEHIND;

impl Default for SprayAndPull {
    fn default() -> Self {
        Self::PHONES
    }
}

impl Policy for SprayAndPull {
    fn initial_copies(&self, surroundings: &Surroundings) -> Copies {
        let copies = match (surroundings.evicts, surroundings.writes_much) {
            _ if self.cover == 0 => self.copies,
            (false, _) => self.copies,
            // The few things that most people write take little room in all their copies, and junk has to outnumber them.
            (true, false) => self.copies.max(Self::COPIES_AMONG_JUNK),
            // Who takes by choice is a carrier too; where room is short those are enough for a file.
            (true, true) => self.copies.min(Self::COPIES_WITHOUT_ROOM),
        };
        copies.max(Copies::new(1))
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        declared.clamp(Copies::new(1), Self::MAX_COPIES)
    }

    fn copies_where_short(&self, declared: Copies, left: Copies) -> Copies {
        declared.min(left)
    }

    fn sharing(
        &self,
        item: &Candidate<'_>,
        neighbour: &Neighbour<'_>,
        surroundings: &Surroundings,
    ) -> Sharing {
        // Whom its writer trusts carries it too, with a part of the room that junk cannot take.
        let pushed = if neighbour.pinned {
            item.class == Class::Own
        } else {
            self.all_take(item, surroundings)
        };
        if item.copies > Copies::new(1) || pushed {
            Sharing::Push
        } else {
            Sharing::TagOnly
        }
    }

    fn pulls(
        &self,
        shown: &Shown<'_>,
        neighbour: &Neighbour<'_>,
        surroundings: &Surroundings,
        draw: Draw,
    ) -> bool {
        // From one's own relay one takes one's own: there is nobody to hide from.
        let trusted = neighbour.pinned && self.cover != u32::MAX;
        let age = self.growing(shown.age, surroundings);
        !trusted && draw.is_within(self.share_at(age, surroundings))
    }

    fn priority(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Priority {
        let spread = self.halvings(item.copies) * BEHIND;
        let place = Priority::young_and_small_first(item.age, item.size).later(spread);
        match item.class {
            // A stranger may not see whose it is.
            Class::Pinned if neighbour.pinned => place.later(BEHIND_ALL),
            Class::Stranger if neighbour.pinned => place.later(2 * BEHIND_ALL),
            _ => place,
        }
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        Copies::new(copies.count() / 2)
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        spread::small_first(spread::shown(self.copies, item), item.size)
    }
}
