//! Tags shown to a neighbour, and tags that this node asks a neighbour for.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_wire::proto::{TagOffer, Take, frame::Body};
use chappe_wire::{Age, Instant, ItemId, ShortId, Tag};

use crate::StoredItem;
use crate::link::MAX_WANTS;
use crate::link::giving::pop;

/// The most tags in one frame.
const MAX_TAGS_PER_FRAME: usize = 256;
/// The most tags that are shown on one link.
const MAX_TAGS_SHOWN: usize = 4_096;

/// The tags of one link.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    shown: BTreeMap<Tag, Showing>,
    to_show: BTreeSet<Tag>,
    /// What the neighbour shows and is lacking here, with its short ids.
    theirs: BTreeMap<Tag, ShortId>,
    /// What the neighbour is asked for.
    taking: BTreeMap<Tag, ShortId>,
    to_take: BTreeSet<Tag>,
}

/// An item whose tag is shown.
#[derive(Clone, Copy, Debug)]
struct Showing {
    id: ItemId,
    short: ShortId,
    age: Age,
    since: Instant,
}

impl Tags {
    /// Lets the neighbour know that there is this item.
    pub(crate) fn show(&mut self, short: ShortId, item: &StoredItem) {
        let showing = Showing {
            id: item.id,
            short,
            age: item.age,
            since: item.since,
        };
        let tag = item.header.tag;
        if self.shown.len() < MAX_TAGS_SHOWN && self.shown.insert(tag, showing).is_none() {
            self.to_show.insert(tag);
        }
    }

    /// The neighbour has the item with this tag, or the item is not here any more: it need not be shown.
    pub(crate) fn hide(&mut self, tag: &Tag) {
        self.shown.remove(tag);
        self.to_show.remove(tag);
    }

    /// The item with this tag, once, if the neighbour was shown it.
    pub(crate) fn taken(&mut self, tag: &Tag) -> Option<ItemId> {
        if self.to_show.contains(tag) {
            return None;
        }
        self.shown.remove(tag).map(|showing| showing.id)
    }

    /// The neighbour shows an item that is lacking here.
    pub(crate) fn shown_by_them(&mut self, tag: Tag, short: ShortId) {
        if self.theirs.len() < MAX_TAGS_SHOWN {
            self.theirs.insert(tag, short);
        }
    }

    /// Asks the neighbour for the item with this tag, if it has shown it; for [`MAX_WANTS`] at a time at most.
    pub(crate) fn take(&mut self, tag: Tag) {
        if self.taking.len() < MAX_WANTS
            && let Some(short) = self.theirs.remove(&tag)
        {
            self.taking.insert(tag, short);
            self.to_take.insert(tag);
        }
    }

    /// Whether the neighbour is asked for an item with this tag.
    pub(crate) fn is_taking(&self, tag: &Tag) -> bool {
        self.taking.contains_key(tag)
    }

    /// An item with this tag came: false if it was not asked for by its tag.
    pub(crate) fn arrived(&mut self, tag: &Tag) -> bool {
        self.to_take.remove(tag);
        self.taking.remove(tag).is_some()
    }

    /// The item came in some other way. Gives its short id if the neighbour has been asked for it.
    pub(crate) fn came_elsewhere(&mut self, tag: &Tag) -> Option<ShortId> {
        self.theirs.remove(tag);
        let asked = !self.to_take.remove(tag);
        self.taking.remove(tag).filter(|_| asked)
    }

    /// The neighbour does not have an item any more: false if it was not asked for by its tag.
    pub(crate) fn withdrawn(&mut self, short: &ShortId) -> bool {
        let before = self.taking.len();
        self.taking.retain(|_, taking| taking != short);
        before > self.taking.len()
    }

    /// The frame that asks, or else the frame that shows.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Body> {
        let tags = pop(&mut self.to_take, MAX_TAGS_PER_FRAME);
        if !tags.is_empty() {
            let tags = flatten(&tags);
            return Some(Body::Take(Take { tags }));
        }
        let tags = pop(&mut self.to_show, MAX_TAGS_PER_FRAME);
        let shown = tags.iter().filter_map(|tag| self.shown.get(tag));
        let shown: Vec<_> = shown.collect();
        (!tags.is_empty()).then(|| {
            Body::TagOffer(TagOffer {
                tags: flatten(&tags),
                ids: shown.iter().map(|showing| showing.short.get()).collect(),
                age_minutes: shown
                    .iter()
                    .map(|showing| showing.age.after(now.since(showing.since)).to_wire())
                    .collect(),
            })
        })
    }
}

fn flatten(tags: &[Tag]) -> Vec<u8> {
    tags.iter().flat_map(|tag| *tag.as_bytes()).collect()
}
