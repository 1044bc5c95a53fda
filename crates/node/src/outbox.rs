//! Where the messages written here are: how many of their envelopes are out, how many neighbours carry them,
//! how many receipts are missing.

use alloc::collections::BTreeMap;

use chappe_wire::ItemId;

use crate::message::{Delivery, MessageId};

/// What is not delivered or expired yet.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: BTreeMap<MessageId, Pending>,
    envelopes: BTreeMap<ItemId, (MessageId, u32)>,
}

/// A message with envelopes whose receipts are missing.
#[derive(Debug, Default)]
struct Pending {
    /// How many of its envelopes have how many carriers. Envelopes with a receipt are not counted.
    by_carriers: BTreeMap<u32, u32>,
}

impl Outbox {
    /// Messages that wait for receipts.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Adds an envelope of a message, with the carriers it is known to have.
    pub(crate) fn add(&mut self, message: MessageId, envelope: ItemId, carriers: u32) {
        self.envelopes.insert(envelope, (message, carriers));
        let pending = self.messages.entry(message).or_default();
        *pending.by_carriers.entry(carriers).or_default() += 1;
    }

    /// The message that an envelope belongs to.
    pub(crate) fn message_of(&self, envelope: &ItemId) -> Option<MessageId> {
        self.envelopes.get(envelope).map(|(message, _)| *message)
    }

    /// A message was not accepted after all.
    pub(crate) fn forget(&mut self, message: MessageId) {
        self.messages.remove(&message);
        self.envelopes.retain(|_, (of, _)| *of != message);
    }

    /// A neighbour took custody of an envelope: the message's state, if that changed with it.
    pub(crate) fn carried(&mut self, envelope: &ItemId) -> Option<Change> {
        let (message, carriers) = self.envelopes.get_mut(envelope)?;
        let (message, old) = (*message, *carriers);
        let new = old.saturating_add(1);
        *carriers = new;
        let pending = self.messages.get_mut(&message)?;
        let before = pending.carriers();
        pending.take(old);
        *pending.by_carriers.entry(new).or_default() += 1;
        let state = pending.state();
        let changed = pending.carriers() != before;
        changed.then_some(Change {
            message,
            outstanding: pending.outstanding(),
            state,
        })
    }

    /// An envelope's receipt came.
    pub(crate) fn delivered(&mut self, envelope: &ItemId) -> Option<Change> {
        let (message, carriers) = self.envelopes.remove(envelope)?;
        let pending = self.messages.get_mut(&message)?;
        pending.take(carriers);
        let change = Change {
            message,
            outstanding: pending.outstanding(),
            state: pending.state(),
        };
        if change.state == Delivery::Delivered {
            self.messages.remove(&message);
        }
        Some(change)
    }

    /// An envelope's lifetime is over without a receipt: so is its message's. `None` if that was said
    /// before.
    pub(crate) fn expired(&mut self, envelope: &ItemId) -> Option<Change> {
        let (message, _) = self.envelopes.remove(envelope)?;
        let pending = self.messages.remove(&message)?;
        Some(Change {
            message,
            outstanding: pending.outstanding(),
            state: Delivery::Expired,
        })
    }
}

impl Pending {
    fn carriers(&self) -> u32 {
        self.by_carriers
            .first_key_value()
            .map_or(0, |(carriers, _)| *carriers)
    }

    fn outstanding(&self) -> u32 {
        self.by_carriers
            .values()
            .fold(0, |sum: u32, count| sum.saturating_add(*count))
    }

    fn state(&self) -> Delivery {
        match (self.outstanding(), self.carriers()) {
            (0, _) => Delivery::Delivered,
            (_, 0) => Delivery::Accepted,
            (_, carriers) => Delivery::Carried { carriers },
        }
    }

    fn take(&mut self, carriers: u32) {
        if let Some(count) = self.by_carriers.get_mut(&carriers) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_carriers.remove(&carriers);
            }
        }
    }
}

/// A message's new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) message: MessageId,
    pub(crate) outstanding: u32,
    pub(crate) state: Delivery,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: MessageId = MessageId(7);

    fn outbox(envelopes: u8) -> Outbox {
        let mut outbox = Outbox::default();
        for i in 0..envelopes {
            outbox.add(MESSAGE, id(i), 0);
        }
        outbox
    }

    fn id(byte: u8) -> ItemId {
        ItemId::new([byte; 32])
    }

    #[test]
    fn carried_when_all_of_it_is() {
        let mut outbox = outbox(2);
        assert_eq!(outbox.carried(&id(0)), None);
        let change = outbox.carried(&id(1)).unwrap();
        assert_eq!(change.state, Delivery::Carried { carriers: 1 });
    }

    #[test]
    fn delivered_when_all_receipts_are_here() {
        let mut outbox = outbox(2);
        assert_eq!(outbox.delivered(&id(0)).unwrap().state, Delivery::Accepted);
        assert_eq!(outbox.delivered(&id(0)), None);
        assert_eq!(outbox.delivered(&id(1)).unwrap().state, Delivery::Delivered);
        assert_eq!(outbox.len(), 0);
    }

    #[test]
    fn expired_is_said_once() {
        let mut outbox = outbox(2);
        assert_eq!(outbox.expired(&id(0)).unwrap().state, Delivery::Expired);
        assert_eq!(outbox.expired(&id(1)), None);
        assert_eq!(outbox.delivered(&id(1)), None);
    }

    #[test]
    fn strangers_envelopes_are_nobodys() {
        assert_eq!(outbox(1).carried(&id(9)), None);
        assert_eq!(outbox(1).message_of(&id(9)), None);
    }
}
