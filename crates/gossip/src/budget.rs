//! What a neighbour may ask of this node, counted in token buckets, one set for each link.

use chappe_wire::Instant;

use crate::config::{LinkBudget, Rate};

/// Bytes of answer to a reconciliation for each byte that the neighbour sent: the bound on amplification.
pub(crate) const MAX_AMPLIFICATION: u64 = 4;
/// Bytes of answer that a link gets without having sent any, besides one listing of the store.
pub(crate) const FREE_ANSWER: u64 = 4_096;
/// Bytes of a short id in a list of the store.
const LISTED_ID: u64 = 8;
/// Seconds that pay for one reconciliation that the neighbour opens: it costs a pass over the store.
const SECONDS_PER_SESSION: u64 = 60;
/// Reconciliations that a neighbour may open without waiting.
const FREE_SESSIONS: u64 = 4;
const MICRO: u64 = 1_000_000;

/// The budgets of one link.
#[derive(Debug)]
pub(crate) struct Budget {
    frames: TokenBucket,
    bytes: TokenBucket,
    answers: TokenBucket,
    sessions: TokenBucket,
}

impl Budget {
    /// Full budgets towards a neighbour who may need all of `store_len` items listed.
    pub(crate) fn new(now: Instant, settings: &LinkBudget, store_len: usize) -> Self {
        // Symbols stop where a list is cheaper, and the list follows: twice the listing at most.
        let listing = (store_len as u64).saturating_mul(2 * LISTED_ID);
        Self {
            frames: TokenBucket::new(now, settings.frames),
            bytes: TokenBucket::new(now, settings.bytes),
            answers: TokenBucket::new(
                now,
                Rate {
                    per_second: 16,
                    burst: listing.saturating_add(FREE_ANSWER),
                },
            ),
            sessions: TokenBucket::new(
                now,
                Rate {
                    per_second: 1,
                    burst: FREE_SESSIONS * SECONDS_PER_SESSION,
                },
            ),
        }
    }

    /// Pays for a frame of `length` bytes that came in.
    ///
    /// # Errors
    /// [`OverBudget`] says which bucket is empty. Nothing was taken.
    pub(crate) fn charge(&mut self, now: Instant, length: usize) -> Result<(), OverBudget> {
        let length = length as u64;
        self.frames.refill(now);
        self.bytes.refill(now);
        if !self.frames.holds(1) {
            return Err(OverBudget::Frames);
        }
        if !self.bytes.holds(length) {
            return Err(OverBudget::Bytes);
        }
        self.frames.take(1);
        self.bytes.take(length);
        self.answers.give(length.saturating_mul(MAX_AMPLIFICATION));
        Ok(())
    }

    /// Gives back what was paid for a frame that had been asked for.
    pub(crate) fn refund(&mut self, length: usize) {
        self.frames.give(1);
        self.bytes.give(length as u64);
    }

    /// Pays for one reconciliation; false if the neighbour has opened too many.
    pub(crate) fn open_session(&mut self, now: Instant) -> bool {
        self.sessions.refill(now);
        let affordable = self.sessions.holds(SECONDS_PER_SESSION);
        if affordable {
            self.sessions.take(SECONDS_PER_SESSION);
        }
        affordable
    }

    /// Pays for `length` bytes of an answer; false if there is not enough left.
    pub(crate) fn answer(&mut self, now: Instant, length: usize) -> bool {
        self.answers.refill(now);
        let affordable = self.answers.holds(length as u64);
        if affordable {
            self.answers.take(length as u64);
        }
        affordable
    }
}

/// Which budget of its link a neighbour has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverBudget {
    /// Too many bytes that were not asked for.
    #[error("too many bytes")]
    Bytes,
    /// Too many frames that were not asked for.
    #[error("too many frames")]
    Frames,
}

/// Tokens that come in at a steady rate up to a bound. Counted in millionths.
#[derive(Debug)]
struct TokenBucket {
    rate: Rate,
    micro_tokens: u64,
    refilled: Instant,
}

impl TokenBucket {
    const fn new(now: Instant, rate: Rate) -> Self {
        Self {
            rate,
            micro_tokens: rate.burst.saturating_mul(MICRO),
            refilled: now,
        }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.since(self.refilled).as_micros();
        self.refilled = self.refilled.max(now);
        self.add(elapsed.saturating_mul(self.rate.per_second));
    }

    fn give(&mut self, tokens: u64) {
        self.add(tokens.saturating_mul(MICRO));
    }

    const fn holds(&self, tokens: u64) -> bool {
        self.micro_tokens >= tokens.saturating_mul(MICRO)
    }

    const fn take(&mut self, tokens: u64) {
        self.micro_tokens = self
            .micro_tokens
            .saturating_sub(tokens.saturating_mul(MICRO));
    }

    fn add(&mut self, micro_tokens: u64) {
        let full = self.rate.burst.saturating_mul(MICRO);
        self.micro_tokens = self.micro_tokens.saturating_add(micro_tokens).min(full);
    }
}
