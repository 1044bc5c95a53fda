//! When receipts are let go: after a random delay and in batches, so that relays learn that something
//! arrived, not to whom or when.

use alloc::vec::Vec;

use chappe_wire::{Duration, Instant, Lifetime, Preimage};
use rand_core::Rng as _;

use crate::record::ReceiptRecord;
use crate::{Node, NodeError, Store, Table};

/// Receipts in one batch, at most. A batch that is full goes at once.
const MAX_BATCH: usize = 1_024;

/// Receipts that wait, in two batches: for contacts that are verified, and for the others. The store has them
/// too, so that they go after a restart.
#[derive(Default)]
pub(crate) struct Batches {
    verified: Batch,
    unverified: Batch,
}

struct Batch {
    /// When it goes; never, while it is empty.
    at: Instant,
    receipts: Vec<Held>,
}

/// A receipt that waits.
struct Held {
    /// Where it is in the store.
    key: Vec<u8>,
    preimage: Preimage,
    lifetime: Lifetime,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            at: Instant::NEVER,
            receipts: Vec::new(),
        }
    }
}

impl Batches {
    /// When the next batch goes.
    pub(crate) fn deadline(&self) -> Instant {
        self.verified.at.min(self.unverified.at)
    }

    fn of_mut(&mut self, verified: bool) -> &mut Batch {
        if verified {
            &mut self.verified
        } else {
            &mut self.unverified
        }
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
        let held = Held {
            key: held_key(now, &preimage),
            preimage,
            lifetime,
        };
        self.save(&held.key, &record)?;
        self.schedule_receipt(now, held, verified);
        Ok(())
    }

    /// Takes over a receipt that was kept back before a restart.
    pub(crate) fn restore_held(
        &mut self,
        now: Instant,
        key: Vec<u8>,
        record: &ReceiptRecord,
    ) -> Result<(), NodeError> {
        let bytes = record.preimage.as_slice().try_into();
        let held = Held {
            key,
            preimage: Preimage::new(bytes.map_err(|_| NodeError::Record)?),
            lifetime: Lifetime::from_code(u8::try_from(record.lifetime).unwrap_or(u8::MAX)),
        };
        self.schedule_receipt(now, held, record.state == HELD);
        Ok(())
    }

    /// Puts a receipt into its batch. The first one sets its time.
    fn schedule_receipt(&mut self, now: Instant, held: Held, verified: bool) {
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
        let batch = self.batches.of_mut(verified);
        if batch.receipts.is_empty() {
            batch.at = now.after(Duration::from_micros(half.saturating_add(random)));
        }
        batch.receipts.push(held);
        if batch.receipts.len() >= MAX_BATCH {
            batch.at = now;
        }
    }

    /// Lets the batches go whose time has come.
    pub(crate) fn let_receipts_go(&mut self, now: Instant) -> Result<(), NodeError> {
        for verified in [true, false] {
            let batch = self.batches.of_mut(verified);
            if batch.at > now {
                continue;
            }
            for held in core::mem::take(batch).receipts {
                // The router stores it as one that is on its way.
                self.delete(Table::Receipts, &held.key)?;
                self.router.add_receipt(now, held.preimage, held.lifetime);
            }
        }
        Ok(())
    }
}

/// Where a receipt waits: behind those that came before, so that what comes together is written together. Stores of
/// before have it by its commitment alone.
fn held_key(now: Instant, preimage: &Preimage) -> Vec<u8> {
    [
        &now.as_micros().to_be_bytes()[..],
        preimage.commitment().as_bytes(),
    ]
    .concat()
}
