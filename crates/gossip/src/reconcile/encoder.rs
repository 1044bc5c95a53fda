//! A set as a stream of coded symbols.

use alloc::vec;
use alloc::vec::Vec;

use chappe_wire::{LinkSalt, ShortId};

use super::symbols::{MAX_SYMBOLS, Mapping, Symbol};

/// Codes a snapshot of a set, as many symbols as are asked for. Takes 24 bytes an item.
#[derive(Clone, Debug)]
pub struct Encoder {
    items: Vec<Coded>,
    next: u32,
}

impl Encoder {
    /// An encoder of `ids`, which are all different, on the link with `salt`.
    pub fn new(salt: &LinkSalt, ids: impl IntoIterator<Item = ShortId>) -> Self {
        let coded = |id: ShortId| Coded {
            id,
            check: id.check(salt),
            mapping: Mapping::new(id),
        };
        Self {
            items: ids.into_iter().map(coded).collect(),
            next: 0,
        }
    }

    /// The index of the symbol that is produced next.
    pub const fn next_index(&self) -> u32 {
        self.next
    }

    /// The next `count` symbols; fewer at [`MAX_SYMBOLS`].
    pub fn produce(&mut self, count: u32) -> Vec<Symbol> {
        let start = self.next;
        let end = start.saturating_add(count).min(MAX_SYMBOLS);
        let mut symbols = vec![Symbol::default(); end.saturating_sub(start) as usize];
        for item in &mut self.items {
            while let Some(symbol) = item
                .mapping
                .index()
                .checked_sub(start)
                .and_then(|at| symbols.get_mut(at as usize))
            {
                symbol.toggle(item.id, item.check);
                item.mapping.advance();
            }
        }
        self.next = end;
        symbols
    }

    /// The items of the set, in the order they were given.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ShortId> {
        self.items.iter().map(|item| item.id)
    }
}

#[derive(Clone, Debug)]
struct Coded {
    id: ShortId,
    check: u32,
    mapping: Mapping,
}
