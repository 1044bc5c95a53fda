//! The difference of two sets out of the other's coded symbols.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chappe_wire::{LinkSalt, ShortId};

use super::Encoder;
use super::symbols::{Mapping, Symbol};

/// Reads the difference between a set here and the set behind the symbols that arrive.
///
/// Work and memory are bounded by the number of symbols pushed, whatever is in them: each yields one item at
/// most, and no item twice.
#[derive(Clone)]
pub struct Decoder {
    salt: LinkSalt,
    local: Encoder,
    remaining: Vec<Symbol>,
    found: BTreeMap<ShortId, Mapping>,
}

impl Decoder {
    /// A decoder for the end that has `ids`, on the link with `salt`.
    pub fn new(salt: &LinkSalt, ids: impl IntoIterator<Item = ShortId>) -> Self {
        Self {
            salt: *salt,
            local: Encoder::new(salt, ids),
            remaining: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// How many symbols have arrived.
    pub fn received(&self) -> u32 {
        self.local.next_index()
    }

    /// Takes the next symbols; those beyond [`MAX_SYMBOLS`](super::MAX_SYMBOLS) are left out.
    pub fn push(&mut self, symbols: &[Symbol]) {
        let count = u32::try_from(symbols.len()).unwrap_or(u32::MAX);
        let mine = self.local.produce(count);
        let first = self.remaining.len();
        let fresh = symbols.iter().zip(mine);
        self.remaining
            .extend(fresh.map(|(theirs, mine)| theirs.combined(mine)));
        for (id, mapping) in &mut self.found {
            take_out(&mut self.remaining, *id, id.check(&self.salt), mapping);
        }
        self.peel((first..self.remaining.len()).collect());
    }

    /// True once [`Decoder::difference`] is the whole difference. Chance has no say in it: nothing is left in any
    /// symbol, and symbol 0 holds every item.
    pub fn is_complete(&self) -> bool {
        !self.remaining.is_empty() && self.remaining.iter().all(Symbol::is_zero)
    }

    /// The items that only one end has, in ascending order.
    pub fn difference(&self) -> impl Iterator<Item = ShortId> {
        self.found.keys().copied()
    }

    /// The items of the set here, in the order they were given.
    pub(crate) fn local_ids(&self) -> impl ExactSizeIterator<Item = ShortId> {
        self.local.ids()
    }

    fn peel(&mut self, mut candidates: Vec<usize>) {
        while let Some(at) = candidates.pop() {
            let Some(id) = self.remaining.get(at).and_then(|s| s.lone(&self.salt)) else {
                continue;
            };
            if self.found.contains_key(&id) {
                // Only a false or damaged symbol comes here; it stays, and the decoding never completes.
                continue;
            }
            let mut mapping = Mapping::new(id);
            let mut walk = mapping;
            while (walk.index() as usize) < self.remaining.len() {
                candidates.push(walk.index() as usize);
                walk.advance();
            }
            take_out(&mut self.remaining, id, id.check(&self.salt), &mut mapping);
            self.found.insert(id, mapping);
        }
    }
}

/// Takes an item out of all symbols from where its mapping stands.
fn take_out(symbols: &mut [Symbol], id: ShortId, check: u32, mapping: &mut Mapping) {
    while let Some(symbol) = symbols.get_mut(mapping.index() as usize) {
        symbol.toggle(id, check);
        mapping.advance();
    }
}
