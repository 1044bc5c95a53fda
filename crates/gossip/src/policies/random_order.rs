//! Another policy, without its order.

use core::any::Any;

use chappe_wire::{ByteCount, Instant};

use crate::policy::{
    Candidate, Custody, Endpoint, Habits, Neighbour, Policy, Priority, Sharing, Shown, Surroundings,
};
use crate::{Copies, Draw};

/// The decisions of `P` with the queue in random order, as most of the literature has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomOrder<P>(pub P);

impl<P: Policy> Policy for RandomOrder<P> {
    fn initial_copies(&self, surroundings: &Surroundings) -> Copies {
        self.0.initial_copies(surroundings)
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        self.0.received_copies(declared)
    }

    fn copies_where_short(&self, declared: Copies, left: Copies) -> Copies {
        self.0.copies_where_short(declared, left)
    }

    fn sharing(
        &self,
        item: &Candidate<'_>,
        neighbour: &Neighbour<'_>,
        surroundings: &Surroundings,
    ) -> Sharing {
        self.0.sharing(item, neighbour, surroundings)
    }

    fn priority(&self, _item: &Candidate<'_>, _neighbour: &Neighbour<'_>) -> Priority {
        Priority::new(0)
    }

    fn pulls(
        &self,
        shown: &Shown<'_>,
        neighbour: &Neighbour<'_>,
        surroundings: &Surroundings,
        draw: Draw,
    ) -> bool {
        self.0.pulls(shown, neighbour, surroundings, draw)
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        self.0.handed_over(copies)
    }

    fn habits(&self) -> Habits {
        Habits {
            ranks: false,
            ..self.0.habits()
        }
    }

    fn meet(&mut self, now: Instant, neighbour: Endpoint) {
        self.0.meet(now, neighbour);
    }

    fn learn(&mut self, now: Instant, neighbour: Endpoint, theirs: &dyn Any) {
        if let Some(theirs) = theirs.downcast_ref::<Self>() {
            self.0.learn(now, neighbour, &theirs.0);
        }
    }

    fn part(&mut self, moved: ByteCount) {
        self.0.part(moved);
    }

    fn survey(&mut self, here: Endpoint, towards: Endpoint, custody: &Custody<'_>) {
        self.0.survey(here, towards, custody);
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        self.0.keeping(item)
    }
}
