//! Filters: each end sends a summary of what it has, and the other offers what is not in it. Never exact: what the
//! filter holds by mistake is not offered.

use core::hash::Hasher as _;

use chappe_wire::ShortId;
use siphasher::sip::SipHasher24;

use super::{Cost, ID_LEN, Stores, without};

/// Of 128 items that are not in a Golomb-coded set one seems to be: what bitchat takes for 1 %.
const GOLOMB_BITS: u32 = 7;
/// A Bloom filter with 1 % of mistakes takes 9.585 bits an item and 7 hashes (Bloom 1970).
const BLOOM_MILLIBITS: u64 = 9_585;
const BLOOM_HASHES: u64 = 7;

/// Each sends a Bloom filter with 1 % of mistakes.
pub(crate) fn bloom(stores: &Stores) -> Cost {
    exchange(stores, |ids| {
        let filter = Bloom::of(ids);
        let bytes = filter.bits.len() as u64;
        Summary {
            bytes,
            holds: Box::new(move |id| filter.holds(id)),
        }
    })
}

/// Each sends a Golomb-coded set (as bitchat does, which cuts it off at 400 bytes: about 350 items).
pub(crate) fn golomb(stores: &Stores) -> Cost {
    exchange(stores, |ids| {
        let coded = golomb_code(ids);
        let held = golomb_read(&coded, ids.len());
        let count = ids.len() as u64;
        let holds = move |id| held.binary_search(&golomb_value(id, count)).is_ok();
        Summary {
            bytes: coded.len() as u64,
            holds: Box::new(holds),
        }
    })
}

/// What an end sends, and what the other reads from it.
struct Summary {
    bytes: u64,
    holds: Box<dyn Fn(ShortId) -> bool>,
}

fn exchange(stores: &Stores, summary: impl Fn(&[ShortId]) -> Summary) -> Cost {
    let [first, second] = stores.short_ids();
    let (of_first, of_second) = (summary(&first), summary(&second));
    let offered = second.iter().filter(|id| !(of_first.holds)(**id)).count()
        + first.iter().filter(|id| !(of_second.holds)(**id)).count();
    let differ = without(&first, &second).len() + without(&second, &first).len();
    Cost {
        bytes: of_first.bytes + of_second.bytes + ID_LEN * offered as u64,
        // The second's offers go along with its filter.
        turns: 3,
        missed: (differ - offered) as u64,
    }
}

struct Bloom {
    bits: Vec<u8>,
}

impl Bloom {
    fn of(ids: &[ShortId]) -> Self {
        let bits = (ids.len() as u64 * BLOOM_MILLIBITS).div_ceil(1_000).max(8);
        let mut filter = Self {
            bits: vec![0; bits.div_ceil(8) as usize],
        };
        for id in ids {
            for (byte, bit) in filter.places(*id) {
                filter.bits[byte] |= bit;
            }
        }
        filter
    }

    fn holds(&self, id: ShortId) -> bool {
        self.places(id)
            .into_iter()
            .all(|(byte, bit)| self.bits[byte] & bit != 0)
    }

    /// Two hashes make all (Kirsch and Mitzenmacher 2006).
    fn places(&self, id: ShortId) -> [(usize, u8); BLOOM_HASHES as usize] {
        let mut hasher = SipHasher24::new();
        hasher.write_u64(id.get());
        let step = hasher.finish() | 1;
        let bits = self.bits.len() as u64 * 8;
        core::array::from_fn(|turn| {
            let hash = id.get().wrapping_add(step.wrapping_mul(turn as u64));
            let place = hash % bits;
            ((place / 8) as usize, 1 << (place % 8))
        })
    }
}

/// Where an item is in a set of `count`: uniform below `count` times 2^[`GOLOMB_BITS`].
fn golomb_value(id: ShortId, count: u64) -> u64 {
    let range = u128::from(count << GOLOMB_BITS);
    ((u128::from(id.get()) * range) >> 64) as u64
}

/// Distances between the values: the quotient by 2^[`GOLOMB_BITS`] in ones, a zero, the remainder.
fn golomb_code(ids: &[ShortId]) -> Vec<u8> {
    let count = ids.len() as u64;
    let mut bits = Bits::default();
    let mut last = 0;
    for id in ids {
        // In ascending order like the ids.
        let value = golomb_value(*id, count);
        let distance = value - last;
        last = value;
        for _ in 0..distance >> GOLOMB_BITS {
            bits.push(true);
        }
        bits.push(false);
        for bit in (0..GOLOMB_BITS).rev() {
            bits.push(distance >> bit & 1 == 1);
        }
    }
    bits.bytes
}

fn golomb_read(coded: &[u8], count: usize) -> Vec<u64> {
    let mut bits = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let mut next = || u64::from(bits.next().unwrap_or(0));
    let mut last = 0;
    let read = (0..count).map(|_| {
        let mut distance = 0;
        while next() == 1 {
            distance += 1;
        }
        for _ in 0..GOLOMB_BITS {
            distance = distance << 1 | next();
        }
        last += distance;
        last
    });
    read.collect()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut().filter(|_| bit) {
            *last |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }
}
