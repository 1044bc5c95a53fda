//! Radios that make groups: what a node asks of one, once it has agreed with a neighbour to move up.

use chappe_wire::{Invitation, LinkId};
use tokio::sync::mpsc;

/// Orders that wait for a radio.
const MAX_ORDERS: usize = 16;

/// What a node asks of a radio that makes groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupOrder {
    /// Make a group if there is none, and tell how it is joined, by [`TransportEvent::Invitation`] with the same
    /// link.
    ///
    /// [`TransportEvent::Invitation`]: crate::TransportEvent::Invitation
    Invite(LinkId),
    /// Join this group.
    Join(Invitation),
    /// Nobody needs the group any more.
    Leave,
}

/// Where orders for a radio go.
#[derive(Clone, Debug)]
pub struct GroupOrders(mpsc::Sender<GroupOrder>);

impl GroupOrders {
    /// A sender, and the receiver that the radio keeps.
    pub fn channel() -> (Self, mpsc::Receiver<GroupOrder>) {
        let (sender, orders) = mpsc::channel(MAX_ORDERS);
        (Self(sender), orders)
    }

    /// Gives an order. False if the radio is gone, or too many orders wait.
    pub fn give(&self, order: GroupOrder) -> bool {
        self.0.try_send(order).is_ok()
    }
}
