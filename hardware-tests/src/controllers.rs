//! Virtual Bluetooth LE controllers: the only part of the lab's Bluetooth that is not the real thing. The kernel drives
//! them through `/dev/vhci` as it drives a USB dongle; everything above, from HCI up, is the kernel's and BlueZ's own.
//!
//! `btvirt`, BlueZ's own emulator, delivers data under the sender's number of a connection instead of the receiver's,
//! so that with three or more adapters packets get lost or come from the wrong neighbour. It also reports an
//! advertisement once per scan, and knows no time. Hence these; `ble-pair` runs over `btvirt` as well.

mod air;
mod commands;
mod controller;
mod hci;
mod vhci;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use air::Air;
pub(crate) use air::Ghost;
use controller::Controller;
use vhci::Vhci;

/// Orders that wait.
const ORDERS: usize = 16;
/// How long at most until an order is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Advertising sets of a controller: as many as BlueZ asks for.
const SETS: u8 = 4;

/// Payload of a data packet on the air in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Octets {
    /// Before Bluetooth 4.2, and until longer ones are agreed upon.
    Short = 27,
    /// With the data length extension.
    Long = 251,
}

/// Controllers that run. Dropped, all adapters are unplugged.
pub(crate) struct Controllers {
    orders: mpsc::SyncSender<Order>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Mutex<Option<String>>>,
}

enum Order {
    Apart(usize, usize, bool),
    Haunt(Vec<Ghost>),
    Plug(usize),
    Stop,
    Unplug(usize),
}

impl Controllers {
    /// Plugs so many adapters in: `hci0` and so on.
    ///
    /// # Errors
    /// When the kernel takes them not.
    pub(crate) fn start(adapters: usize, octets: Octets) -> anyhow::Result<Self> {
        Self::with(adapters, octets, SETS)
    }

    /// The same with controllers that cannot advertise: they have no peripheral role.
    ///
    /// # Errors
    /// When the kernel takes them not.
    pub(crate) fn central_only(adapters: usize) -> anyhow::Result<Self> {
        Self::with(adapters, Octets::Long, 0)
    }

    fn with(adapters: usize, octets: Octets, room: u8) -> anyhow::Result<Self> {
        let mut air = Air::new(octets as u64);
        for number in 0..adapters {
            let vhci = Vhci::plug()?;
            let got = vhci.number;
            anyhow::ensure!(usize::from(got) == number, "the kernel calls it hci{got}");
            air.controllers.push(Some(Controller::new(vhci, room)));
        }
        let (orders, taken) = mpsc::sync_channel(ORDERS);
        let failed: Arc<Mutex<Option<String>>> = Arc::default();
        let told = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("controllers".to_owned())
            .spawn(move || {
                if let Err(error) = run(air, &taken) {
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    *told = Some(format!("{error:#}"));
                }
            })?;
        Ok(Self {
            orders,
            thread: Some(thread),
            failed,
        })
    }

    /// Two adapters are out of each other's range, or in it again.
    pub(crate) fn apart(&self, one: usize, other: usize, apart: bool) {
        self.order(Order::Apart(one, other, apart));
    }

    /// Advertisements of devices that are not there.
    pub(crate) fn haunt(&self, ghosts: Vec<Ghost>) {
        self.order(Order::Haunt(ghosts));
    }

    /// Pulls an adapter out.
    pub(crate) fn unplug(&self, adapter: usize) {
        self.order(Order::Unplug(adapter));
    }

    /// Puts it in again; it has to get the same number, so it is the only one that is out.
    pub(crate) fn plug(&self, adapter: usize) {
        self.order(Order::Plug(adapter));
    }

    /// Why they do not run any more, if they do not.
    pub(crate) fn failure(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    fn order(&self, order: Order) {
        // Controllers that failed say why.
        let _ = self.orders.send(order);
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut air: Air, orders: &mpsc::Receiver<Order>) -> anyhow::Result<()> {
    loop {
        while let Ok(order) = orders.try_recv() {
            match order {
                Order::Apart(one, other, apart) => air.part(one, other, apart),
                Order::Haunt(ghosts) => air.ghosts.extend(ghosts),
                Order::Plug(adapter) => {
                    let vhci = Vhci::plug()?;
                    if let Some(slot) = air.controllers.get_mut(adapter) {
                        *slot = Some(Controller::new(vhci, SETS));
                    }
                }
                Order::Stop => return Ok(()),
                Order::Unplug(adapter) => {
                    if let Some(slot) = air.controllers.get_mut(adapter) {
                        *slot = None;
                    }
                    air.look_for_silence(Instant::now());
                }
            }
        }
        let now = Instant::now();
        let due = air.pass(now);
        let wait = due.map_or(LOOK, |due| due.duration_since(now).min(LOOK));
        let heard = listen(&air, wait)?;
        for who in heard {
            while let Some(packet) = read(&mut air, who)? {
                air.packet(who, &packet);
            }
        }
    }
}

fn read(air: &mut Air, who: usize) -> anyhow::Result<Option<Vec<u8>>> {
    match air.controller(who) {
        Some(controller) => controller.vhci.read(),
        None => Ok(None),
    }
}

/// Waits until a host says something. Who did.
fn listen(air: &Air, wait: Duration) -> anyhow::Result<Vec<usize>> {
    let there = || {
        let all = air.controllers.iter().enumerate();
        all.filter_map(|(who, it)| Some((who, it.as_ref()?)))
    };
    let mut polled: Vec<_> = there()
        .map(|(_, it)| PollFd::new(&it.vhci, PollFlags::IN))
        .collect();
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: wait.as_nanos().try_into()?,
    };
    match poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let heard = there().zip(&polled);
    Ok(heard
        .filter(|(_, polled)| !polled.revents().is_empty())
        .map(|((who, _), _)| who)
        .collect())
}
