//! A fixed number of carriers for each item.

use crate::Copies;
use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Surroundings};

/// Binary spray and wait (Spyropoulos, Psounis, Raghavendra: "Spray and Wait", WDTN 2005): a holder of n > 1 copies
/// hands over half of them; a holder of the last copy keeps it for the recipient, who knows it by its tag.
#[derive(Clone, Copy, Debug)]
pub struct SprayAndWait {
    /// The budget of an item that is written here, at least 1.
    pub copies: Copies,
}

impl SprayAndWait {
    /// The largest budget that is believed of an item that arrives.
    pub const MAX_COPIES: Copies = Copies::new(64);
}

impl Policy for SprayAndWait {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
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

    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        Priority::young_first(item.age)
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        Copies::new(copies.count() / 2)
    }
}
