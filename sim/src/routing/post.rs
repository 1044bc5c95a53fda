//! Messages as envelopes: what their ids, tags and receipts are.

use chappe_wire::{Header, ItemId, Lifetime, Preimage, Tag, VERSION};
use rand_core::Rng;

use crate::event::MessageIndex;

/// A message's outside. Its place in the list is in its id and its tag, so that they lead back to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) id: ItemId,
    pub(super) header: Header,
    pub(super) preimage: Preimage,
}

impl Letter {
    pub(super) fn new(index: MessageIndex, lifetime: Lifetime, rng: &mut impl Rng) -> Self {
        let mut id = [0; ItemId::LEN];
        let mut tag = [0; Tag::LEN];
        let mut preimage = [0; Preimage::LEN];
        for bytes in [&mut id[..], &mut tag, &mut preimage] {
            rng.fill_bytes(bytes);
        }
        for bytes in [&mut id[..], &mut tag] {
            if let Some(place) = bytes.last_chunk_mut() {
                *place = index.get().to_be_bytes();
            }
        }
        let preimage = Preimage::new(preimage);
        Self {
            id: ItemId::new(id),
            header: Header {
                version: VERSION,
                lifetime,
                tag: Tag::new(tag),
                commitment: preimage.commitment(),
            },
            preimage,
        }
    }
}

/// The message with this id.
pub(super) fn message_of(id: &ItemId) -> MessageIndex {
    index_in(id.as_bytes())
}

/// The message with this tag.
pub(super) fn message_tagged(tag: &Tag) -> MessageIndex {
    index_in(tag.as_bytes())
}

fn index_in(bytes: &[u8]) -> MessageIndex {
    let place = bytes.last_chunk().copied().unwrap_or_default();
    MessageIndex::new(u32::from_be_bytes(place))
}
