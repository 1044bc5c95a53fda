//! What others do to find out what two stores do not have in common, to be measured beside the router.
//!
//! Each works on the salted short ids of one link, which it hashes itself, and goes on until both ends know the whole
//! difference, or all of it that the method finds: what it told of items is counted, at 8 bytes each.

mod filters;
mod list;
mod pin_sketch;
mod ranges;

pub(crate) use filters::{bloom, golomb};
pub(crate) use list::list;
pub(crate) use pin_sketch::{pin_sketch_by_sizes, pin_sketch_told};
pub(crate) use ranges::ranges;

use chappe_wire::{ItemId, LinkSalt, ShortId};

/// Bytes of a short id.
const ID_LEN: u64 = 8;

/// What two ends have.
pub(crate) struct Stores {
    /// Another one, another salt.
    pub(crate) run: u64,
    pub(crate) salt: LinkSalt,
    pub(crate) first: Vec<ItemId>,
    pub(crate) second: Vec<ItemId>,
}

/// What it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Both ways.
    pub(crate) bytes: u64,
    /// Times that one end spoke until both knew.
    pub(crate) turns: u64,
    /// Differences that were not found.
    pub(crate) missed: u64,
}

impl Stores {
    /// The short ids of both, in ascending order.
    fn short_ids(&self) -> [Vec<ShortId>; 2] {
        [&self.first, &self.second].map(|ids| {
            let mut shorts: Vec<ShortId> =
                ids.iter().map(|id| ShortId::of(&self.salt, id)).collect();
            shorts.sort_unstable();
            shorts
        })
    }
}

/// What is in `mine` and not in `theirs`; both ascend.
fn without(mine: &[ShortId], theirs: &[ShortId]) -> Vec<ShortId> {
    let mut theirs = theirs.iter().peekable();
    let mut only = Vec::new();
    for id in mine {
        while theirs.next_if(|other| *other < id).is_some() {}
        if theirs.next_if_eq(&id).is_none() {
            only.push(*id);
        }
    }
    only
}
