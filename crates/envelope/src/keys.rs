//! From the key of an epoch to the keys of one envelope.

use chappe_wire::{Lifetime, Preimage, Tag, VERSION};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ReceiptSecret;
use crate::kdf::Prf;

/// The key of 64 counters. The next one comes from it; the one before does not.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct EpochKey([u8; 32]);

impl EpochKey {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of the epoch after this one.
    pub(crate) fn next(&self) -> Self {
        Self(*Prf::keyed(&self.0).expand(&[b"next"]))
    }

    /// The keys of the slots of this epoch.
    pub(crate) fn slots(&self) -> KeySource {
        KeySource::new(Prf::keyed(&self.0), b"message")
    }
}

/// The keys of many envelopes, each computed when asked for: HKDF-Expand with the label and the envelope's place
/// as info.
pub(crate) struct KeySource {
    prf: Prf,
    label: &'static [u8],
}

impl KeySource {
    pub(crate) const fn new(prf: Prf, label: &'static [u8]) -> Self {
        Self { prf, label }
    }

    /// The tag alone, at half the price of all keys.
    pub(crate) fn tag(&self, place: &[u8]) -> Tag {
        let [tag, _] = halves(&self.prf.expand(&[self.label, place]));
        Tag::new(*tag)
    }

    pub(crate) fn keys(&self, place: &[u8]) -> MessageKeys {
        let [first, seal] = self.prf.expand_twice(&[self.label, place]);
        let [tag, receipt] = halves(&first);
        MessageKeys {
            tag: Tag::new(*tag),
            receipt,
            seal,
        }
    }
}

/// All that one envelope needs.
///
/// ```text
///  0                  16                 32                                  64
///  +------------------+------------------+-----------------------------------+
///  | tag              | receipt key      | seal key                          |
///  +------------------+------------------+-----------------------------------+
/// ```
pub(crate) struct MessageKeys {
    pub(crate) tag: Tag,
    receipt: Zeroizing<[u8; 16]>,
    pub(crate) seal: Zeroizing<[u8; 32]>,
}

impl MessageKeys {
    /// The same keys, but that the receipt takes a session's secret too: the first half of the HMAC of the receipt
    /// key under it takes the receipt key's place.
    pub(crate) fn with_receipt_of(self, secret: &ReceiptSecret) -> Self {
        let mac = Prf::keyed(&secret.0).of(&[&*self.receipt]);
        let [receipt, _] = halves(&mac);
        Self { receipt, ..self }
    }

    /// The preimage of the envelope's commitment. It depends on everything that is sealed, so that two
    /// different envelopes under the same keys (a sender restored from a backup) commit to different values.
    pub(crate) fn preimage(&self, lifetime: Lifetime, padded: &[u8]) -> Preimage {
        let mac = Prf::keyed(&self.receipt).of(&[&[VERSION, lifetime.code()], padded]);
        let [preimage, _] = halves(&mac);
        Preimage::new(*preimage)
    }
}

fn halves(bytes: &[u8; 32]) -> [Zeroizing<[u8; 16]>; 2] {
    let mut halves = [Zeroizing::new([0; 16]), Zeroizing::new([0; 16])];
    for (half, part) in halves.iter_mut().zip(bytes.chunks_exact(16)) {
        half.copy_from_slice(part);
    }
    halves
}
