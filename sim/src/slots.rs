//! Places for links that come and go.

use std::ops::{Index, IndexMut};

use crate::table::{Key, Table};

/// A place among the links that are up or were up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

impl Key for Slot {
    fn place(self) -> usize {
        self.0 as usize
    }
}

/// Links by their places. The place of one that is gone is given to another.
#[derive(Debug)]
pub(crate) struct Slots<L> {
    links: Table<Slot, L>,
    free: Vec<Slot>,
}

impl<L> Slots<L> {
    pub(crate) fn new() -> Self {
        Self {
            links: Table::new(Vec::new()),
            free: Vec::new(),
        }
    }

    /// A place for a link.
    pub(crate) fn fill(&mut self, link: L) -> Slot {
        if let Some(slot) = self.free.pop() {
            self.links[slot] = link;
            return slot;
        }
        self.links.push(link);
        Slot(self.links.len() as u32 - 1)
    }

    /// The link is gone. What is in its place stays to be looked at until another gets it.
    pub(crate) fn free(&mut self, slot: Slot) {
        self.free.push(slot);
    }
}

impl<L> Index<Slot> for Slots<L> {
    type Output = L;

    fn index(&self, slot: Slot) -> &L {
        &self.links[slot]
    }
}

impl<L> IndexMut<Slot> for Slots<L> {
    fn index_mut(&mut self, slot: Slot) -> &mut L {
        &mut self.links[slot]
    }
}
