//! A fixed number of carriers, and room for what has the fewest.

use crate::Copies;
use crate::policies::{SprayAndWait, spread};
use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Surroundings};

/// Binary spray and wait, where who runs out of room lets go first of what has spread the most. How far an item has
/// spread is estimated from what every holder knows: each halving of its budget on the way here doubled the copies, and
/// each neighbour that took it from here made one more. (The rule of Krifa, Barakat, Spyropoulos: "Optimal Buffer
/// Management Policies for Delay Tolerant Networks", SECON 2008, without their global knowledge.)
///
/// What is written here never goes, and of what comes the newest halves of a budget go last: so the last known copies
/// outlast those of which there are many. Who stops spraying because of its age or of load is not told apart.
///
/// It tells a neighbour nothing that spray and wait would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasuredSpray {
    /// The budget of an item that is written here, at least 1. All who run this policy should have the same.
    pub copies: Copies,
}

impl MeasuredSpray {
    /// Under heavy load deliveries are nearly the same from 10 to 24 copies.
    pub const DEFAULT_COPIES: Copies = Copies::new(16);
}

impl Default for MeasuredSpray {
    fn default() -> Self {
        Self {
            copies: Self::DEFAULT_COPIES,
        }
    }
}

impl Policy for MeasuredSpray {
    fn initial_copies(&self, surroundings: &Surroundings) -> Copies {
        self.spray().initial_copies(surroundings)
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        self.spray().received_copies(declared).min(self.copies)
    }

    fn sharing(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Sharing {
        self.spray().sharing(item, neighbour)
    }

    /// Few copies first: they have the largest budgets left.
    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        spread::few_first(spread::halved(self.copies, item))
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        self.spray().handed_over(copies)
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        spread::few_first(spread::halved(self.copies, item))
    }
}

impl MeasuredSpray {
    const fn spray(&self) -> SprayAndWait {
        SprayAndWait {
            copies: self.copies,
        }
    }
}
