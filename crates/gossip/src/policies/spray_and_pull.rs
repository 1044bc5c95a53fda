//! A few carriers at once, more the longer a message is on its way, and no telling who it is for.

use chappe_wire::{Age, Duration};

use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Shown};
use crate::{Copies, Draw, Share};

/// Spray and pull. A message starts like in [spray and wait](super::SprayAndWait): a holder of n > 1 copies hands half
/// of them to the next neighbour. A holder of the last copy only shows the tag. The recipient takes it, and so do
/// others, each by its own lot: at first a small share of all nodes, which doubles every so often until all do.
///
/// - *Private*: who takes a message that is shown may be its recipient or anyone. With a share of 1 in 20 and 200 nodes
///   around, one in ten who take it is the recipient. `PRIVACY.md` has the figures.
/// - *Useful*: who takes a message without being its recipient carries it from then on. So messages that are hard to
///   deliver get more carriers, and receipts end that. Nothing has to be known of how many nodes there are.
///
/// What it tells a neighbour that flooding would not: that a message has been sprayed (its tag is shown in place of an
/// offer), and that who takes one of these is its recipient with a probability that is small, but larger than for any
/// other node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SprayAndPull {
    /// The budget of an item that is written here, at least 1.
    pub copies: Copies,
    /// The share of items shown that this node takes when they are new, besides its own.
    pub share: Share,
    /// How long it takes the share to double as an item ages; zero for never.
    pub doubling: Duration,
}

impl SprayAndPull {
    /// The default: people's devices.
    pub const PHONES: Self = Self {
        copies: Copies::new(16),
        share: Share::per_mille(50),
        doubling: Duration::from_minutes(15),
    };

    /// Unattended relays take all that they are shown. They have the room, and nothing is for them.
    pub const RELAYS: Self = Self {
        share: Share::ALL,
        ..Self::PHONES
    };

    /// Where there are fewer than about 20 nodes: everyone takes everything, and nothing is told.
    pub const SMALL_MESH: Self = Self::RELAYS;

    /// The fewest transmissions: only recipients take what is shown, which tells the holder who they are.
    pub const SELECTIVE: Self = Self {
        copies: Copies::new(20),
        share: Share::NONE,
        doubling: Duration::ZERO,
    };

    /// The largest budget that is believed of an item that arrives.
    pub const MAX_COPIES: Copies = super::SprayAndWait::MAX_COPIES;

    /// The share of nodes that take an item of this age.
    pub const fn share_at(&self, age: Age) -> Share {
        let (age, doubling) = (age.as_duration().as_micros(), self.doubling.as_micros());
        match (age.checked_div(doubling), age.checked_rem(doubling)) {
            (Some(times), Some(part)) => self.share.doubled(times, part, doubling),
            _ => self.share,
        }
    }
}

impl Default for SprayAndPull {
    fn default() -> Self {
        Self::PHONES
    }
}

impl Policy for SprayAndPull {
    fn initial_copies(&self) -> Copies {
        self.copies.max(Copies::new(1))
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        declared.clamp(Copies::new(1), Self::MAX_COPIES)
    }

    fn sharing(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Sharing {
        if item.copies > Copies::new(1) {
            Sharing::Push
        } else {
            Sharing::TagOnly
        }
    }

    fn pulls(&self, shown: &Shown<'_>, neighbour: &Neighbour<'_>, draw: Draw) -> bool {
        // From one's own relay one takes one's own: there is nobody to hide from.
        let trusted = neighbour.pinned && self.share != Share::ALL;
        !trusted && draw.is_within(self.share_at(shown.age))
    }

    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        Priority::young_first(item.age)
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        Copies::new(copies.count() / 2)
    }
}
