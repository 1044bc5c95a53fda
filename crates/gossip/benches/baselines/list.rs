//! One end lists what it has.

use super::{Cost, ID_LEN, Stores, without};

/// The first lists all; the second answers with what it lacks and with what the first lacks.
pub(crate) fn list(stores: &Stores) -> Cost {
    let [first, second] = stores.short_ids();
    let told = without(&first, &second).len() + without(&second, &first).len();
    Cost {
        bytes: ID_LEN * (first.len() + told) as u64,
        turns: 2,
        missed: 0,
    }
}
