//! Strings that a node sends in two of its epochs: whoever hears them knows that it is the same node.

use std::collections::{BTreeMap, BTreeSet};

/// The length of the strings that are looked for.
pub(crate) const STRING: usize = 6;
/// So many bytes in a row that another node sends as well are the protocol's. A string with a single byte of the node's own has
/// them always: among thousands of strings such a byte is the same twice by chance.
const PROTOCOL: usize = 3;

/// What a search found.
#[derive(Debug)]
pub(crate) struct Recurring<'a> {
    pub(crate) searched: usize,
    pub(crate) found: BTreeSet<&'a [u8]>,
}

/// Looks in what a node sent, each piece with its epoch, for strings of its own that it sent in two epochs. `other` is what
/// another node sent, which did the same.
pub(crate) fn search<'a>(
    own: impl Iterator<Item = (usize, &'a [u8])>,
    other: impl Iterator<Item = &'a [u8]>,
) -> Recurring<'a> {
    let protocol: BTreeSet<&[u8]> = other.flat_map(|piece| piece.windows(PROTOCOL)).collect();
    let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for (epoch, piece) in own {
        for string in piece.windows(STRING) {
            if *seen.entry(string).or_insert(epoch) != epoch {
                twice.insert(string);
            }
        }
    }
    let is_own = |string: &&[u8]| !string.windows(PROTOCOL).any(|part| protocol.contains(part));
    twice.retain(is_own);
    Recurring {
        searched: seen.len(),
        found: twice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(own: [&[u8]; 2], other: &[u8]) -> usize {
        let own = own.into_iter().enumerate();
        search(own, [other].into_iter()).found.len()
    }

    #[test]
    fn what_recurs_and_is_not_the_protocols_is_found() {
        let own: [&[u8]; 2] = [b"protocol serial1", b"protocol serial1 again"];
        // Each string that is in "l serial1", of which the protocol has no three bytes in a row.
        assert_eq!(found(own, b"protocol fresh-1"), 4);
        assert_eq!(found(own, b"protocol serial1"), 0);
    }

    #[test]
    fn three_bytes_amid_the_protocols_are_found_and_one_is_not() {
        let own = |serial: &str| format!("abcd{serial}efgh").into_bytes();
        let other = own("xyz");
        assert_eq!(found([&own("1"), &own("1")], &other), 0);
        assert!(found([&own("123"), &own("123")], &other) > 0);
    }
}
