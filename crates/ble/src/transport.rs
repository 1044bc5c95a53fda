//! The transport.

use std::pin::Pin;

use chappe_link::{Running, StartError, Transport, TransportEvent};
use tokio::sync::mpsc;

use crate::{BleOptions, Roles};

/// Bluetooth LE as a [`Transport`].
///
/// ```
/// use chappe_ble::{BleOptions, BleTransport};
/// use chappe_link::Transport;
///
/// let ble = BleTransport::new(BleOptions::on("hci0"));
/// assert_eq!(ble.name(), "ble");
/// ```
#[derive(Debug)]
pub struct BleTransport {
    options: BleOptions,
}

impl BleTransport {
    /// The transport with these settings.
    pub const fn new(options: BleOptions) -> Self {
        Self { options }
    }
}

impl Transport for BleTransport {
    fn name(&self) -> &str {
        "ble"
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        match self.options.roles {
            Roles::Both => both(self.options, events),
            Roles::Central => central(self.options, events),
        }
    }
}

#[cfg(target_os = "linux")]
fn both(
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    Box::pin(crate::linux::start(options, events))
}

#[cfg(not(target_os = "linux"))]
fn both(
    _: BleOptions,
    _: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    unavailable("This system lets no program be connected to; use role=central.")
}

#[cfg(any(feature = "central", not(target_os = "linux")))]
fn central(
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    Box::pin(crate::central::start(options, events))
}

#[cfg(not(any(feature = "central", not(target_os = "linux"))))]
fn central(
    _: BleOptions,
    _: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    unavailable(
        "This program was built without the central role by itself; leave role=central out.",
    )
}

#[cfg(not(all(feature = "central", target_os = "linux")))]
fn unavailable(says: &str) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    Box::pin(std::future::ready(Err(StartError::Unavailable(
        says.to_owned(),
    ))))
}
