//! Tags shown to a neighbour, and tags that this node asks a neighbour for.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_wire::{ItemId, Tag};

use crate::link::MAX_WANTS;
use crate::link::giving::pop;

/// The most tags in one frame.
const MAX_TAGS_PER_FRAME: usize = 500;
/// The most tags that are shown on one link.
const MAX_TAGS_SHOWN: usize = 4_096;

/// The tags of one link.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    shown: BTreeMap<Tag, ItemId>,
    to_show: BTreeSet<Tag>,
    taking: BTreeSet<Tag>,
    to_take: BTreeSet<Tag>,
}

impl Tags {
    /// Lets the neighbour know that there is an item with this tag.
    pub(crate) fn show(&mut self, tag: Tag, id: ItemId) {
        if self.shown.len() < MAX_TAGS_SHOWN && self.shown.insert(tag, id).is_none() {
            self.to_show.insert(tag);
        }
    }

    /// The item with this tag, once, if the neighbour was shown it.
    pub(crate) fn taken(&mut self, tag: &Tag) -> Option<ItemId> {
        self.shown.remove(tag)
    }

    /// Asks the neighbour for the items with these tags; for [`MAX_WANTS`] at a time at most.
    pub(crate) fn take(&mut self, tags: impl IntoIterator<Item = Tag>) {
        for tag in tags {
            if self.taking.len() < MAX_WANTS && self.taking.insert(tag) {
                self.to_take.insert(tag);
            }
        }
    }

    /// An item with this tag came: false if it was not asked for by its tag.
    pub(crate) fn arrived(&mut self, tag: &Tag) -> bool {
        self.taking.remove(tag)
    }

    pub(crate) fn next_shown(&mut self) -> Vec<Tag> {
        pop(&mut self.to_show, MAX_TAGS_PER_FRAME)
    }

    pub(crate) fn next_taken(&mut self) -> Vec<Tag> {
        pop(&mut self.to_take, MAX_TAGS_PER_FRAME)
    }
}
