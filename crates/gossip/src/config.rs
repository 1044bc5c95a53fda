//! Settings of a router.

use chappe_wire::{ByteCount, Duration};

/// Settings of a router. The defaults suit a phone or a small relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most bytes of envelopes in custody. Strangers' envelopes may take what is free, but no more than half
    /// of it is theirs once it is needed. Default: 256 MiB.
    pub capacity: ByteCount,
    /// The most envelopes in custody, divided in the same way. Default: 65,536.
    pub max_items: usize,
    /// The most items that are remembered, those in custody included. Strangers' items may take half of it.
    /// When it is full, new items are refused rather than old ones forgotten. Default: 131,072.
    pub max_seen: usize,
    /// The part of the memory of strangers' items that one ingress may take. Default: 16,384.
    pub max_seen_per_ingress: usize,
    /// The most receipts that are carried. Those for envelopes unknown here, as brought by one stranger's
    /// ingress, may take a quarter of it. Default: 65,536.
    pub max_receipts: usize,
    /// What one link may ask of this node.
    pub link: LinkBudget,
    /// How often a lasting link is reconciled anew, in case something was left out. Default: 10 minutes.
    pub resync_interval: Duration,
    /// How long a neighbour that sends one envelope after the other may wait for the answer to the first, so that one
    /// frame answers several. What nothing follows is answered at once. Default: zero, which lets nothing wait.
    pub answer_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: ByteCount::from_mib(256),
            max_items: 65_536,
            max_seen: 131_072,
            max_seen_per_ingress: 16_384,
            max_receipts: 65_536,
            link: LinkBudget::default(),
            resync_interval: Duration::from_minutes(10),
            answer_within: Duration::ZERO,
        }
    }
}

/// What one link may ask of this node. Charged before a frame is decoded. Envelopes that were asked for are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkBudget {
    /// Frames. Default: 500 a second, 8,192 at once.
    pub frames: Rate,
    /// Bytes of frames. Default: 256 KiB a second, 4 MiB at once.
    pub bytes: Rate,
}

impl Default for LinkBudget {
    fn default() -> Self {
        Self {
            frames: Rate {
                per_second: 500,
                burst: 8_192,
            },
            bytes: Rate {
                per_second: 256 << 10,
                burst: 4 << 20,
            },
        }
    }
}

/// A token bucket's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many tokens come in a second.
    pub per_second: u64,
    /// How many tokens the bucket holds, and has at first.
    pub burst: u64,
}
