//! Faults: a layer that makes a link as slow, late and lossy as a radio.
//!
//! ```text
//! LinkSender --> rate --> loss, duplication, reordering --> latency --> the link below
//!            ^        |
//!            +--------+  room for the next packet, once this one has left
//! ```
//!
//! Packets are paced one after the other, so a sender has room again only as fast as they leave, and queues
//! stay as short as [`LinkInfo::queue`](crate::LinkInfo::queue). Losses take their time on the air like any
//! packet. Only what a node sends passes through; the neighbour's own layer does the other direction.

mod line;
mod pump;
mod quantity;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use tokio::sync::watch;

use crate::outgoing;
use crate::{Layer, LinkInfo, LinkUp};

pub(crate) use pump::{LinkGone, Outlet, pump};
pub use quantity::{Latency, Probability, QuantityError, Rate};

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// How many bytes leave per second.
    pub rate: Rate,
    /// How long a packet is under way, after it has left.
    pub latency: Latency,
    /// How likely a packet is lost.
    pub loss: Probability,
    /// How likely a packet arrives twice.
    pub duplicate: Probability,
    /// How likely a packet is held back until about two later ones of its size have passed it.
    pub reorder: Probability,
}

impl Faults {
    /// Nothing is wrong.
    pub const NONE: Self = Self {
        rate: Rate::UNLIMITED,
        latency: Latency::ZERO,
        loss: Probability::NEVER,
        duplicate: Probability::NEVER,
        reorder: Probability::NEVER,
    };
}

impl Default for Faults {
    fn default() -> Self {
        Self::NONE
    }
}

/// Puts [`Faults`] around links. They can be changed while links are up: clones change the same.
///
/// ```
/// use chappe_link::fault::{FaultLayer, Faults, Probability};
/// use chappe_link::{Bearer, Layer, LinkInfo, link};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (up, mut end) = link(LinkInfo {
///     bearer: Bearer::new("wire"),
///     mtu: 512,
///     initiator: true,
///     reliable: true,
///     label: String::new(),
///     queue: 4,
/// });
/// let layer = FaultLayer::new(Faults { duplicate: Probability::ALWAYS, ..Faults::NONE }, 1);
/// let up = layer.wrap(up);
/// up.outgoing.send(vec![1]).await.unwrap();
/// assert_eq!(end.source.next().await.unwrap().bytes(), [1]);
/// assert_eq!(end.source.next().await.unwrap().bytes(), [1]);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FaultLayer {
    faults: watch::Sender<Faults>,
    seed: u64,
    links: Arc<AtomicU64>,
}

impl FaultLayer {
    /// A layer with these faults. What happens to the packets of its first link, its second, and so on is
    /// decided by `seed`.
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults: watch::Sender::new(faults),
            seed,
            links: Arc::default(),
        }
    }

    /// Changes what is wrong, at once and for all links.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }
}

impl Layer for FaultLayer {
    fn wrap(&self, link: LinkUp) -> LinkUp {
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let rng = random(self.seed, number);
        let (outgoing, source) = outgoing::channel(&link.info);
        // Whatever the faults are now, they can be changed.
        let info = LinkInfo {
            reliable: false,
            ..link.info
        };
        tokio::spawn(pump(source, link.outgoing, self.faults.subscribe(), rng));
        LinkUp {
            info,
            outgoing,
            incoming: link.incoming,
        }
    }
}

/// The random numbers of one link: a stream of its own for each number.
pub(crate) fn random(seed: u64, link: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(link);
    rng
}
