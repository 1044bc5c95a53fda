//! A fixed number of carriers, and room for what has the fewest.

use crate::Copies;
use crate::policies::SprayAndWait;
use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing};

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

    /// How many copies there may be of an item of which this node has handed over so many, and has so much left of its
    /// budget; at least 1, at most 2^32.
    fn spread(&self, copies: Copies, carriers: u32) -> u64 {
        let left = u64::from(copies.count().max(1));
        // Each hand-over halved what came here.
        let received = left.saturating_mul(1 << carriers.min(32));
        let all = u64::from(self.copies.count().max(1));
        let elsewhere = (all / received).max(1);
        elsewhere.saturating_mul(u64::from(carriers).saturating_add(1))
    }
}

impl Default for MeasuredSpray {
    fn default() -> Self {
        Self {
            copies: Self::DEFAULT_COPIES,
        }
    }
}

impl Policy for MeasuredSpray {
    fn initial_copies(&self) -> Copies {
        self.spray().initial_copies()
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        self.spray().received_copies(declared).min(self.copies)
    }

    fn sharing(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Sharing {
        self.spray().sharing(item, neighbour)
    }

    /// Few copies first: they have the largest budgets left.
    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        let spread = self.spread(item.copies, item.carriers);
        Priority::new(u32::try_from(spread).unwrap_or(u32::MAX))
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        self.spray().handed_over(copies)
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        let spread = self.spread(item.copies, item.carriers);
        Priority::new(u32::try_from(spread).unwrap_or(u32::MAX))
    }
}

impl MeasuredSpray {
    const fn spray(&self) -> SprayAndWait {
        SprayAndWait {
            copies: self.copies,
        }
    }
}
