//! How many bytes to begin with.

use super::session::{Expected, MAX_SYMBOLS_PER_FRAME};
use super::{MAX_SYMBOLS, Sketch, Symbol};

/// The most differences that a sketch is made for: beyond, coded symbols cost about as many bytes and far less work.
const MAX_SKETCH: usize = 64;
/// The most multiplications in the field that either end spends on making a sketch: some 20 ms on a phone.
const MAX_SKETCH_WORK: u64 = 1 << 21;
/// Symbols in the first flight where the difference is unknown: enough for 10 differences in all but about one case in
/// a thousand.
const UNKNOWN_FLIGHT: u64 = 48;
/// From here on a difference takes some 1.4 symbols for each item, and a few for chance; below it takes more.
const MANY: u64 = 100;
/// Symbols that are asked for at least when those that came did not suffice.
const MIN_NEXT_FLIGHT: u32 = 16;
/// Bytes of a short id in a list.
const ID_LEN: u64 = 8;

/// How many differences the opener's sketch is to be made for; `None` where a sketch does not pay.
///
/// The estimate's standard error is a quarter of it, so that one sketch in fifty or so is too small. A sketch for all that
/// both ends have cannot be. Where stores are small the list would be a few bytes shorter, and a round trip later.
pub(super) fn sketch(expected: Expected, count: u64) -> Option<usize> {
    let Expected {
        difference,
        count: theirs,
    } = expected;
    let with_margin = difference.saturating_mul(17) / 10 + 2;
    let capacity = usize::try_from(with_margin.min(count.saturating_add(theirs))).ok()?;
    let pays = difference > 0 && count > 0;
    (pays && is_affordable(capacity, count.max(theirs))).then_some(capacity)
}

/// Whether a set of `count` items is sketched for so many differences.
pub(super) const fn is_affordable(capacity: usize, count: u64) -> bool {
    capacity > 0
        && capacity <= MAX_SKETCH
        && count.saturating_mul(capacity as u64) <= MAX_SKETCH_WORK
}

/// Symbols in the first flight, between sets of `mine` and `theirs` items. `expected` is the opener's word, `None` from
/// openers that take one frame for a flight; a sketch for `unreadable` differences was too small.
pub(super) fn first_flight(
    expected: Option<u32>,
    unreadable: usize,
    mine: u64,
    theirs: u64,
) -> u32 {
    let at_least = mine.abs_diff(theirs);
    let unknown = at_least.saturating_mul(2).max(UNKNOWN_FLIGHT);
    let one_frame = u64::from(MAX_SYMBOLS_PER_FRAME);
    let symbols = match expected {
        None => unknown.min(one_frame),
        Some(0) => unknown,
        Some(expected) => {
            let expected = u64::from(expected).max(at_least);
            let expected = expected.max(unreadable as u64 * 3 / 2);
            // A guess that is too large is paid for in full, one that is too small by a turn.
            let with_margin = if expected > MANY {
                expected.saturating_mul(6) / 5
            } else {
                expected.saturating_mul(27) / 20
            };
            with_margin.saturating_add(12)
        }
    };
    symbols.min(u64::from(MAX_SYMBOLS)) as u32
}

/// Symbols to ask for after `received` of them.
pub(super) fn next_flight(received: u32) -> u32 {
    (received / 6).max(MIN_NEXT_FLIGHT)
}

/// Whether all short ids of a set of `count` items take no more bytes than so many symbols.
pub(super) const fn is_list_shorter(symbols: u32, count: u64) -> bool {
    symbols as u64 * Symbol::LEN as u64 >= count.saturating_mul(ID_LEN)
}

const _: () = assert!(Sketch::BYTES_PER_ITEM as u64 == ID_LEN);
