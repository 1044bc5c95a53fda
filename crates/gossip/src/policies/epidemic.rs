//! Everyone carries everything.

use crate::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Shown, Surroundings};
use crate::{Copies, Draw};

/// Epidemic routing (Vahdat, Becker: "Epidemic Routing for Partially-Connected Ad Hoc Networks", 2000): every
/// neighbour is offered everything that it lacks. The shortest delays, at the price of the most copies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epidemic;

impl Policy for Epidemic {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Sharing {
        Sharing::Push
    }

    fn pulls(
        &self,
        _shown: &Shown<'_>,
        _neighbour: &Neighbour<'_>,
        _surroundings: &Surroundings,
        _draw: Draw,
    ) -> bool {
        true
    }

    fn priority(&self, item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        Priority::young_first(item.age)
    }

    fn handed_over(&self, _copies: Copies) -> Copies {
        Copies::NONE
    }
}
