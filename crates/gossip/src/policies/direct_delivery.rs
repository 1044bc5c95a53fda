//! Nobody carries for others.

use crate::Copies;
use crate::policy::{Candidate, Habits, Neighbour, Policy, Priority, Sharing, Surroundings};

/// Direct delivery: who wrote an item keeps it until it meets the recipient. The fewest copies, at the price of the
/// longest delays; the floor that other policies are measured from.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectDelivery;

impl Policy for DirectDelivery {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Sharing {
        Sharing::TagOnly
    }

    fn priority(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        Priority::new(0)
    }

    fn handed_over(&self, _copies: Copies) -> Copies {
        Copies::NONE
    }

    fn habits(&self) -> Habits {
        Habits {
            ranks: false,
            ..Habits::default()
        }
    }
}
