//! When receipts are let go: after a random delay and in batches, so that relays learn that something
//! arrived, not to whom or when.

use chappe_wire::{Duration, Instant, Lifetime, Preimage};
use rand_core::Rng as _;

use crate::record::{ReceiptRecord, for_each};
use crate::{Node, NodeError, Store, Table};

/// Receipts that wait, in two batches: for contacts that are verified, and for the others.
#[derive(Debug)]
pub(crate) struct Batches {
    verified: Instant,
    unverified: Instant,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            verified: Instant::NEVER,
            unverified: Instant::NEVER,
        }
    }
}

impl Batches {
    /// When the next batch goes.
    pub(crate) fn deadline(&self) -> Instant {
        self.verified.min(self.unverified)
    }
}

/// Waiting, of a contact that is verified.
pub(crate) const HELD: u32 = 0;
/// Waiting, of a contact that is not verified.
pub(crate) const HELD_UNVERIFIED: u32 = 1;
/// On its way.
pub(crate) const LET_GO: u32 = 2;

impl<S: Store> Node<S> {
    /// Keeps a receipt back for now.
    pub(crate) fn hold_receipt(
        &mut self,
        now: Instant,
        preimage: Preimage,
        lifetime: Lifetime,
        verified: bool,
    ) -> Result<(), NodeError> {
        if !verified && !self.config.receipts_to_unverified {
            return Ok(());
        }
        let record = ReceiptRecord {
            preimage: preimage.as_bytes().to_vec(),
            state: if verified { HELD } else { HELD_UNVERIFIED },
            age: 0,
            since: now.as_micros(),
            lifetime: u32::from(lifetime.code()),
            ingress: 0,
            known: true,
            class: 0,
        };
        self.save(preimage.commitment().as_bytes(), &record)?;
        self.schedule_receipts(now, verified);
        Ok(())
    }

    /// Sets the time of a batch, unless it is set.
    pub(crate) fn schedule_receipts(&mut self, now: Instant, verified: bool) {
        let delay = if verified {
            self.config.receipt_delay
        } else {
            self.config.receipt_delay_unverified
        };
        // Between half the delay and all of it.
        let half = delay.as_micros() / 2;
        let random = if half == 0 {
            0
        } else {
            self.rng.next_u64() % half
        };
        let at = now.after(Duration::from_micros(half.saturating_add(random)));
        let batch = if verified {
            &mut self.batches.verified
        } else {
            &mut self.batches.unverified
        };
        if *batch == Instant::NEVER {
            *batch = at;
        }
    }

    /// Lets the batches go whose time has come.
    pub(crate) fn let_receipts_go(&mut self, now: Instant) -> Result<(), NodeError> {
        for (verified, state) in [(true, HELD), (false, HELD_UNVERIFIED)] {
            let batch = if verified {
                &mut self.batches.verified
            } else {
                &mut self.batches.unverified
            };
            if *batch > now {
                continue;
            }
            *batch = Instant::NEVER;
            let mut due = alloc::vec::Vec::new();
            for_each::<ReceiptRecord>(&self.store, |_, record| {
                if record.state == state {
                    due.push(record);
                }
                Ok(())
            })?;
            for record in due {
                let bytes = record
                    .preimage
                    .as_slice()
                    .try_into()
                    .map_err(|_| NodeError::Record)?;
                let preimage = Preimage::new(bytes);
                // The router stores it as one that is on its way.
                self.delete(Table::Receipts, preimage.commitment().as_bytes())?;
                let lifetime =
                    Lifetime::from_code(u8::try_from(record.lifetime).unwrap_or(u8::MAX));
                self.router.add_receipt(now, preimage, lifetime);
            }
        }
        Ok(())
    }
}
