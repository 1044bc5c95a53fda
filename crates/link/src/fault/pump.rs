//! Drives a line: from the packets that a node sends to the link below.

use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::{LinkSender, PacketSource};

use super::Faults;
use super::line::Line;

/// Where packets go that have passed the line.
pub(crate) trait Outlet: Send {
    /// Takes a packet, as soon as there is room.
    ///
    /// # Errors
    /// [`LinkGone`] if the link below is down.
    fn put(&mut self, packet: Vec<u8>) -> impl Future<Output = Result<(), LinkGone>> + Send;

    /// Returns when the link below is down.
    fn gone(&self) -> impl Future<Output = ()> + Send;
}

/// The link below is down.
pub(crate) struct LinkGone;

impl Outlet for LinkSender {
    async fn put(&mut self, packet: Vec<u8>) -> Result<(), LinkGone> {
        self.send(packet).await.map_err(|_| LinkGone)
    }

    async fn gone(&self) {
        self.closed().await;
    }
}

/// Moves packets from `source` over a line with `faults` to `outlet`. Returns when the link below is down, or
/// when the source has ended and the last packet has arrived.
pub(crate) async fn pump(
    mut source: PacketSource,
    mut outlet: impl Outlet,
    mut faults: watch::Receiver<Faults>,
    rng: ChaCha8Rng,
) {
    let mut line = Line::new(rng);
    let mut source_open = true;
    let mut faults_open = true;
    loop {
        let now = Instant::now();
        let current = *faults.borrow_and_update();
        let waited = line.leave(now, &current);
        // While the link below has no room nothing else leaves: the sender above is held back.
        while let Some(packet) = line.arrive(now) {
            if outlet.put(packet.bytes).await.is_err() {
                return;
            }
            drop(packet.slot);
        }
        if line.is_free()
            && waited
            && let Some(packet) = source.try_next()
        {
            // The link below may have taken its time: read the clock again.
            line.put(Instant::now(), packet, true);
            continue;
        }
        if !source_open && line.is_empty() {
            return;
        }
        let deadline = line.deadline(&current);
        tokio::select! {
            () = wait_for(deadline) => {}
            packet = source.next(), if source_open && line.is_free() => match packet {
                Some(packet) => line.put(Instant::now(), packet, false),
                None => source_open = false,
            },
            changed = faults.changed(), if faults_open => faults_open = changed.is_ok(),
            () = outlet.gone() => return,
        }
    }
}

async fn wait_for(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
