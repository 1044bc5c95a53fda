//! The transport.

use std::pin::Pin;

use chappe_link::{Running, StartError, Transport, TransportEvent};
use tokio::sync::mpsc;

use crate::BleOptions;

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
        start(self.options, events)
    }
}

#[cfg(target_os = "linux")]
fn start(
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    Box::pin(crate::linux::start(options, events))
}

#[cfg(not(target_os = "linux"))]
fn start(
    options: BleOptions,
    _events: mpsc::Sender<TransportEvent>,
) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
    Box::pin(async move {
        Err(StartError::Unavailable(format!(
            "Bluetooth LE works on Linux only so far; run this node without ble:{}",
            options.adapter
        )))
    })
}
