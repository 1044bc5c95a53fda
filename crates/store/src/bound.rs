//! The bound on what a store takes on the disk, and how it is split between the main file and the log.
//!
//! ```text
//! |<------------------------------ max_bytes ------------------------------>|
//! |          main file: max_page_count pages         |   log ("-wal" file)  |
//! |                             |<- for deletes only |  a quarter, but from |
//! |                             |   (64 pages)       |  20 to 32 MiB        |
//! ```
//! The log holds what was committed since the last checkpoint and the pages of the open transaction. SQLite
//! does not bound it, so the store looks at its length after each write and refuses the transaction in time:
//! what may still follow is one more operation and the pages that are cached.

use chappe_wire::ByteCount;

use crate::OpenError;

/// The smallest bound that a store takes.
pub const MIN_STORE_BYTES: ByteCount = ByteCount::from_mib(32);
/// The largest bound that a store takes: 1 TiB.
pub const MAX_STORE_BYTES: ByteCount = ByteCount::from_mib(1 << 20);
/// What one transaction may change before it is refused as too large: at least this, counted in whole pages.
pub const MIN_TRANSACTION_BYTES: ByteCount = ByteCount::from_mib(4);

/// Length of a page of the file, in bytes.
pub(crate) const PAGE_LEN: u64 = 4096;
/// Length of a page in the log: the page and its frame header.
const FRAME_LEN: u64 = PAGE_LEN + 24;
/// The log is moved into the main file when it has this many pages.
pub(crate) const CHECKPOINT_PAGES: u64 = 400;
/// The log is emptied before a transaction begins if it is longer than this. Twice the usual, because a log that is
/// written over is faster than one that grows anew.
pub(crate) const LOG_REST: u64 = 2 * CHECKPOINT_PAGES * FRAME_LEN;
/// Pages held in memory, of which any number may be unwritten.
pub(crate) const CACHE_PAGES: u64 = 2048;
/// Pages of the main file that only deletes may use, so that a full store can be emptied.
const DELETE_ROOM_PAGES: u64 = 64;
/// Pages that one operation can write: the longest value replaced by another, and the trees above.
const OPERATION_PAGES: u64 = 600;

/// The split of one bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Pages of the main file that puts may fill.
    pub(crate) put_pages: u64,
    /// Pages of the main file that are never exceeded.
    pub(crate) max_pages: u64,
    /// A transaction that finds the log longer than this is refused.
    pub(crate) log_limit: u64,
}

impl Bound {
    /// Splits `max_bytes`.
    ///
    /// # Errors
    /// [`OpenError::Bound`] outside [`MIN_STORE_BYTES`] to [`MAX_STORE_BYTES`].
    pub(crate) fn split(max_bytes: ByteCount) -> Result<Self, OpenError> {
        if !(MIN_STORE_BYTES..=MAX_STORE_BYTES).contains(&max_bytes) {
            return Err(OpenError::Bound);
        }
        let max_bytes = max_bytes.get();
        let log = (max_bytes / 4).clamp(20 << 20, 32 << 20);
        let max_pages = (max_bytes - log) / PAGE_LEN;
        Ok(Self {
            put_pages: max_pages - DELETE_ROOM_PAGES,
            max_pages,
            log_limit: log - (OPERATION_PAGES + CACHE_PAGES) * FRAME_LEN,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_bound_leaves_room_for_a_transaction_of_the_promised_size() {
        let bound = Bound::split(MIN_STORE_BYTES).unwrap();
        assert!(bound.log_limit >= MIN_TRANSACTION_BYTES.get() + LOG_REST);
        assert!(bound.put_pages * PAGE_LEN > 11 << 20);
    }

    #[test]
    fn bounds_outside_the_range_are_refused() {
        for bytes in [
            0,
            MIN_STORE_BYTES.get() - 1,
            MAX_STORE_BYTES.get() + 1,
            u64::MAX,
        ] {
            assert!(matches!(
                Bound::split(ByteCount::new(bytes)),
                Err(OpenError::Bound)
            ));
        }
    }
}
