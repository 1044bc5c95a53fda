//! `PinSketch` alone, with the router's own field of 64 bits. With short ids of 32 bits, as in minisketch and BIP-330, the
//! sums take half the bytes; then among 10,000 items two have one short id in one store of a hundred.

use chappe_gossip::reconcile::Sketch;
use chappe_wire::ShortId;

use super::{Cost, ID_LEN, Stores, without};

/// How many differences there are is known before, by whatever means: the least that a sketch takes.
pub(crate) fn pin_sketch_told(stores: &Stores) -> Cost {
    let [first, second] = stores.short_ids();
    let differ = without(&first, &second).len() + without(&second, &first).len();
    reconcile(&first, &second, differ.max(1))
}

/// The capacity comes from the sizes of the two sets alone, as in BIP-330 with q = 0.01, and is doubled as often as it
/// was too small.
pub(crate) fn pin_sketch_by_sizes(stores: &Stores) -> Cost {
    let [first, second] = stores.short_ids();
    let smaller = first.len().min(second.len());
    let capacity = first.len().abs_diff(second.len()) + smaller / 100 + 1;
    reconcile(&first, &second, capacity)
}

fn reconcile(first: &[ShortId], second: &[ShortId], mut capacity: usize) -> Cost {
    let mut turns = 2;
    let found = loop {
        let sketch = Sketch::of(first.iter().copied(), capacity);
        let both = sketch.combined(&Sketch::of(second.iter().copied(), capacity));
        if let Some(found) = both.and_then(|both| both.items(1)) {
            break found;
        }
        // The sums so far stay good: only the new ones travel.
        capacity *= 2;
        turns += 2;
    };
    Cost {
        bytes: (Sketch::BYTES_PER_ITEM * capacity) as u64 + ID_LEN * found.len() as u64,
        turns,
        missed: 0,
    }
}
