//! Range-based set reconciliation (Meyer, SRDS 2023), with the parameters of negentropy: ranges of the ascending
//! short ids are compared by fingerprints of 16 bytes and split into 16 until they are small enough to be listed.

use chappe_wire::{Digest, ItemId, LinkSalt, ShortId};

use super::{Cost, ID_LEN, Stores, without};

/// A range that differs is split into so many.
const BUCKETS: usize = 16;
/// A range of fewer items than this is listed.
const LISTED_BELOW: usize = 2 * BUCKETS;
const FINGERPRINT_LEN: u64 = 16;

/// Until each end knows what the other has and lacks in every range.
pub(crate) fn ranges(stores: &Stores) -> Cost {
    let ends = [&stores.first, &stores.second].map(|ids| Sorted::of(&stores.salt, ids));
    let mut cost = Cost::default();
    let mut claims = split(&ends[0], 0, u64::MAX);
    let mut speaker = 0;
    while !claims.is_empty() {
        cost.turns += 1;
        cost.bytes += message_len(&claims);
        let listener = &ends[1 - speaker];
        let mut answer = Vec::new();
        for claim in claims {
            let (from, to) = (claim.from, claim.to);
            match claim.says {
                Says::Fingerprint(theirs) if theirs == listener.fingerprint(from, to) => {}
                Says::Fingerprint(_) => answer.extend(split(listener, from, to)),
                Says::List(theirs) => {
                    let mine = listener.ids(from, to);
                    let lacking = without(&theirs, mine);
                    let offered = without(mine, &theirs);
                    if !lacking.is_empty() || !offered.is_empty() {
                        let says = Says::Answer {
                            offered: offered.len(),
                            of: theirs.len(),
                        };
                        answer.push(Claim { from, to, says });
                    }
                }
                Says::Answer { .. } => {}
            }
        }
        claims = answer;
        speaker = 1 - speaker;
    }
    cost
}

/// The short ids of an end in ascending order, with the sums of the salted hashes of those before each.
struct Sorted {
    ids: Vec<ShortId>,
    sums: Vec<u128>,
}

/// Something said of a range, `to` included.
struct Claim {
    from: u64,
    to: u64,
    says: Says,
}

enum Says {
    Fingerprint(u128),
    List(Vec<ShortId>),
    /// To a list of so many: these you lack, and a bit for each of yours that is lacking here.
    Answer {
        offered: usize,
        of: usize,
    },
}

impl Sorted {
    fn of(salt: &LinkSalt, items: &[ItemId]) -> Self {
        let hashed = items.iter().map(|id| {
            let hash = Digest::of(salt, [id]).fingerprint;
            (ShortId::new(hash as u64), hash)
        });
        let mut hashed: Vec<_> = hashed.collect();
        hashed.sort_unstable();
        let mut sums = vec![0];
        let mut sum: u128 = 0;
        for (_, hash) in &hashed {
            sum = sum.wrapping_add(*hash);
            sums.push(sum);
        }
        Self {
            ids: hashed.into_iter().map(|(id, _)| id).collect(),
            sums,
        }
    }

    fn bounds(&self, from: u64, to: u64) -> (usize, usize) {
        let start = self.ids.partition_point(|id| id.get() < from);
        let end = self.ids.partition_point(|id| id.get() <= to);
        (start, end)
    }

    fn ids(&self, from: u64, to: u64) -> &[ShortId] {
        let (start, end) = self.bounds(from, to);
        &self.ids[start..end]
    }

    fn fingerprint(&self, from: u64, to: u64) -> u128 {
        let (start, end) = self.bounds(from, to);
        self.sums[end].wrapping_sub(self.sums[start])
    }
}

/// What an end has to say of a range.
fn split(end: &Sorted, from: u64, to: u64) -> Vec<Claim> {
    let ids = end.ids(from, to);
    if ids.len() < LISTED_BELOW {
        let says = Says::List(ids.to_vec());
        return vec![Claim { from, to, says }];
    }
    let mut claims = Vec::new();
    let mut start = from;
    for bucket in 1..=BUCKETS {
        let next = ids.get(ids.len() * bucket / BUCKETS);
        let before = ids[ids.len() * bucket / BUCKETS - 1].get();
        // The shortest prefix that tells the last of this bucket from the first of the next.
        let last = next.map_or(to, |next| shortest_between(before, next.get()) - 1);
        claims.push(Claim {
            from: start,
            to: last,
            says: Says::Fingerprint(end.fingerprint(start, last)),
        });
        start = last.saturating_add(1);
    }
    claims
}

/// The number between two, the first left out, with the most bytes of zero at its end.
fn shortest_between(before: u64, next: u64) -> u64 {
    let byte = (before ^ next).leading_zeros() / 8;
    next & !(u64::MAX.checked_shr(8 * (byte + 1)).unwrap_or(0))
}

/// Ranges one after another, each with its upper bound (length and significant bytes), a mode of one byte, and what it
/// says. What lies between is passed over with a bound and a mode.
fn message_len(claims: &[Claim]) -> u64 {
    let mut bytes = 0;
    let mut reached = 0;
    for claim in claims {
        if claim.from != reached {
            bytes += bound_len(claim.from) + 1;
        }
        reached = claim.to.wrapping_add(1);
        bytes += bound_len(reached) + 1;
        bytes += match &claim.says {
            Says::Fingerprint(_) => FINGERPRINT_LEN,
            Says::List(ids) => 1 + ID_LEN * ids.len() as u64,
            Says::Answer { offered, of } => 1 + ID_LEN * *offered as u64 + of.div_ceil(8) as u64,
        };
    }
    bytes
}

fn bound_len(bound: u64) -> u64 {
    1 + u64::from(8 - bound.trailing_zeros().min(64) / 8)
}
