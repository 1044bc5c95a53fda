//! What the node is to persist, or to tell the person.

use chappe_wire::{ByteCount, Commitment, ItemId, LinkId};

use crate::{SeenEntry, StoredItem, StoredReceipt};

/// Something that the last call has changed. The node writes it to its store in the transaction in which it
/// writes what led to it, and commits before it sends anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An item is in custody now.
    ItemStored(StoredItem),
    /// What is mutable about an item has changed: age, copies or carriers.
    ItemUpdated(StoredItem),
    /// An item is not in custody any more; its body can go.
    ItemDropped {
        /// Which item.
        id: ItemId,
        /// Why.
        reason: DropReason,
        /// True if it was written here.
        own: bool,
    },
    /// An item is remembered.
    SeenAdded(SeenEntry),
    /// An item need not be remembered any more.
    SeenRemoved(ItemId),
    /// A receipt is carried now, or what is mutable about it has changed.
    ReceiptStored(StoredReceipt),
    /// The receipt for this commitment is not carried any more.
    ReceiptDropped(Commitment),
    /// A neighbour took custody of an item. Nothing to persist.
    HandedOver {
        /// The neighbour's link.
        link: LinkId,
        /// Which item.
        id: ItemId,
        /// Its size.
        size: ByteCount,
    },
    /// A neighbour took custody of an item that was written here.
    Carried {
        /// Which item.
        id: ItemId,
        /// How many neighbours have taken it so far.
        carriers: u32,
    },
    /// The receipt for an item that was written here came back: it was delivered.
    Delivered(ItemId),
}

/// Why an item is not in custody any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Its lifetime is over.
    Expired,
    /// Its receipt has come.
    Receipted,
    /// Its room was needed.
    Quota,
    /// The node asked for it.
    ByNode,
}
