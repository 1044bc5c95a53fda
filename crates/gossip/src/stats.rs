//! Counters of a router.

use crate::DropReason;

/// Counters since the router was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Envelopes taken into custody from neighbours.
    pub accepted: u64,
    /// Envelopes that arrived and were not taken: no room for them.
    pub refused_no_room: u64,
    /// Envelopes that arrived and were not taken: their lifetime is over.
    pub refused_expired: u64,
    /// Envelopes that arrived and were not taken: they were here before, or their receipt is here.
    pub refused_known: u64,
    /// Envelopes that the node refused for a reason of its own.
    pub refused_by_node: u64,
    /// Envelopes that arrived although they are in custody (they were on their way over two links).
    pub duplicates: u64,
    /// Envelopes and receipts that arrived without having been asked for.
    pub unsolicited: u64,
    /// Envelopes given to the hop, to be sent.
    pub sent: u64,
    /// Items dropped at the end of their lifetime.
    pub dropped_expired: u64,
    /// Items dropped for their receipt.
    pub dropped_receipted: u64,
    /// Items evicted to make room.
    pub dropped_quota: u64,
    /// Items dropped because the node asked for it.
    pub dropped_by_node: u64,
    /// Receipts taken.
    pub receipts_taken: u64,
    /// Receipts that arrived and were not taken: no room for them.
    pub receipts_refused: u64,
    /// Receipts evicted to make room.
    pub receipts_evicted: u64,
    /// Reconciliations that have settled, on this node's word.
    pub reconciled: u64,
    /// Frames of a neighbour that came out of turn or asked for what it may not have, and were passed over.
    pub ignored: u64,
    /// Answers to reconciliations that were not given, for the link's budget was used up.
    pub withheld: u64,
    /// Frames dropped undecoded, for the link's budget was used up.
    pub over_budget: u64,
    /// Frames that no honest neighbour sends.
    pub misbehaviour: u64,
}

impl Stats {
    pub(crate) const fn count_drop(&mut self, reason: DropReason) {
        let counter = match reason {
            DropReason::Expired => &mut self.dropped_expired,
            DropReason::Receipted => &mut self.dropped_receipted,
            DropReason::Quota => &mut self.dropped_quota,
            DropReason::ByNode => &mut self.dropped_by_node,
        };
        *counter += 1;
    }
}
