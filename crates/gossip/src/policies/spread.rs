//! How many copies of an item there may be, by what every holder knows.

use chappe_wire::ByteCount;

use crate::Copies;
use crate::policy::{Candidate, Priority};

/// The place of an item of which there are so many copies: few first.
pub(crate) fn few_first(copies: u64) -> Priority {
    Priority::new(u32::try_from(copies).unwrap_or(u32::MAX))
}

/// The place of an item by the room that its copies take in all: what takes little first. Of sizes only the class counts,
/// each of which begins at eight times the size of the one before: among things of like size spread decides. (By exact
/// bytes fewer large messages arrive: what is somewhat longer is not worth less.)
pub(crate) fn small_first(copies: u64, size: ByteCount) -> Priority {
    let blocks = size.get().div_ceil(BLOCK);
    let class = blocks.checked_ilog(CLASS).unwrap_or(0);
    few_first(copies.saturating_mul(CLASS.saturating_pow(class)))
}

/// Bytes of a block.
const BLOCK: u64 = 512;
/// How many times as large the next class of sizes is.
const CLASS: u64 = 8;

/// How many copies there may be of an item that began with a budget of `all`: each halving of it on the way here doubled
/// the copies, and each neighbour that took it from here made one more. At least 1, at most 2^64.
pub(crate) fn halved(all: Copies, item: &Candidate<'_>) -> u64 {
    let left = u64::from(item.copies.count().max(1));
    // Each hand-over halved what came here.
    let received = left.saturating_mul(1 << item.carriers.min(32));
    let all = u64::from(all.count().max(1));
    let elsewhere = (all / received).max(1);
    elsewhere.saturating_mul(u64::from(item.carriers).saturating_add(1))
}

/// The same, where the last copy is shown to those who may take it: by the time at which one holder has a single copy
/// left the others have, and each taker is one more.
pub(crate) fn shown(all: Copies, item: &Candidate<'_>) -> u64 {
    if item.copies > Copies::new(1) {
        halved(all, item)
    } else {
        u64::from(all.count()).saturating_add(u64::from(item.carriers))
    }
}
