//! One copy that goes to whoever comes first.

use crate::Copies;
use crate::policy::{Candidate, Habits, Neighbour, Policy, Priority, Sharing, Surroundings};

/// First contact (Jain, Fall, Patra: "Routing in a Delay Tolerant Network", SIGCOMM 2004): a single copy is handed to
/// the first neighbour at which it has not been yet. That a path is known is for simulations only.
#[derive(Clone, Copy, Debug, Default)]
pub struct FirstContact;

impl Policy for FirstContact {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Sharing {
        Sharing::Push
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
            keeps_copy: false,
            returns: false,
            ..Habits::default()
        }
    }
}
